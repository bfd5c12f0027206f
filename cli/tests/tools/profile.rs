//! What is found out about files of which everything is known.

use serde_json::{Value, json as object};

use super::{folder, interplant, italian, json, legacy, written};

fn column<'v>(table: &'v Value, name: &str) -> &'v Value {
    let columns = table["columns"].as_array().unwrap();
    columns
        .iter()
        .find(|column| column["name"] == name)
        .unwrap_or_else(|| panic!("no column {name} in {columns:?}"))
}

fn table(said: &Value) -> &Value {
    &said["files"][0]["tables"][0]
}

#[test]
fn an_italian_extract_is_understood_as_it_is_written() {
    let file = written(&folder("italian"), "ORDACQ_20260402.csv", italian(120));
    let said = json(&["plant", "profile", &file]);
    assert_eq!(
        said["files"][0]["format"],
        object!({"delimited": {"separator": ";", "encoding": "windows-1252", "trailer": {"mark": "FINE", "count": 2}}})
    );
    assert_eq!(said["files"][0]["likely"], object!(["order"]));
    let table = table(&said);
    assert_eq!(table["rows"], 300);
    assert_eq!(table["keys"][0], object!(["N. Ordine", "Riga"]));
    let order = &table["deciding"][0];
    assert_eq!(
        (&order["column"], &order["together"]),
        (&object!("N. Ordine"), &object!(true))
    );
    assert_eq!(
        order["decides"],
        object!([
            "Data Ordine",
            "Cod. Fornitore",
            "Ragione Sociale",
            "Data Consegna"
        ])
    );
    let quantity = column(table, "Q.tà Ordinata");
    assert_eq!(
        quantity["numbers"]["writing"],
        object!({"point": ",", "group": "."})
    );
    assert_eq!(
        (
            &quantity["numbers"]["least"],
            &quantity["numbers"]["greatest"]
        ),
        (&object!("1100.5"), &object!("1400.5"))
    );
    let day = column(table, "Data Ordine");
    assert_eq!(day["days"]["formats"], object!([["%d/%m/%Y", 300]]));
    assert_eq!(
        (&day["days"]["first"], &day["days"]["ambiguous"]),
        (&object!("2026-03-01"), &Value::Null)
    );
    let item = column(table, "Codice Articolo");
    assert_eq!(
        (&item["padded"], &item["padded_to"]),
        (&object!(300), &object!(10))
    );
    let unit = column(table, "U.M.");
    assert_eq!(unit["same_units"], object!([["PZ", "pz"]]));
    for (name, role) in [
        ("N. Ordine", "order-number"),
        ("Cod. Fornitore", "supplier"),
        ("Riga", "line-number"),
        ("Prezzo Unitario", "price"),
        ("Data Consegna", "need-date"),
    ] {
        assert_eq!(column(table, name)["role"], role);
    }
}

#[test]
fn days_that_could_be_months_are_called_ambiguous() {
    let text = "id,day\n1,03/04/2026\n2,05/06/2026\n3,01/02/2026\n";
    let file = written(&folder("ambiguous"), "a.csv", text);
    let said = interplant(&["plant", "profile", &file]);
    assert!(
        said.out
            .contains("day: no row tells %d/%m/%Y from %m/%d/%Y: ask"),
        "{}",
        said.out
    );
    // Another column of the same file tells.
    let text =
        "id,day,end\n1,03/04/2026,03/31/2026\n2,05/06/2026,05/31/2026\n3,01/02/2026,01/31/2026\n";
    let file = written(&folder("settled"), "a.csv", text);
    let said = json(&["plant", "profile", &file]);
    let day = column(table(&said), "day");
    assert_eq!(day["days"]["formats"], object!([["%m/%d/%Y", 3]]));
    assert_eq!(day["days"]["first"], "2026-01-02");
}

#[test]
fn amounts_are_exact_however_long_they_are() {
    let text = "id;amount\n1;12345678901234567,89\n2;0,1\n3;0,30000000000000004\n";
    let file = written(&folder("exact"), "a.csv", text);
    let said = json(&["plant", "profile", &file]);
    let numbers = &column(table(&said), "amount")["numbers"];
    assert_eq!(
        (
            &numbers["least"],
            &numbers["greatest"],
            &numbers["decimals"]
        ),
        (
            &object!("0.1"),
            &object!("12345678901234567.89"),
            &object!(17)
        )
    );
}

