//! How numbers are written: which sign stands before decimals, which between thousands.

use std::collections::BTreeMap;

use interplant_mapping::extract;
use rust_decimal::Decimal;
use serde::Serialize;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Writing {
    /// What stands before the decimals.
    pub(crate) point: char,
    /// What stands between thousands.
    pub(crate) group: Option<char>,
}

const BLANK: char = ' ';
const HARD_BLANK: char = '\u{a0}';
const NARROW_BLANK: char = '\u{202f}';

/// All of them; of two that fit alike the first is taken.
const WRITINGS: [Writing; 12] = [
    writing('.', None),
    writing(',', None),
    writing('.', Some(',')),
    writing(',', Some('.')),
    writing('.', Some(BLANK)),
    writing(',', Some(BLANK)),
    writing('.', Some('\'')),
    writing(',', Some('\'')),
    writing('.', Some(HARD_BLANK)),
    writing(',', Some(HARD_BLANK)),
    writing('.', Some(NARROW_BLANK)),
    writing(',', Some(NARROW_BLANK)),
];

const fn writing(point: char, group: Option<char>) -> Writing {
    Writing { point, group }
}

/// A set of [`WRITINGS`].
type Mask = u16;
const ALL: Mask = (1 << WRITINGS.len()) - 1;

/// The numbers of a column.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Numbers {
    /// How they are written.
    pub(crate) writing: Option<Writing>,
    /// Whether all of them could as well be read with another point, as other numbers.
    pub(crate) ambiguous: bool,
    /// Whether one has something between thousands.
    pub(crate) grouped: bool,
    /// Whether none has decimals.
    pub(crate) whole: bool,
    /// The most decimals.
    pub(crate) decimals: u32,
    /// The least.
    pub(crate) least: Decimal,
    /// The greatest.
    pub(crate) greatest: Decimal,
    /// Rows below zero.
    pub(crate) negative: u64,
    /// Rows that are zero.
    pub(crate) zero: u64,
    /// Rows with the sign behind.
    pub(crate) sign_behind: u64,
    /// Whether one begins with a zero that says nothing of its value: then they are codes.
    pub(crate) leading_zeros: bool,
    /// Values that are no numbers, with their rows.
    pub(crate) strays: Vec<(String, u64)>,
    /// Values far from the others: value, rows, first line.
    pub(crate) outliers: Vec<(String, u64, u64)>,
    /// How many rows have such a value.
    pub(crate) outlier_rows: u64,
}

/// A value with its rows and its first line.
pub(crate) type Value<'v> = (&'v str, u64, u64);

/// Which writings a text is a number in.
fn fits(text: &str) -> Mask {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let bare = bare.strip_suffix('-').unwrap_or(bare);
    if !bare.starts_with(|c: char| c.is_ascii_digit()) || bare.len() > 40 {
        return 0;
    }
    if bare.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than an exact number has are a code.
        return if bare.len() <= 28 { ALL } else { 0 };
    }
    let is_sign =
        |c: char| c.is_ascii_digit() || ".,' ".contains(c) || c == HARD_BLANK || c == NARROW_BLANK;
    if !bare.chars().all(is_sign) {
        return 0;
    }
    let mut mask = 0;
    for (bit, writing) in WRITINGS.iter().enumerate() {
        if extract::decimal(text, writing.point, writing.group).is_ok() {
            mask |= 1 << bit;
        }
    }
    mask
}

/// How a file's numbers are written, as far as columns say so beyond doubt.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Points {
    dot: u64,
    comma: u64,
    /// What stands between thousands, behind each of the two.
    dot_group: Option<char>,
    comma_group: Option<char>,
}

impl Points {
    fn says(self) -> Option<Writing> {
        match (self.dot, self.comma) {
            (0, 0) => None,
            (dot, comma) if dot >= comma => Some(writing('.', self.dot_group)),
            _ => Some(writing(',', self.comma_group)),
        }
    }

    /// Notes what a column says beyond doubt.
    pub(crate) fn note(&mut self, numbers: &Numbers) {
        if let Some(writing) = numbers.writing.filter(|_| !numbers.ambiguous) {
            let tells = !numbers.whole || numbers.grouped;
            let (count, group) = if writing.point == '.' {
                (&mut self.dot, &mut self.dot_group)
            } else {
                (&mut self.comma, &mut self.comma_group)
            };
            *count += u64::from(tells);
            *group = group.or(writing.group.filter(|_| numbers.grouped));
        }
    }
}

