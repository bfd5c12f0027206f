//! What people write as a reason is kept for good, so nothing may be in it that must not be.

/// Longest reason that is kept.
const LONGEST: usize = 500;
/// As many digits together are taken for an account, a card or a tax number.
const SECRET_DIGITS: usize = 8;
/// As many of the last characters stay, so that people can still tell two of them apart.
const SHOWN: usize = 4;

/// The text, shortened, and with every run that may be an account masked but for its last four characters.
/// Letters, digits, single blanks and hyphens make one run as long as each of its parts has digits in it.
///
/// ```
/// use interplant_domain::audit::masked;
/// assert_eq!(masked("agreed, pay to DE89 3704 0044 0532 0130 00"), "agreed, pay to …3000");
/// assert_eq!(masked("agreed at 38.50 for RE-1042"), "agreed at 38.50 for RE-1042");
/// ```
#[must_use]
pub fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    let mut separator: Option<char> = None;
    for part in parts(text) {
        let has_digit = part.chars().any(|c| c.is_ascii_digit());
        let is_separator = matches!(part, " " | "-");
        if has_digit {
            run.extend(separator.take());
            run.push_str(part);
        } else if is_separator && !run.is_empty() && separator.is_none() {
            separator = part.chars().next();
        } else {
            end(&mut out, &mut run);
            out.extend(separator.take());
            out.push_str(part);
        }
    }
    end(&mut out, &mut run);
    out.extend(separator);
    if out.chars().count() > LONGEST {
        out = out.chars().take(LONGEST - 1).collect();
        out.push('…');
    }
    out
}

/// Words of letters and digits, and every other character by itself.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(rest.len());
        let length = if word == 0 { first.len_utf8() } else { word };
        let (part, after) = rest.split_at(length);
        parts.push(part);
        rest = after;
    }
    parts
}

fn end(out: &mut String, run: &mut String) {
    let digits = run.chars().filter(char::is_ascii_digit).count();
    if digits < SECRET_DIGITS {
        out.push_str(run);
    } else {
        let kept: Vec<char> = run.chars().filter(|c| c.is_alphanumeric()).collect();
        out.push('…');
        out.extend(kept.iter().skip(kept.len().saturating_sub(SHOWN)));
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_an_account_is_masked_wherever_it_stands() {
        for (text, shown) in [
            ("DE89370400440532013000", "…3000"),
            ("account 12-345-678 is new", "account …5678 is new"),
            (
                "it is 1234567890, and GB29 NWBK 6016 1331 9268 19.",
                "it is …7890, and GB29 NWBK …6819.",
            ),
            (
                "goods 12 of 40, price 38.2935",
                "goods 12 of 40, price 38.2935",
            ),
            ("", ""),
            ("12345678", "…5678"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn a_long_reason_is_shortened() {
        assert_eq!(masked(&"word ".repeat(500)).chars().count(), LONGEST);
    }
}