#[test]
fn rows_that_are_there_twice_do_not_hide_the_key() {
    let mut text = String::from("receipt;line;item;qty\n");
    for receipt in 0..30 {
        for line in 1..=3 {
            text.push_str(&format!(
                "W{receipt};{line};I{};{}\n",
                (receipt + line) % 9,
                receipt % 4 + 1
            ));
        }
    }
    text.push_str("W3;1;I4;4\nW4;2;I6;1\n");
    let file = written(&folder("twice"), "a.csv", &text);
    let said = json(&["plant", "profile", &file]);
    let table = table(&said);
    assert_eq!(table["repeated_rows"], 2);
    assert_eq!(table["repeated"], object!([[11, 2], [15, 2]]));
    assert!(
        table["keys"]
            .as_array()
            .unwrap()
            .contains(&object!(["receipt", "line"])),
        "{}",
        table["keys"]
    );
    // Two of them do not follow their own any more, and `group_by` would tear them apart.
    let receipt = table["deciding"].as_array().unwrap().iter();
    for deciding in receipt.filter(|deciding| deciding["column"] == "receipt") {
        assert_eq!(deciding["together"], false);
    }
}

#[test]
fn a_key_that_is_broken_by_a_few_rows_is_told_with_them() {
    let mut text = String::from("number,name\n");
    for number in 0..200 {
        text.push_str(&format!(
            "N{},Name {number}\n",
            if number == 150 { 20 } else { number }
        ));
    }
    let file = written(&folder("almost"), "a.csv", &text);
    let said = json(&["plant", "profile", &file]);
    let almost = &table(&said)["almost"][0];
    assert_eq!(
        (&almost["column"], &almost["repeated"], &almost["examples"]),
        (&object!("number"), &object!(1), &object!([["N20", 2, 22]]))
    );
}

fn drafted(file: &str) -> String {
    let draft = format!("{file}.yaml");
    let said = interplant(&["plant", "profile", "--draft", &draft, file]);
    assert!(said.right, "{}", said.error);
    std::fs::read_to_string(draft).unwrap()
}

#[test]
fn a_draft_says_where_rows_of_a_document_disagree_about_it() {
    let mut text = String::from("order;supplier;currency;date;line;item;quantity;unit;price\n");
    for order in 1..30 {
        for line in 1..4 {
            // One order is another supplier's in its second line.
            let supplier = if (order, line) == (7, 2) {
                77
            } else {
                order % 5
            };
            text.push_str(&format!(
                "PO{order};S{supplier};EUR;2026-03-{:02};{line};I{};{order};EA;{line}.50\n",
                order % 20 + 1,
                (order + line) % 11
            ));
        }
    }
    let file = written(&folder("disagree"), "orders.csv", &text);
    let draft = drafted(&file);
    assert!(
        draft.contains(
            "# ! Rows of a document disagree in [\"supplier\"]: such a document is refused."
        ),
        "{draft}"
    );
    assert!(!draft.contains('@'), "{draft}");
    let right = text.replace("S77", "S2");
    let file = written(&folder("agree"), "orders.csv", right);
    let draft = drafted(&file);
    assert!(draft.contains("group_by: [\"order\"]"), "{draft}");
    assert!(
        !draft.contains("disagree") && !draft.contains('@'),
        "{draft}"
    );
}

#[test]
fn an_item_in_several_units_is_told() {
    let text = "order,item,uom,qty\n1,A,EA,5\n1,B,KG,2\n2,A,DZN,1\n2,B,KG,3\n3,C,EA,5\n";
    let file = written(&folder("units"), "a.csv", text);
    let said = json(&["plant", "profile", &file]);
    assert_eq!(
        table(&said)["several_units"],
        object!([{"item": "item", "unit": "uom", "items": 1, "examples": [["A", ["DZN", "EA"]]]}])
    );
}

#[test]
fn more_values_than_are_kept_are_told_and_the_key_is_found_nevertheless() {
    let mut text = String::from("id;kind;again\n");
    for id in 0..230_000 {
        text.push_str(&format!("R{id};{};R{}\n", id % 5, id % 229_999));
    }
    let file = written(&folder("many"), "a.csv", &text);
    let said = json(&["plant", "profile", &file]);
    let table = table(&said);
    let id = column(table, "id");
    assert_eq!(
        (&id["distinct"], &id["gave_up"]),
        (&object!(200_000), &object!(200_001))
    );
    // `again` says one thing twice, 229,999 rows further down.
    let keys = table["keys"].as_array().unwrap();
    assert_eq!(keys[0], object!(["id"]));
    assert!(!keys.contains(&object!(["again"])));
    assert_eq!(column(table, "kind")["distinct"], 5);
}

