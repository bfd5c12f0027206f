//! The profile for people.

use super::between::Between;
use super::column::{ColumnReport, Kind};
use super::cover::Coverage;
use super::edi::Interchanges;
use super::key::Keys;
use super::{Profile, Profiles, TableReport};
use crate::table::{clean, print as print_table};

/// Prints profiles.
pub(crate) fn print(profiles: &Profiles) {
    for (index, profile) in profiles.files.iter().enumerate() {
        if index > 0 {
            println!();
        }
        print_file(profile);
    }
    print_between(&profiles.between);
}

fn print_between(between: &Between) {
    if !between.references.is_empty() {
        println!("\nbetween the files");
    }
    for reference in &between.references {
        println!(
            "{} {} refers to {} {}: {} of {} values are there; {} keys are not referred to",
            clean(&reference.from_file),
            clean(&reference.from_column),
            clean(&reference.to_file),
            clean(&reference.to_column),
            reference.known,
            reference.values,
            reference.unused
        );
        if !reference.unknown.is_empty() {
            println!("  not there: {}", listed(&reference.unknown));
        }
    }
    if between.items_in_several_units > 0 {
        println!(
            "{} items come in several units:",
            between.items_in_several_units
        );
        for item in &between.several_units {
            let units = item
                .units
                .iter()
                .map(|(unit, place)| format!("{unit} ({place})"));
            println!(
                "  {}",
                clean(&format!(
                    "{} in {}",
                    item.item,
                    units.collect::<Vec<_>>().join(", ")
                ))
            );
        }
    }
}

fn print_file(profile: &Profile) {
    let file = &profile.file;
    let mark = if file.byte_order_mark {
        ", byte order mark"
    } else {
        ""
    };
    let encoding = file.encoding.unwrap_or("a workbook");
    let ends = if file.line_ends.is_empty() {
        String::new()
    } else {
        format!(", lines end with {}", file.line_ends)
    };
    println!(
        "{}: {} bytes, {encoding}{mark}{ends}",
        clean(&file.name),
        file.bytes
    );
    if let Some(format) = &profile.format {
        println!("written as: {}", clean(&format.to_string()));
    }
    if !file.words.is_empty() {
        println!(
            "words beyond ASCII, as they are read: {}",
            clean(&file.words.join(", "))
        );
    }
    for note in &profile.notes {
        println!("note: {}", clean(note));
    }
    if let Some(interchanges) = &profile.interchanges {
        print_interchanges(interchanges);
    }
    if profile.unread.count > 0 {
        println!("rows that cannot be read: {}", profile.unread.count);
        for unread in &profile.unread.first {
            println!("  {}: {}", unread.code, clean(&unread.to_string()));
        }
    }
    for table in &profile.tables {
        table_report(table);
    }
    for coverage in &profile.lookups {
        print_coverage(coverage);
    }
    let likely: Vec<&str> = profile.likely.iter().map(|likely| likely.words()).collect();
    if !likely.is_empty() {
        println!("it is probably about {}", likely.join(", or about "));
    }
}

fn print_interchanges(all: &Interchanges) {
    let separators: Vec<String> = all
        .separators
        .iter()
        .map(|(what, sign)| format!("{what} {sign}"))
        .collect();
    let test = if all.test { ", marked as a test" } else { "" };
    println!(
        "interchanges: {}{test}; {}",
        all.interchanges,
        separators.join(", ")
    );
    for (sender, receiver) in &all.parties {
        println!("  from {} to {}", clean(sender), clean(receiver));
    }
    for (kind, version, count) in &all.messages {
        println!("  {} {}: {count}", clean(kind), clean(version));
    }
    let segments: Vec<String> = all
        .segments
        .iter()
        .map(|(tag, count)| format!("{tag} {count}"))
        .collect();
    println!("  segments: {}", segments.join(", "));
    for wrong in &all.unbalanced {
        println!("  not whole: {wrong}");
    }
}

fn table_report(table: &TableReport) {
    let of = if table.path.is_empty() {
        String::new()
    } else {
        format!("{}: ", clean(&table.path))
    };
    println!("\n{of}{} rows, {} columns", table.rows, table.columns.len());
    if table.repeated_rows > 0 {
        let lines: Vec<String> = table
            .repeated
            .iter()
            .map(|(line, rows)| format!("line {line} ({rows} times)"))
            .collect();
        println!(
            "rows that repeat another one as a whole: {}; {}",
            table.repeated_rows,
            lines.join(", ")
        );
    }
    let rows = table.columns.iter().map(|column| {
        let distinct = match column.gave_up {
            Some(row) => format!("more than {} (gave up in row {row})", column.distinct),
            None => column.distinct.to_string(),
        };
        [
            column.name.clone(),
            column.kind.word().to_owned(),
            percent(column.filled, table.rows),
            distinct,
            column
                .role
                .map(|role| words(role).to_owned())
                .unwrap_or_default(),
            said(column),
        ]
    });
    print_table(
        [
            "column",
            "is a",
            "filled",
            "different",
            "about ?",
            "what it says",
        ],
        rows,
    );
    for remark in table.columns.iter().flat_map(column_remarks) {
        println!("  {remark}");
    }
    keys(&table.keys);
}

