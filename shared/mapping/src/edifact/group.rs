//! Groups of segments: what may stand where in a message, and what may repeat.

/// Segments that belong together, with the one that begins them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// The segment that begins it.
    pub(crate) trigger: &'static str,
    repeats: bool,
    /// What may follow, in this order.
    pub(crate) slots: Vec<Slot>,
}

/// A place in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    Segment { tag: &'static str, repeats: bool },
    Group(Group),
}

impl Slot {
    /// The segment that belongs here.
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            Self::Segment { tag, .. } => tag,
            Self::Group(group) => group.trigger,
        }
    }

    /// Whether it may be there more than once; then it is a list, however many there are.
    pub(crate) fn repeats(&self) -> bool {
        match self {
            Self::Segment { repeats, .. } => *repeats,
            Self::Group(group) => group.repeats,
        }
    }
}

impl Group {
    /// Reads a table: `BGM DTM* (NAD LOC* (CTA COM*)*)*` is one BGM, any number of DTM, any number of groups that NAD
    /// begins.
    pub(crate) fn read(table: &'static str) -> Self {
        let mut rest = table;
        Self {
            trigger: "UNH",
            repeats: false,
            slots: slots(&mut rest),
        }
    }

    /// The place of a segment that belongs directly to this group.
    pub(crate) fn slot(&self, tag: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.tag() == tag)
    }
}

fn slots(rest: &mut &'static str) -> Vec<Slot> {
    let mut all = Vec::new();
    loop {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('(') {
            *rest = after;
            let mut below = slots(rest).into_iter();
            let trigger = below.next().map_or("", |first| first.tag());
            let slots = below.collect();
            all.push(Slot::Group(Group {
                trigger,
                repeats: star(rest),
                slots,
            }));
        } else if let Some(after) = rest.strip_prefix(')') {
            *rest = after;
            return all;
        } else if let Some((tag, after)) = rest.split_at_checked(3) {
            *rest = after;
            let repeats = star(rest);
            all.push(Slot::Segment { tag, repeats });
        } else {
            return all;
        }
    }
}

fn star(rest: &mut &'static str) -> bool {
    rest.strip_prefix('*')
        .inspect(|after| *rest = after)
        .is_some()
}