#[test]
fn rows_that_cannot_be_read_and_words_for_nothing_are_told() {
    let mut text = String::from("id,qty,note\n");
    for id in 0..40 {
        text.push_str(&format!(
            "{id},{},x\n",
            if id % 2 == 0 {
                "NULL".to_owned()
            } else {
                id.to_string()
            }
        ));
    }
    text.push_str("99,1,x,too many\n");
    let file = written(&folder("broken"), "a.csv", &text);
    let said = json(&["plant", "profile", &file]);
    let file = &said["files"][0];
    assert_eq!(file["unread"]["count"], 1);
    assert_eq!(file["unread"]["first"][0]["spot"]["line"], 42);
    let qty = column(&file["tables"][0], "qty");
    assert_eq!(
        (&qty["kind"], &qty["nothing"]),
        (&object!("number"), &object!([["NULL", 20]]))
    );
}

#[test]
fn a_file_of_another_character_set_is_read_by_its_mark() {
    let text = "\u{feff}Bestellung;Menge\r\nB-1;1,5\r\nB-2;2,5\r\n";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let file = written(&folder("utf16"), "a.csv", bytes);
    let said = json(&["plant", "profile", &file]);
    let found = &said["files"][0];
    assert_eq!(
        (
            &found["file"]["encoding"],
            &found["file"]["byte_order_mark"]
        ),
        (&object!("utf-16le"), &object!(true))
    );
    assert_eq!(
        column(table(&said), "Menge")["numbers"]["writing"]["point"],
        ","
    );
}

#[test]
fn interchanges_are_told_by_who_sends_what() {
    let text = "ISA*00*          *00*          *ZZ*ACME           *ZZ*PLANT          *260302*0915*U*00401*000000001*0*P*>~GS*PR*ACME*PLANT*20260302*0915*1*X*004010~ST*855*0001~BAK*00*AC*4711*20260302~SE*3*0001~GE*1*1~";
    let file = written(&folder("edi"), "a.x12", text);
    let said = interplant(&["plant", "profile", &file]);
    assert!(said.right, "{}", said.error);
    for told in [
        "from ZZ:ACME to ZZ:PLANT",
        "855 004010: 1",
        "not whole: 1 ISA, 0 IEA",
    ] {
        assert!(said.out.contains(told), "{told}: {}", said.out);
    }
}

#[test]
fn files_that_plants_should_not_send_are_refused_in_words() {
    let folder = folder("refused");
    for (name, bytes, word) in [
        ("a.pdf", b"%PDF-1.7 ...".as_slice(), "PDF"),
        ("a.xls", &[0xd0, 0xcf, 0x11, 0xe0, 0xa1], ".xlsx"),
        ("a.gz", &[0x1f, 0x8b, 8, 0], "unpack"),
        ("a.csv", b"", "empty"),
    ] {
        let file = written(&folder, name, bytes);
        let said = interplant(&["plant", "profile", &file]);
        assert!(
            !said.right && said.error.contains(word),
            "{name}: {}",
            said.error
        );
    }
}

