//! Tables for a terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};

/// What came from outside must not steer the terminal.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Characters of a line where there is no terminal, and COLUMNS does not say it.
const WIDTH: u16 = 160;

/// Prints a table; rows that are all empty are left out.
pub fn print<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(heads);
    if table.width().is_none() {
        let columns = std::env::var("COLUMNS").ok();
        let columns = columns.and_then(|columns| columns.parse().ok());
        table.set_width(columns.unwrap_or(WIDTH));
    }
    for row in rows {
        table.add_row(row.map(|cell| clean(&cell)));
    }
    println!("{table}");
}
