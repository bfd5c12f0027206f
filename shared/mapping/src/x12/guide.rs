//! What a transaction set is made of: segments in their order, and loops of them.

/// A transaction set as its guide describes it.
#[derive(Debug)]
pub(crate) struct Guide {
    /// The kind, such as `850`.
    pub(crate) kind: &'static str,
    /// Groups that it may stand in: GS01.
    pub(crate) group: &'static str,
    /// The segment that CTT01 counts.
    pub(crate) counted: Option<&'static str>,
    pub(crate) nodes: Vec<Node>,
}

/// A segment in its place, or the segment that begins a loop.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: &'static str,
    pub(crate) mandatory: bool,
    /// Whether it may repeat: then it is always a list.
    pub(crate) many: bool,
    /// What belongs to the loop that it begins.
    pub(crate) members: Option<Vec<Self>>,
}

impl Guide {
    /// Whether the guide has such a segment anywhere.
    pub(crate) fn knows(&self, id: &str) -> bool {
        fn within(nodes: &[Node], id: &str) -> bool {
            nodes.iter().any(|node| {
                node.id == id || node.members.as_ref().is_some_and(|below| within(below, id))
            })
        }
        within(&self.nodes, id)
    }
}

/// Reads the notation of the tables: `BEG!` must be there, `REF*` may repeat, `SAC*{ CUR }` is a loop.
pub(crate) fn nodes(notation: &'static str) -> Vec<Node> {
    let mut open: Vec<Vec<Node>> = Vec::new();
    let mut nodes = Vec::new();
    for word in notation.split_whitespace() {
        if word == "}" {
            let members = std::mem::replace(&mut nodes, open.pop().unwrap_or_default());
            if let Some(node) = nodes.last_mut() {
                node.members = Some(members);
            }
            continue;
        }
        let (name, begins_loop) = match word.strip_suffix('{') {
            Some(name) => (name, true),
            None => (word, false),
        };
        let id = name.trim_end_matches(['!', '*']);
        let marks = name.get(id.len()..).unwrap_or_default();
        nodes.push(Node {
            id,
            mandatory: marks.contains('!'),
            many: marks.contains('*'),
            members: None,
        });
        if begins_loop {
            open.push(std::mem::take(&mut nodes));
        }
    }
    nodes
}