#[test]
fn whatever_is_in_a_file_nothing_breaks() {
    let folder = folder("hostile");
    let numbers = "7".repeat(28);
    let mut files: Vec<Vec<u8>> = vec![
        b"\n\n\n".to_vec(),
        b";".to_vec(),
        b"a;b\n".to_vec(),
        b"\xff\xfe".to_vec(),
        b"PK\x03\x04 not a workbook".to_vec(),
        b"ISA".to_vec(),
        b"UNA".to_vec(),
        b"UNB+".to_vec(),
        b"<a><b></a>".to_vec(),
        b"{\"a\": [".to_vec(),
        b"[[[[[[".to_vec(),
        b"\"a;b\nc;d\n".to_vec(),
        format!("a;b\n{numbers};-{numbers}\n-{numbers};{numbers}\n").into_bytes(),
        format!("a{}\n", ";x".repeat(5000)).into_bytes(),
    ];
    // A right file with bytes of it changed, the same each time.
    let right = italian(40);
    let mut state = 17_u64;
    for _ in 0..40 {
        let mut bytes = right.clone();
        for _ in 0..6 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).unwrap() % bytes.len();
            bytes[at] = (state >> 24).to_le_bytes()[0];
        }
        bytes.truncate(usize::try_from(state >> 40).unwrap() % right.len() + 1);
        files.push(bytes);
    }
    for (number, bytes) in files.iter().enumerate() {
        let file = written(&folder, &format!("{number}.csv"), bytes);
        let draft = folder.join(format!("{number}.yaml"));
        let said = interplant(&[
            "plant",
            "profile",
            &file,
            "--draft",
            draft.to_str().unwrap(),
        ]);
        assert!(!said.error.contains("panicked"), "{number}: {}", said.error);
        assert!(
            !said.error.contains("fault of ours"),
            "{number}: {}",
            said.error
        );
        assert!(
            said.right || said.error.starts_with("interplant: "),
            "{number}: {}",
            said.error
        );
    }
}

#[test]
fn coverage_of_a_lookup_is_counted() {
    let folder = folder("coverage");
    let file = written(&folder, "a.csv", "id,item\n1,A\n2,B\n3,X\n4,A\n5,X\n6,C\n");
    let codes = written(&folder, "codes.csv", "code;name\nA;a\nB;b\nC;c\nD;d\n");
    let lookup = format!("items={codes}:code");
    let said = json(&["plant", "profile", &file, "--lookup", &lookup]);
    assert_eq!(
        said["files"][0]["lookups"],
        object!([{
            "lookup": "items", "column": "item", "known": 3, "values": 4,
            "unknown_rows": 2, "unknown": [["X", 2]], "unused": 1
        }])
    );
}

#[test]
fn the_tables_of_a_legacy_erp_are_understood_together() {
    let names = [
        "PurchaseOrderHeader.tsv",
        "PurchaseOrderDetail.tsv",
        "Vendor.tsv",
        "Product.tsv",
        "ProductVendor.tsv",
        "BillOfMaterials.tsv",
    ];
    let Some(files) = names
        .map(legacy)
        .into_iter()
        .collect::<Option<Vec<String>>>()
    else {
        return;
    };
    let mut arguments = vec!["plant", "profile"];
    arguments.extend(files.iter().map(String::as_str));
    let said = json(&arguments);
    let tables: Vec<&Value> = (0..names.len())
        .map(|at| &said["files"][at]["tables"][0])
        .collect();
    assert_eq!(
        (&tables[0]["rows"], &tables[0]["keys"]),
        (&object!(2000), &object!([["PurchaseOrderID"]]))
    );
    assert_eq!(tables[1]["keys"][0], object!(["PurchaseOrderDetailID"]));
    let order = &tables[1]["deciding"][0];
    assert_eq!(
        (&order["column"], &order["groups"], &order["decides"]),
        (
            &object!("PurchaseOrderID"),
            &object!(2000),
            &object!(["DueDate", "ModifiedDate"])
        )
    );
    assert_eq!(
        tables[4]["keys"],
        object!([["ProductID", "BusinessEntityID"]])
    );
    // Codes of units have three characters, whatever they say.
    let unit = column(tables[4], "UnitMeasureCode");
    assert_eq!(
        (&unit["padded"], &unit["padded_to"]),
        (&object!(199), &object!(3))
    );
    let between = &said["between"];
    let refers = |from: &str, from_column: &str, to: &str, to_column: &str| {
        let references = between["references"].as_array().unwrap();
        references.iter().any(|reference| {
            reference["from_file"] == from
                && reference["from_column"] == from_column
                && reference["to_file"] == to
                && reference["to_column"] == to_column
        })
    };
    assert!(refers(
        "PurchaseOrderDetail.tsv",
        "PurchaseOrderID",
        "PurchaseOrderHeader.tsv",
        "PurchaseOrderID"
    ));
    assert!(refers(
        "PurchaseOrderHeader.tsv",
        "VendorID",
        "Vendor.tsv",
        "BusinessEntityID"
    ));
    assert!(refers(
        "BillOfMaterials.tsv",
        "ComponentID",
        "Product.tsv",
        "ProductID"
    ));
    assert_eq!(between["items_in_several_units"], 28);
}
