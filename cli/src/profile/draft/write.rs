//! The text of a drafted feed.

use serde_json::Value;

use super::super::column::{ColumnReport, Kind};
use super::super::role::{Likely, Role};
use super::super::{Profiles, TableReport};
use super::{DraftFile, Known, amount, day, path, pattern, quoted, scalar};
use crate::table::clean;

/// A column, and how an expression names it.
type Found<'p> = Option<(&'p ColumnReport, String)>;

/// Writes a feed.
pub(super) struct Writer<'p> {
    profiles: &'p Profiles,
    known: &'p Known<'p>,
    files: Vec<DraftFile>,
    /// What a document says once.
    header: &'p TableReport,
    /// Its lines: the same rows in a table.
    lines: &'p TableReport,
    /// Whether documents are trees, whose parts have paths.
    is_tree: bool,
    /// Whether several rows are one document.
    is_grouped: bool,
    text: String,
    missing: Vec<&'static str>,
}

fn as_is(_: &ColumnReport, path: &str) -> String {
    path.to_owned()
}

impl<'p> Writer<'p> {
    pub(super) fn new(
        profiles: &'p Profiles,
        known: &'p Known<'p>,
        files: Vec<DraftFile>,
        header: &'p TableReport,
        lines: &'p TableReport,
    ) -> Self {
        let format = files
            .first()
            .and_then(|file| profiles.files.get(file.index))
            .and_then(|profile| profile.format.as_ref());
        let is = |kind: &str| format.is_some_and(|format| format.get(kind).is_some());
        let has_records = format.is_some_and(|format| format.pointer("/fixed/records").is_some());
        Self {
            profiles,
            known,
            files,
            header,
            lines,
            is_tree: !(is("delimited") || is("sheet") || is("fixed")) || has_records,
            is_grouped: false,
            text: String::new(),
            missing: Vec::new(),
        }
    }

    /// What was written.
    pub(super) fn done(self) -> (String, Vec<&'static str>, Vec<DraftFile>) {
        (self.text, self.missing, self.files)
    }

    /// Finds the column by which rows are one document.
    pub(super) fn group(&mut self, fact: Option<Likely>) {
        let column = self.number(fact).map(|column| column.name.clone());
        let lines_apart = self.files.iter().any(|file| file.of.is_some());
        if self.is_tree || lines_apart {
            return;
        }
        self.is_grouped = column.is_some();
        if let Some(file) = self.files.first_mut() {
            file.group = column;
        }
    }