/// A share of rows; never rounded to all or none.
fn percent(part: u64, whole: u64) -> String {
    if part == whole {
        return "all".to_owned();
    }
    if part == 0 {
        return "none".to_owned();
    }
    let percent = (part.saturating_mul(100) / whole.max(1)).clamp(1, 99);
    format!("{percent} %")
}

/// A role in words.
fn words(role: super::role::Role) -> String {
    serde_json::to_value(role)
        .ok()
        .and_then(|value| value.as_str().map(|text| text.replace('-', " ")))
        .unwrap_or_default()
}

fn said(column: &ColumnReport) -> String {
    let values = |most: usize| {
        let all: Vec<String> = column
            .values
            .iter()
            .take(most)
            .map(|(value, rows)| format!("{} ({rows})", short(value)))
            .collect();
        let more = if column.values.len() > most || !column.all_values {
            ", …"
        } else {
            ""
        };
        format!("{}{more}", all.join(", "))
    };
    match column.kind {
        Kind::Blank => String::new(),
        Kind::Constant => column
            .values
            .first()
            .map(|(value, _)| short(value))
            .unwrap_or_default(),
        Kind::Number => column.numbers.as_ref().map(numbers).unwrap_or_default(),
        Kind::Day | Kind::Moment => column.days.as_ref().map(days).unwrap_or_default(),
        Kind::Unit => {
            let units = column
                .units
                .iter()
                .flatten()
                .map(|unit| match unit.meaning {
                    Some(meaning) => format!("{} {meaning} ({})", unit.written, unit.rows),
                    None => format!("{} not known ({})", unit.written, unit.rows),
                });
            units.collect::<Vec<_>>().join(", ")
        }
        Kind::Code => values(12),
        Kind::Text => format!(
            "{} to {} characters; {}",
            column.shortest,
            column.longest,
            values(3)
        ),
    }
}

fn numbers(numbers: &super::number::Numbers) -> String {
    let mut said = format!("{} to {}", numbers.least, numbers.greatest);
    if numbers.decimals > 0 {
        said.push_str(&format!(", {} decimals", numbers.decimals));
    }
    if let Some(writing) = numbers.writing {
        if numbers.decimals > 0 {
            said.push_str(&format!(" behind `{}`", writing.point));
        } else if !numbers.whole {
            said.push_str(&format!(", written with `{}0`", writing.point));
        }
        if let Some(group) = writing.group {
            said.push_str(&format!(", `{group}` between thousands"));
        }
    }
    if numbers.negative > 0 {
        said.push_str(&format!(", {} below zero", numbers.negative));
    }
    if numbers.zero > 0 {
        said.push_str(&format!(", {} zero", numbers.zero));
    }
    said
}

fn days(days: &super::day::Days) -> String {
    let formats: Vec<String> = days
        .formats
        .iter()
        .map(|(format, rows)| {
            if days.formats.len() > 1 {
                format!("{format} ({rows})")
            } else {
                format.clone()
            }
        })
        .collect();
    format!("{}, {} to {}", formats.join(", "), days.first, days.last)
}

fn short(value: &str) -> String {
    let mut short: String = value.chars().take(28).collect();
    if value.chars().nth(28).is_some() {
        short.push('…');
    }
    short
}

fn listed(values: &[(String, u64)]) -> String {
    let all = values
        .iter()
        .map(|(value, rows)| format!("{} ({rows})", short(value)));
    clean(&all.collect::<Vec<_>>().join(", "))
}

/// What a person should know of a file and its columns.
pub(crate) fn remarks(profile: &Profile) -> Vec<String> {
    let mut all = Vec::new();
    let file = &profile.file;
    if let Some(encoding) = file.encoding.filter(|encoding| *encoding != "utf-8") {
        all.push(format!("the character set is {encoding}"));
    }
    all.extend(profile.notes.iter().map(|note| clean(note)));
    for table in &profile.tables {
        if table.repeated_rows > 0 {
            all.push(format!(
                "{} rows repeat another one as a whole",
                table.repeated_rows
            ));
        }
        all.extend(table.columns.iter().flat_map(column_remarks));
        for several in &table.keys.several_units {
            all.push(format!(
                "{} {} come in several units",
                several.items,
                clean(&several.item)
            ));
        }
    }
    all
}