/// The numbers of a column; nothing when it has none.
///
/// A few strays are told apart: up to a twentieth of the rows.
pub(crate) fn numbers(values: &[Value<'_>], points: Points) -> Option<Numbers> {
    let masks: Vec<Mask> = values.iter().map(|(text, ..)| fits(text)).collect();
    let mut rows_of: BTreeMap<Mask, u64> = BTreeMap::new();
    let mut rows = 0;
    for ((_, count, _), mask) in values.iter().zip(&masks) {
        *rows_of.entry(*mask).or_default() += count;
        rows += count;
    }
    let fit = |bit: usize| -> u64 {
        let of = rows_of.iter().filter(|(mask, _)| *mask & (1 << bit) != 0);
        of.map(|(_, rows)| rows).sum()
    };
    let best = (0..WRITINGS.len()).map(fit).max().unwrap_or_default();
    if best == 0 || best.saturating_mul(20) < rows.saturating_mul(19) {
        return None;
    }
    let fitting: Vec<(usize, Writing)> = WRITINGS
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| fit(*bit) == best)
        .collect();
    let separated = values
        .iter()
        .zip(&masks)
        .any(|((text, ..), mask)| *mask != 0 && text.contains(['.', ',']));
    let has = |point: char| fitting.iter().any(|(_, writing)| writing.point == point);
    let mut ambiguous = separated && has('.') && has(',');
    // Whole numbers of a file that writes `1.234,50` somewhere: another day one of them may be 1.234.
    let said = points.says();
    let wanted = said.filter(|said| has(said.point)).map(|said| said.point);
    ambiguous &= wanted.is_none();
    let of_file = |(_, writing): &&(usize, Writing)| Some(*writing) == said;
    let of_point =
        |(_, writing): &&(usize, Writing)| wanted.is_none_or(|point| writing.point == point);
    let (bit, writing) = *fitting
        .iter()
        .find(of_file)
        .or_else(|| fitting.iter().find(of_point))
        .or(fitting.first())?;
    let mut all = Numbers {
        writing: Some(writing),
        ambiguous,
        whole: true,
        ..Numbers::default()
    };
    let mut read: Vec<(Decimal, usize)> = Vec::new();
    for (index, ((text, count, _), mask)) in values.iter().zip(&masks).enumerate() {
        let number = extract::decimal(text, writing.point, writing.group)
            .ok()
            .filter(|_| mask & (1 << bit) != 0);
        let Some(number) = number else {
            if all.strays.len() < 5 {
                all.strays.push(((*text).to_owned(), *count));
            }
            continue;
        };
        all.note(text, *count, number, writing);
        read.push((number, index));
    }
    read.sort_unstable();
    all.least = read.first().map(|(number, _)| *number).unwrap_or_default();
    all.greatest = read.last().map(|(number, _)| *number).unwrap_or_default();
    all.find_outliers(&read, values);
    Some(all)
}

impl Numbers {
    fn note(&mut self, text: &str, count: u64, number: Decimal, writing: Writing) {
        self.decimals = self.decimals.max(number.scale());
        self.whole &= !text.contains(writing.point);
        self.grouped |= writing.group.is_some_and(|group| text.contains(group));
        if number.is_zero() {
            self.zero += count;
        } else if number.is_sign_negative() {
            self.negative += count;
        }
        if text.ends_with('-') {
            self.sign_behind += count;
        }
        let digits = text.trim_start_matches(['-', '+']).as_bytes();
        if let [b'0', next, ..] = digits {
            self.leading_zeros |= next.is_ascii_digit();
        }
    }