    /// The column with the number of a document.
    fn number(&self, fact: Option<Likely>) -> Option<&'p ColumnReport> {
        let roles: &[Role] = match fact {
            Some(Likely::Order) => &[Role::OrderNumber],
            Some(Likely::Receipt) => &[Role::ReceiptNumber, Role::ShipmentNumber],
            Some(Likely::Invoice) => &[Role::InvoiceNumber],
            None => &[Role::OrderNumber, Role::ReceiptNumber, Role::InvoiceNumber],
        };
        let named = roles.iter().find_map(|role| self.header.about(*role));
        named.or_else(|| {
            let deciding = self.header.keys.deciding.first()?;
            let mut columns = self.header.columns.iter();
            columns.find(|column| column.name == deciding.column)
        })
    }

    pub(super) fn head(&mut self, fact: Option<Likely>, likely: &[Likely]) {
        let named = self
            .files
            .iter()
            .filter_map(|file| self.profiles.files.get(file.index));
        let names: Vec<&str> = named.map(|profile| profile.file.name.as_str()).collect();
        let names = names.join(", ");
        let others = likely.iter().filter(|other| Some(**other) != fact);
        let others: Vec<&str> = others.map(|other| other.words()).collect();
        self.line(&format!(
            "# Drafted from {names} by `interplant plant profile`. What is marked with `?` is guessed, with `!` to be settled first."
        ));
        if !others.is_empty() {
            self.line(&format!(
                "# ? It may be about {} as well.",
                others.join(" and ")
            ));
        }
        let words = fact.map_or("a file", Likely::words);
        let (first, rest) = words.split_at_checked(1).unwrap_or((words, ""));
        let about = format!("{}{rest} from {names}", first.to_uppercase());
        self.line(&format!("about: {}", scalar(&about)));
        self.line("system: erp # ? which system of the plant speaks: `source` becomes urn:plant:<code>:erp");
        let document = self.number(fact).map_or("\"1\"".to_owned(), |column| {
            path(&column.name, self.is_tree)
        });
        self.line(&format!(
            "document: {} # the number of a document",
            scalar(&document)
        ));
        self.line("\nfiles:");
        for file in self.files.clone() {
            self.file(&file);
        }
        if self.known.with_lookup {
            self.line("\nlookups:");
            self.line("  units: { file: lookups/units.csv, key: code } # how units are written, and which one is meant");
        }
        self.line("");
    }

    fn file(&mut self, file: &DraftFile) {
        let Some(profile) = self.profiles.files.get(file.index) else {
            return;
        };
        self.line(&format!("  {}:", file.role));
        self.line(&format!(
            "    name: {} # ? `*` stands for anything",
            scalar(&pattern(&profile.file.name))
        ));
        let format = profile.format.as_ref().and_then(Value::as_object);
        if let Some((kind, settings)) = format.and_then(|format| format.iter().next()) {
            self.line(&format!("    {kind}: {settings}"));
        }
        if profile.unread.count > 0 {
            self.line(&format!(
                "    # ! {} rows cannot be read: run the profile to see them.",
                profile.unread.count
            ));
        }
        let Some(table) = profile.tables.first().filter(|_| !self.is_tree) else {
            return;
        };
        let named = table.columns.iter().filter(|column| column.role.is_some());
        let names: Vec<&str> = named.map(|column| column.name.as_str()).collect();
        if !names.is_empty() && file.key.is_none() {
            let names = serde_json::to_string(&names).unwrap_or_default();
            self.line(&format!("    columns: {names} # must be there"));
        }
        if let Some((own, leading)) = &file.of {
            self.line(&format!(
                "    of: {{ {}: {} }} # ? a row belongs to the document with the same",
                quoted(own),
                quoted(leading)
            ));
        }
        if let Some(key) = &file.key {
            let columns: Vec<&str> = table
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            self.line(&format!(
                "    key: {} # ? a table of codes: $table({}, <code>, <one of {}>)",
                scalar(key),
                quoted(&file.role),
                columns.join(", ")
            ));
        }
        let group = table
            .columns
            .iter()
            .find(|column| file.group.as_ref() == Some(&column.name));
        if let Some(column) = group {
            self.group_by(column);
        }
    }

    fn group_by(&mut self, column: &ColumnReport) {
        self.line(&format!(
            "    group_by: [{}] # rows that follow each other with the same are one document",
            quoted(&column.name)
        ));
        let deciding = self
            .header
            .keys
            .deciding
            .iter()
            .find(|deciding| deciding.column == column.name);
        if deciding.is_some_and(|deciding| !deciding.together) {
            self.line("    # ! Its rows do not all follow each other: one document would become several. Have the extract sorted by it.");
        }
        if column.written_once {
            self.line("    # ! It is written once and left blank in the rows below: have it written in every row.");
        }
        for column in &self.header.columns {
            let is_header = matches!(
                column.role,
                Some(
                    Role::Supplier
                        | Role::OrderDate
                        | Role::Currency
                        | Role::InvoiceDate
                        | Role::ReceiptDate
                )
            );
            let differs = deciding.is_some_and(|deciding| deciding.beside.contains(&column.name));
            if is_header && differs {
                let warning = format!(
                    "    # ! {} differs within one of them: the first row's is taken below.",
                    column.name
                );
                self.text.push_str(&warning);
                self.text.push('\n');
            }
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A column of what documents say once.
    fn of_header(&self, role: Role) -> Found<'p> {
        let column = self.header.about(role)?;
        Some((column, path(&column.name, self.is_tree)))
    }

    /// A column of lines, or of the document that they are in.
    fn of_line(&self, role: Role) -> Found<'p> {
        if let Some(column) = self.lines.about(role) {
            return Some((column, path(&column.name, self.is_tree)));
        }
        let (column, path) = self.of_header(role)?;
        Some((column, format!("document.{path}")))
    }

    /// A field that a column was found for.
    fn field(&mut self, indent: usize, name: &str, column: &ColumnReport, expression: &str) {
        let mut note = format!("? {}, {}", column.name, column.kind.word());
        let mut mark = "";
        if let Some(numbers) = &column.numbers {
            if numbers.ambiguous {
                mark = "! it does not show whether `.` and `,` stand before decimals or between thousands; ";
            }
            if !numbers.strays.is_empty() {
                mark = "! some rows are no numbers; ";
            }
            note.push_str(&format!(" from {} to {}", numbers.least, numbers.greatest));
        }
        if let Some(days) = &column.days {
            if let Some(other) = &days.ambiguous {
                mark = "! may as well be the other way round: ";
                note.push_str(&format!(" ({other})"));
            } else if days.formats.len() > 1 {
                mark = "! several writings; ";
            }
            note.push_str(&format!(" from {} to {}", days.first, days.last));
        }
        if !column.same_units.is_empty() {
            mark = "! several writings of one unit: a lookup makes them one; ";
        }
        let comment = clean(&format!("{mark}{note}"));
        let line = format!("{:indent$}{name}: {} # {comment}", "", scalar(expression));
        self.line(&line);
    }

    /// A field that must be there and that no column was found for.
    fn absent(&mut self, indent: usize, name: &'static str, what: &str) {
        self.missing.push(name);
        let says = quoted(&format!("{name} is not mapped yet: {what}"));
        let line = format!(
            "{:indent$}{name}: {} # !",
            "",
            scalar(&format!("$error({says})"))
        );
        self.line(&line);
    }

    fn required(
        &mut self,
        indent: usize,
        name: &'static str,
        found: Found<'p>,
        how: fn(&ColumnReport, &str) -> String,
        what: &str,
    ) {
        match found {
            Some((column, path)) => self.field(indent, name, column, &how(column, &path)),
            None => self.absent(indent, name, what),
        }
    }

    fn optional(
        &mut self,
        indent: usize,
        name: &str,
        found: Found<'p>,
        how: fn(&ColumnReport, &str) -> String,
    ) {
        if let Some((column, path)) = found {
            self.field(indent, name, column, &how(column, &path));
        }
    }

    fn time(&mut self, found: Found<'p>) {
        let zone = quoted(self.known.zone);
        let Some((column, path)) = found else {
            self.missing.push("time");
            self.line("    time: $error(\"time is not mapped yet: when it happened\") # !");
            return;
        };
        let format = column
            .days
            .as_ref()
            .map_or("%Y-%m-%d", |days| days.format());
        let expression = if format.ends_with("%:z") {
            path
        } else if column.kind == Kind::Moment || format.contains("%H") {
            format!("$moment({path}, {}, {zone})", quoted(format))
        } else {
            format!(
                "$moment({path} & \" 12\", {}, {zone})",
                quoted(&format!("{format} %H"))
            )
        };
        self.field(4, "time", column, &expression);
    }

    fn event(&mut self, name: &str, fact: Likely) {
        self.line("events:");
        self.line(&format!("  {name}:"));
        self.line(&format!("    type: {}", fact.event()));
    }

    fn each(&mut self) {
        let lines = self.files.iter().find(|file| file.of.is_some());
        let each = match lines {
            Some(file) => file.role.clone(),
            None if self.is_tree && !self.lines.path.is_empty() => path(&self.lines.path, true),
            None if self.is_grouped => "rows".to_owned(),
            None => "$".to_owned(),
        };
        self.line("      lines:");
        self.line(&format!("        each: {}", scalar(&each)));
        self.line("        fields:");
    }

    pub(super) fn none(&mut self) {
        self.line("# It looks like none of the facts that are drafted: order, receipt, invoice; --fact says which it is.");
        self.line("# A table of codes is a lookup of another feed: docs/mapping.md.");
        self.line("events: {}");
    }

    fn line_number(&mut self) {
        match self.of_line(Role::LineNumber) {
            Some((column, path)) => self.field(10, "lineNo", column, &path),
            None => self.line(
                "          lineNo: position # ! the file has no number of lines: their position in the document, which must stay the same",
            ),
        }
    }

    fn currency(&mut self) {
        match (self.of_header(Role::Currency), self.known.currency) {
            (Some((column, path)), _) => self.field(6, "currency", column, &path),
            (None, Some(currency)) => {
                let line = format!("      currency: {{ constant: {} }}", scalar(currency));
                self.line(&line);
            }
            (None, None) => self.absent(
                6,
                "currency",
                "the file names none; where it is always the same write { constant: EUR }",
            ),
        }
    }

    fn unit(&mut self, is_required: bool) {
        let found = self.of_line(Role::Unit).or_else(|| self.units_by_content());
        match found {
            Some((column, path)) if self.known.with_lookup && !column.same_units.is_empty() => {
                let expression = format!("$table(\"units\", {path}, \"unit\")");
                let comment = format!(
                    "? {}; lookups/units.csv makes its writings one",
                    column.name
                );
                let line = format!(
                    "          uom: {} # {}",
                    scalar(&expression),
                    clean(&comment)
                );
                self.line(&line);
            }
            Some((column, path)) => self.field(10, "uom", column, &path),
            None if is_required => self.absent(
                10,
                "uom",
                "the file names no unit; where it is always the same write { constant: EA }",
            ),
            None => {}
        }
    }

    fn units_by_content(&self) -> Found<'p> {
        let column = self
            .lines
            .columns
            .iter()
            .find(|column| column.units.is_some())?;
        Some((column, path(&column.name, self.is_tree)))
    }

    fn price(&mut self) {
        let price = self.of_line(Role::Price);
        let base = self
            .of_line(Role::PriceBase)
            .filter(|(base, _)| base.kind == Kind::Number);
        match (price, base) {
            (Some((column, path)), Some((base, base_path))) => {
                let per = format!(
                    "$dec_div({}, {}, 6)",
                    amount(column, &path),
                    amount(base, &base_path)
                );
                self.field(10, "unitPrice", column, &per);
            }
            (Some((column, path)), None) => {
                self.field(10, "unitPrice", column, &amount(column, &path))
            }
            (None, _) => self.absent(10, "unitPrice", "no column looks like a price per unit"),
        }
    }

    pub(super) fn order(&mut self) {
        self.event("created", Likely::Order);
        self.time(self.of_header(Role::OrderDate));
        self.line("    data:");
        self.required(
            6,
            "poNumber",
            self.of_header(Role::OrderNumber),
            as_is,
            "no column looks like the order's number",
        );
        self.required(
            6,
            "supplierId",
            self.of_header(Role::Supplier),
            as_is,
            "no column looks like the supplier's code",
        );
        self.currency();
        self.required(
            6,
            "orderDate",
            self.of_header(Role::OrderDate),
            day,
            "no column looks like the day of the order",
        );
        self.each();
        self.line_number();
        self.required(
            10,
            "itemId",
            self.of_line(Role::Item),
            as_is,
            "no column looks like the item's code",
        );
        self.required(
            10,
            "qty",
            self.of_line(Role::Quantity),
            amount,
            "no column looks like the quantity",
        );
        self.unit(true);
        self.price();
        self.optional(10, "taxCode", self.of_line(Role::TaxCode), as_is);
        self.optional(10, "needDate", self.of_line(Role::NeedDate), day);
    }

    pub(super) fn receipt(&mut self) {
        let number = self
            .of_header(Role::ReceiptNumber)
            .or_else(|| self.of_header(Role::ShipmentNumber));
        self.event("received", Likely::Receipt);
        self.time(self.of_header(Role::ReceiptDate));
        self.line("    data:");
        self.required(
            6,
            "receiptNumber",
            number,
            as_is,
            "no column looks like the receipt's number",
        );
        self.required(
            6,
            "poNumber",
            self.of_header(Role::OrderNumber),
            as_is,
            "no column looks like the order's number",
        );
        self.each();
        self.line_number();
        self.optional(10, "itemId", self.of_line(Role::Item), as_is);
        let quantity = self
            .of_line(Role::QuantityReceived)
            .or_else(|| self.of_line(Role::Quantity));
        self.required(
            10,
            "qtyReceived",
            quantity.clone(),
            amount,
            "no column looks like the quantity that came",
        );
        self.optional(
            10,
            "qtyInQuestion",
            self.of_line(Role::QuantityRejected),
            |column, path| {
                let amount = amount(column, path);
                format!("$dec_cmp({amount}, \"0\") > 0 ? {amount}")
            },
        );
        self.unit(false);
        if let (Some((lot, lot_path)), Some((of, of_path))) = (self.of_line(Role::Lot), quantity) {
            let lot_path = lot_path.clone();
            self.line("          lots:");
            self.line(&format!(
                "            each: {}",
                scalar(&format!("$exists({lot_path}) ? $"))
            ));
            self.line("            fields:");
            self.field(14, "lotId", lot, &lot_path);
            self.field(14, "qty", of, &amount(of, &of_path));
            self.optional(14, "expiry", self.of_line(Role::Expiry), day);
        }
    }

    pub(super) fn invoice(&mut self) {
        self.event("invoiced", Likely::Invoice);
        self.time(self.of_header(Role::InvoiceDate));
        self.line("    data:");
        self.required(
            6,
            "invoiceNumber",
            self.of_header(Role::InvoiceNumber),
            as_is,
            "no column looks like the invoice's number",
        );
        self.required(
            6,
            "supplierId",
            self.of_header(Role::Supplier),
            as_is,
            "no column looks like the supplier's code",
        );
        self.required(
            6,
            "invoiceDate",
            self.of_header(Role::InvoiceDate),
            day,
            "no column looks like the day of the invoice",
        );
        self.currency();
        self.each();
        self.required(
            10,
            "poNumber",
            self.of_line(Role::OrderNumber),
            as_is,
            "no column looks like the order's number",
        );
        self.line_number();
        self.required(
            10,
            "qty",
            self.of_line(Role::Quantity),
            amount,
            "no column looks like the quantity",
        );
        self.unit(false);
        self.price();
        self.optional(10, "taxCode", self.of_line(Role::TaxCode), as_is);
        self.line("      totals:");
        self.required(
            8,
            "net",
            self.of_header(Role::NetAmount),
            amount,
            "no column looks like the net total",
        );
        self.required(
            8,
            "tax",
            self.of_header(Role::TaxAmount),
            amount,
            "no column looks like the tax; where there is none write { constant: \"0\" }",
        );
        self.required(
            8,
            "gross",
            self.of_header(Role::GrossAmount),
            amount,
            "no column looks like the total",
        );
    }
}