/// What a person should look at.
fn column_remarks(column: &ColumnReport) -> Vec<String> {
    let mut all = Vec::new();
    let name = clean(&column.name);
    if column.padded > 0 {
        let to = column
            .padded_to
            .map_or_else(String::new, |width| format!(", to {width} characters"));
        all.push(format!(
            "{name}: {} rows are filled up with blanks{to}; feeds leave them out",
            column.padded
        ));
    }
    if column.only_blanks > 0 {
        all.push(format!(
            "{name}: {} rows have nothing but blanks; that is blank for feeds",
            column.only_blanks
        ));
    }
    for (word, rows) in &column.nothing {
        all.push(format!(
            "{name}: {rows} rows say {word}, which is text for feeds: leave it out by a condition"
        ));
    }
    if column.written_once {
        all.push(format!(
            "{name}: written once, and left blank in the rows below"
        ));
    }
    if let Some(numbers) = &column.numbers {
        if numbers.ambiguous {
            all.push(format!("{name}: nothing shows whether `.` and `,` stand before decimals or between thousands: ask"));
        }
        if numbers.sign_behind > 0 {
            all.push(format!(
                "{name}: {} rows have the sign behind; $dec reads that",
                numbers.sign_behind
            ));
        }
        if !numbers.strays.is_empty() {
            all.push(format!("{name}: not numbers: {}", listed(&numbers.strays)));
        }
        if !numbers.outliers.is_empty() {
            let far: Vec<String> = numbers
                .outliers
                .iter()
                .map(|(value, rows, line)| {
                    format!(
                        "{value} (line {line}{})",
                        if *rows > 1 {
                            format!(", {rows} rows")
                        } else {
                            String::new()
                        }
                    )
                })
                .collect();
            all.push(format!(
                "{name}: {} rows are far from the others: {}",
                numbers.outlier_rows,
                clean(&far.join(", "))
            ));
        }
    }
    if let Some(days) = &column.days {
        if let Some(other) = &days.ambiguous {
            all.push(format!(
                "{name}: no row tells {} from {other}: ask",
                days.format()
            ));
        }
        if days.formats.len() > 1 {
            all.push(format!(
                "{name}: days are written in {} ways",
                days.formats.len()
            ));
        }
        if !days.strays.is_empty() {
            all.push(format!("{name}: not days: {}", listed(&days.strays)));
        }
        if !days.open_ended.is_empty() {
            all.push(format!(
                "{name}: days that hardly mean one: {}",
                listed(&days.open_ended)
            ));
        }
    }
    for unit in column.units.iter().flatten() {
        if let Some(beware) = unit.beware {
            all.push(format!("{name}: {} is {beware}", clean(&unit.written)));
        }
    }
    for same in &column.same_units {
        all.push(format!(
            "{name}: {} mean one unit",
            clean(&same.join(" and "))
        ));
    }
    all
}

fn keys(keys: &Keys) {
    for key in &keys.keys {
        println!("key: {}", clean(&key.join(" and ")));
    }
    for almost in &keys.almost {
        let examples: Vec<String> = almost
            .examples
            .iter()
            .map(|(value, rows, line)| {
                format!("{} ({rows} times, first in line {line})", short(value))
            })
            .collect();
        println!(
            "almost a key: {}, but for {} rows: {}",
            clean(&almost.column),
            almost.repeated,
            clean(&examples.join(", "))
        );
    }
    for deciding in &keys.deciding {
        let together = if deciding.together {
            "its rows follow each other"
        } else {
            "its rows do not all follow each other"
        };
        println!(
            "{} ({} different, at most {} rows each; {together}) decides {}",
            clean(&deciding.column),
            deciding.groups,
            deciding.most_rows,
            clean(&deciding.decides.join(", "))
        );
        if !deciding.beside.is_empty() {
            println!("  beside it differ {}", clean(&deciding.beside.join(", ")));
        }
    }
    for several in &keys.several_units {
        let examples: Vec<String> = several
            .examples
            .iter()
            .map(|(item, units)| format!("{item} in {}", units.join(" and ")))
            .collect();
        println!(
            "{} {} come in several units ({}): {}",
            several.items,
            clean(&several.item),
            clean(&several.unit),
            clean(&examples.join(", "))
        );
    }
    for not in &keys.not_told {
        println!("not looked at: {}", clean(not));
    }
}

fn print_coverage(coverage: &Coverage) {
    println!(
        "lookup {} knows {} of {} values of {}; {} of its codes are not in the file",
        coverage.lookup,
        coverage.known,
        coverage.values,
        clean(&coverage.column),
        coverage.unused
    );
    if coverage.unknown_rows > 0 {
        println!(
            "  it does not know {} ({} rows)",
            listed(&coverage.unknown),
            coverage.unknown_rows
        );
    }
}
