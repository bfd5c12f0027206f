//! What a delimited file says of itself: lines before the table, numbers of rows, totals.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod came;

use came::{Came, feed, run};
use interplant_mapping::document::Unread;

const RECEIPTS: &str = r#"
system: wms
document: receipt
files:
  receipts:
    name: "*"
    delimited: { separator: ";", LAYOUT }
    columns: [receipt, order, quantity]
events:
  received:
    type: receipt.posted
    time: '"2026-07-01T08:00:00Z"'
    data:
      receiptNumber: receipt
      poNumber: order
      lines:
        each: $
        fields:
          lineNo: '"1"'
          qtyReceived: $dec(quantity, ",", ".")
"#;

const HEAD: &str = "receipt;order;quantity\n";
const ROWS: &str = "R1;4711;1.000,5\nR2;4711;0,25\n";

fn read(layout: &str, file: &str) -> Result<Came, Unread> {
    let feed = feed(&RECEIPTS.replace("LAYOUT", layout)).unwrap();
    run(&feed, "GR.csv", file.as_bytes())
}

#[test]
fn lines_before_the_table_are_left_out_and_counted() {
    // What stands there may be anything, such as a quote that is never closed.
    let file = format!("Goods \"receipts\nof the day\r\n{HEAD}R1;4711\n{ROWS}");
    let came = read("skip: 2", &file).unwrap();
    assert_eq!(came.all("/data/receiptNumber"), ["R1", "R2"]);
    assert_eq!(came.faults(), [("csv_cells", "GR.csv line 4".to_owned())]);
    assert_eq!(came.made[0].spot.to_string(), "GR.csv line 5");
    let fault = read("skip: 9", HEAD).unwrap_err();
    assert_eq!(fault.code, "csv_columns", "{fault}");
}

#[test]
fn a_total_is_compared_to_the_last_digit() {
    let layout = "trailer: { mark: END, count: 2, total: { cell: 3, column: quantity, point: \",\", group: \".\" } }";
    let file = |trailer: &str| read(layout, &format!("{HEAD}{ROWS}{trailer}"));
    assert_eq!(file("END;2;1.000,75\n\n").unwrap().made.len(), 2);
    for (trailer, code, words) in [
        (
            "END;2;1.000,76\n",
            "file_total",
            "a total of 1000.76 of quantity, 1000.75 came",
        ),
        ("END;2\n", "file_total", "cannot be read"),
        ("END;2;1000.75\n", "file_total", "cannot be read"),
        ("END;3;1.000,75\n", "file_count", "says 3 rows, 2 came"),
        ("", "file_incomplete", "the last line `END` is missing"),
        (
            "END;2;1.000,75\nR3;4711;1\n",
            "file_rest",
            "more after the last line `END`",
        ),
        (
            "R3;4711;x\nEND;3;1.000,75\n",
            "file_total",
            "for line 4 does not count",
        ),
        (
            "R3;4711\nEND;3;1.000,75\n",
            "file_total",
            "for line 4 does not count",
        ),
    ] {
        let fault = file(trailer).unwrap_err();
        assert_eq!(fault.code, code, "{trailer}: {fault}");
        assert!(fault.message.contains(words), "{trailer}: {fault}");
    }
    let other = layout.replace("column: quantity", "column: amount");
    let fault = read(&other, &format!("{HEAD}{ROWS}END;2;1\n")).unwrap_err();
    assert_eq!(fault.code, "csv_columns", "{fault}");
}

#[test]
fn a_first_line_says_how_much_comes_after_it() {
    let layout = "skip: 1, header: { mark: HDR, count: 3, total: { cell: 4, column: quantity, point: \",\", group: \".\" } }";
    let file = |header: &str| read(layout, &format!("printed\n{header}\n{HEAD}{ROWS}"));
    assert_eq!(file("HDR;2026-07-01;2;1.000,75").unwrap().made.len(), 2);
    for (header, code) in [
        ("HDR;2026-07-01;3;1.000,75", "file_count"),
        ("HDR;2026-07-01;2;1.000,5", "file_total"),
        ("HEAD;2026-07-01;2;1.000,75", "file_incomplete"),
    ] {
        let fault = file(header).unwrap_err();
        assert_eq!(fault.code, code, "{header}: {fault}");
    }
    // A first line that says nothing of the rows is only looked for.
    let came = read("header: { mark: HDR }", &format!("HDR\n{HEAD}{ROWS}")).unwrap();
    assert_eq!(came.made.len(), 2);
}
