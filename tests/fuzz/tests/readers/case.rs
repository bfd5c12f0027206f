//! A case of what a fuzzer gives: its bytes as they are, or a valid sample with faults that the bytes choose.
//!
//! Random bytes alone end at the first line of every format. An engine that is guided by coverage starts from the
//! samples as they are, and works on both.

/// What a case is made of.
pub(crate) struct Stock<'s> {
    /// Valid files.
    pub(crate) samples: &'s [&'s [u8]],
    /// What the format is written with.
    pub(crate) words: &'s [&'s str],
}

/// A case is no larger, so that many of them can be run.
const LARGEST: usize = 4096;
/// First bytes below this: what follows is the case.
const PLAIN: u8 = 16;

/// Takes choices from bytes; zeros when they are used up.
struct Choices<'b>(&'b [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn below(&mut self, end: usize) -> usize {
        let number = usize::from(self.byte()) << 8 | usize::from(self.byte());
        number % end.max(1)
    }

    fn range(&mut self, length: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let end = start + self.below(most) + 1;
        start..end.min(length)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let one = usize::from(self.byte()).checked_rem(all.len())?;
        all.get(one).copied()
    }
}

/// The case that these bytes mean.
pub(crate) fn case(bytes: &[u8], stock: &Stock<'_>) -> Vec<u8> {
    let mut choices = Choices(bytes);
    let first = choices.byte();
    if first < PLAIN {
        return choices.0.to_vec();
    }
    let which = usize::from(first) % stock.samples.len().max(1);
    let mut case = stock
        .samples
        .get(which)
        .map(|one| one.to_vec())
        .unwrap_or_default();
    let mut faults = 0;
    while !choices.0.is_empty() && faults < 8 {
        faults += 1;
        fault(&mut case, &mut choices, stock);
        case.truncate(LARGEST);
    }
    case
}

fn fault(case: &mut Vec<u8>, choices: &mut Choices<'_>, stock: &Stock<'_>) {
    let length = case.len();
    match choices.byte() % 12 {
        0 => {
            let at = choices.below(length);
            let bit = 1 << (choices.byte() % 8);
            case.get_mut(at).into_iter().for_each(|byte| *byte ^= bit);
        }
        1 => {
            let (at, new) = (choices.below(length), choices.byte());
            case.get_mut(at).into_iter().for_each(|byte| *byte = new);
        }
        2 => {
            let range = choices.range(length, 40);
            case.drain(range);
        }
        3 => case.truncate(choices.below(length + 1)),
        4 | 5 => {
            let at = choices.below(length + 1);
            let word = choices.of(stock.words).unwrap_or_default();
            case.splice(at..at, word.bytes());
        }
        6 => {
            let range = choices.range(length, 8);
            let word = choices.of(stock.words).unwrap_or_default();
            case.splice(range, word.bytes());
        }
        7 => {
            let range = choices.range(length, 120);
            let part = case.get(range).unwrap_or_default().to_vec();
            let at = choices.below(length + 1);
            case.splice(at..at, part);
        }
        8 => {
            let other = choices.of(stock.samples).unwrap_or_default();
            let range = choices.range(other.len(), 400);
            let part = other.get(range).unwrap_or_default().to_vec();
            let at = choices.below(length + 1);
            case.splice(at..at, part);
        }
        9 => {
            let at = choices.below(length + 1);
            let new: Vec<u8> = (0..choices.byte() % 6).map(|_| choices.byte()).collect();
            case.splice(at..at, new);
        }
        10 => {
            // Numbers are where counts, lengths and positions are.
            let digits: Vec<usize> = (0..length)
                .filter(|at| case.get(*at).is_some_and(u8::is_ascii_digit))
                .collect();
            let (at, new) = (choices.of(&digits), b'0' + choices.byte() % 10);
            let digit = at.and_then(|at| case.get_mut(at));
            digit.into_iter().for_each(|digit| *digit = new);
        }
        _ => {
            // Deep nesting and long cells are something many times over.
            let at = choices.below(length + 1);
            let times = usize::from(choices.byte());
            let word = choices.of(stock.words).unwrap_or_default();
            case.splice(at..at, word.repeat(times).into_bytes());
        }
    }
}