    /// Values that are further from the middle half of all rows than three times its width.
    fn find_outliers(&mut self, sorted: &[(Decimal, usize)], values: &[Value<'_>]) {
        let count_of = |index: usize| values.get(index).map_or(0, |(_, count, _)| *count);
        let rows: u64 = sorted.iter().map(|(_, index)| count_of(*index)).sum();
        // Of a handful nothing can be said.
        if rows < 20 {
            return;
        }
        let at = |quarter: u64| {
            let mut before = 0;
            sorted.iter().find_map(|(number, index)| {
                before += count_of(*index);
                (before.saturating_mul(4) >= rows.saturating_mul(quarter)).then_some(*number)
            })
        };
        let (Some(low), Some(high)) = (at(1), at(3)) else {
            return;
        };
        // Where half of all rows say the same, every other value would be far.
        let fence = high
            .checked_sub(low)
            .and_then(|width| width.checked_mul(Decimal::from(3)))
            .filter(|fence| !fence.is_zero());
        let bounds =
            fence.and_then(|fence| Some((low.checked_sub(fence)?, high.checked_add(fence)?)));
        // Of numbers that long nothing is far.
        let Some((below, above)) = bounds else { return };
        let mut outside: Vec<(Decimal, usize)> = sorted
            .iter()
            .copied()
            .filter(|(number, _)| *number < below || *number > above)
            .collect();
        self.outlier_rows = outside.iter().map(|(_, index)| count_of(*index)).sum();
        let distance = |number: Decimal| {
            let above = number.checked_sub(high).unwrap_or(Decimal::MAX);
            above.max(low.checked_sub(number).unwrap_or(Decimal::MAX))
        };
        outside.sort_by_key(|(number, _)| std::cmp::Reverse(distance(*number)));
        let told = outside.iter().take(5);
        self.outliers = told
            .filter_map(|(_, index)| values.get(*index))
            .map(|(text, count, line)| ((*text).to_owned(), *count, *line))
            .collect();
    }

    /// Whether it is a quantity or an amount rather than a number by which something is called.
    pub(crate) fn has_decimals(&self) -> bool {
        !self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Option<Numbers> {
        let values: Vec<Value<'_>> = texts.iter().map(|text| (*text, 1, 2)).collect();
        numbers(&values, Points::default())
    }

    fn written(texts: &[&str]) -> Option<(char, Option<char>, bool)> {
        let numbers = of(texts)?;
        let writing = numbers.writing?;
        Some((writing.point, writing.group, numbers.ambiguous))
    }

    #[test]
    fn the_writing_is_told_by_the_values_or_is_ambiguous() {
        assert_eq!(written(&["1,5", "12,25"]), Some((',', None, false)));
        assert_eq!(
            written(&["1.234,50", "7,00"]),
            Some((',', Some('.'), false))
        );
        assert_eq!(
            written(&["1,234.50", "7.00"]),
            Some(('.', Some(','), false))
        );
        assert_eq!(written(&["1 234,5", "7,0"]), Some((',', Some(' '), false)));
        assert_eq!(
            written(&["1'234.5", "1.25"]),
            Some(('.', Some('\''), false))
        );
        assert_eq!(written(&["1.234", "5.678"]), Some(('.', None, true)));
        assert_eq!(written(&["1", "20"]), Some(('.', None, false)));
        assert_eq!(written(&["A1", "20"]), None);
        assert_eq!(written(&["10", "1/2"]), None);
    }

    #[test]
    fn what_another_column_says_settles_an_ambiguous_one() {
        let mut points = Points::default();
        points.note(&of(&["0,5", "1,25"]).unwrap());
        let numbers = numbers(&[("1.234", 3, 2)], points).unwrap();
        assert!(!numbers.ambiguous);
        assert_eq!(numbers.greatest, Decimal::from(1234));
    }

    #[test]
    fn whole_numbers_are_written_as_the_file_writes_others() {
        let mut points = Points::default();
        points.note(&of(&["1.234,50", "7,25"]).unwrap());
        let numbers = numbers(&[("12", 3, 2)], points).unwrap();
        assert_eq!(numbers.writing, Some(writing(',', Some('.'))));
    }

    #[test]
    fn a_value_far_from_the_others_is_told_with_its_line() {
        let texts: Vec<String> = (0..40).map(|n| (n % 10 + 1).to_string()).collect();
        let mut values: Vec<Value<'_>> = texts.iter().map(|text| (text.as_str(), 1, 2)).collect();
        values.push(("100000", 1, 77));
        let numbers = numbers(&values, Points::default()).unwrap();
        assert_eq!(numbers.outliers, [("100000".to_owned(), 1, 77)]);
    }

    #[test]
    fn numbers_as_long_as_they_can_be_are_only_compared() {
        let longest = "7".repeat(28);
        let negative = format!("-{longest}");
        let texts: Vec<&str> = (0..40)
            .map(|n| {
                if n % 2 == 0 {
                    longest.as_str()
                } else {
                    negative.as_str()
                }
            })
            .collect();
        let numbers = of(&texts).unwrap();
        assert_eq!((numbers.negative, numbers.outliers.len()), (20, 0));
    }

    #[test]
    fn zeros_in_front_make_a_code_and_a_few_strays_are_told() {
        assert!(of(&["007", "008"]).unwrap().leading_zeros);
        assert!(!of(&["0.5", "0"]).unwrap().leading_zeros);
        let mut texts = vec!["5"; 30];
        texts.push("n/a");
        assert_eq!(of(&texts).unwrap().strays, [("n/a".to_owned(), 1)]);
    }
}
