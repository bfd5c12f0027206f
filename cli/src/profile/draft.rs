//! A feed that would read a file, as far as that can be guessed; each guess is marked.

use std::fmt::Write as _;

use interplant_domain::identifier::PlantCode;
use interplant_mapping::feed::{Bundle, Feed};
use serde_json::Value;

use super::column::{ColumnReport, Kind};
use super::role::{Likely, Role};
use super::unit::Unit;
use super::{Profile, TableReport};
use crate::Failure;

/// A drafted feed.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The feed as YAML.
    pub(crate) text: String,
    /// What it could be called.
    pub(crate) name: &'static str,
    /// Fields that a fact must have and that no column was found for.
    pub(crate) missing: Vec<&'static str>,
    /// The column by which rows are one document.
    pub(crate) group: Option<String>,
    /// Units that were found.
    pub(crate) units: Vec<Unit>,
}

/// What is not in the file.
#[derive(Debug, Clone)]
pub(crate) struct Known<'k> {
    /// What it is about, where a person says so.
    pub(crate) fact: Option<Likely>,
    /// The plant's time zone.
    pub(crate) zone: &'k str,
    /// The currency, where the file names none.
    pub(crate) currency: Option<&'k str>,
}

/// Where a value is taken from.
struct Writer<'p> {
    profile: &'p Profile,
    known: &'p Known<'p>,
    /// What a document says once.
    header: &'p TableReport,
    /// Its lines: the same rows in a table.
    lines: &'p TableReport,
    text: String,
    missing: Vec<&'static str>,
}

/// Drafts a feed.
///
/// # Errors
/// When the file has nothing that a feed could read.
pub(crate) fn draft(profile: &Profile, known: &Known<'_>) -> Result<Draft, Failure> {
    let nothing =
        || Failure("no feed can be drafted: nothing of the file could be read".to_owned());
    let format = profile.format.as_ref().ok_or_else(nothing)?;
    let header = profile.tables.first().ok_or_else(nothing)?;
    let of_lines = |table: &&TableReport| {
        let about = [
            Role::Item,
            Role::Quantity,
            Role::QuantityReceived,
            Role::Price,
        ];
        about
            .iter()
            .filter(|role| table.about(**role).is_some())
            .count()
    };
    let lines = profile
        .tables
        .iter()
        .rev()
        .max_by_key(of_lines)
        .filter(|lines| of_lines(lines) > 0)
        .unwrap_or(header);
    let fact = known.fact.or(profile.likely.first().copied());
    let mut writer = Writer {
        profile,
        known,
        header,
        lines,
        text: String::new(),
        missing: Vec::new(),
    };
    let group = writer.group(fact);
    writer.head(fact, format, group);
    match fact {
        Some(Likely::Order) => writer.order(),
        Some(Likely::Receipt) => writer.receipt(),
        Some(Likely::Invoice) => writer.invoice(),
        None => writer.text.push_str(
            "# It looks like none of the facts that are drafted. Where it is a table of codes, another feed takes it as a lookup:\n# lookups: { codes: { file: lookups/codes.csv, key: <column> } }\nevents: {}\n",
        ),
    }
    let draft = Draft {
        name: match fact {
            Some(Likely::Order) => "purchase-orders",
            Some(Likely::Receipt) => "goods-receipts",
            Some(Likely::Invoice) => "invoices",
            None => "extract",
        },
        missing: writer.missing,
        group: group.map(|column| column.name.clone()),
        units: lines
            .columns
            .iter()
            .find_map(|column| column.units.clone())
            .unwrap_or_default(),
        text: writer.text,
    };
    check(&draft)?;
    Ok(draft)
}

/// What is drafted can be read as a feed.
fn check(draft: &Draft) -> Result<(), Failure> {
    let path = format!("draft/feeds/{}.yaml", draft.name);
    let files = [(path.clone(), draft.text.clone().into_bytes())].into();
    let plant: PlantCode = "draft".parse()?;
    Feed::read(&Bundle { files }, &plant, &path)
        .map_err(|mistake| format!("the draft is no feed; this is a fault of ours: {mistake}"))?;
    Ok(())
}

/// A name as JSONata writes it.
fn path(name: &str, is_tree: bool) -> String {
    let quoted = |part: &str| {
        let plain = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && ![
                "and", "or", "in", "true", "false", "null", "function", "document", "position",
            ]
            .contains(&part);
        if plain {
            part.to_owned()
        } else {
            format!("`{part}`")
        }
    };
    if is_tree {
        name.split('.').map(quoted).collect::<Vec<_>>().join(".")
    } else {
        quoted(name)
    }
}

/// A text as YAML writes it.
pub(crate) fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !text.chars().any(char::is_control)
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// A day as a mapping reads it.
fn day(column: &ColumnReport, path: &str) -> String {
    let format = column
        .days
        .as_ref()
        .map_or("%Y-%m-%d", |days| days.format());
    format!("$day({path}, {})", quoted(format))
}

/// A number as a mapping reads it.
fn amount(column: &ColumnReport, path: &str) -> String {
    let writing = column.numbers.as_ref().and_then(|numbers| numbers.writing);
    match writing {
        Some(writing) => match (writing.point, writing.group) {
            ('.', None) => format!("$dec({path})"),
            (point, None) => format!("$dec({path}, {})", quoted(&point.to_string())),
            (point, Some(group)) => format!(
                "$dec({path}, {}, {})",
                quoted(&point.to_string()),
                quoted(&group.to_string())
            ),
        },
        None => format!("$dec({path})"),
    }
}

impl<'p> Writer<'p> {
    fn is_tree(&self) -> bool {
        self.profile.format.as_ref().is_some_and(|format| {
            format.get("delimited").is_none() && format.get("sheet").is_none()
        }) && self.profile.tables.len() + usize::from(self.profile.separated.is_none()) > 1
    }

    /// The column by which rows are one document.
    fn group(&self, fact: Option<Likely>) -> Option<&'p ColumnReport> {
        let roles: &[Role] = match fact {
            Some(Likely::Order) => &[Role::OrderNumber],
            Some(Likely::Receipt) => &[Role::ReceiptNumber, Role::ShipmentNumber],
            Some(Likely::Invoice) => &[Role::InvoiceNumber],
            None => &[Role::OrderNumber, Role::ReceiptNumber, Role::InvoiceNumber],
        };
        let named = roles.iter().find_map(|role| self.header.about(*role));
        named.or_else(|| {
            let deciding = self.header.keys.deciding.first()?;
            self.header
                .columns
                .iter()
                .find(|column| column.name == deciding.column)
        })
    }

    fn head(&mut self, fact: Option<Likely>, format: &Value, group: Option<&ColumnReport>) {
        let name = self.profile.file.name.clone();
        let is_tree = self.is_tree();
        let others: Vec<&str> = self
            .profile
            .likely
            .iter()
            .filter(|other| Some(**other) != fact)
            .map(|other| other.words())
            .collect();
        let words = fact.map_or("a file", Likely::words);
        self.line(&format!(
            "# Drafted from {name} by `interplant plant profile`. What is marked with `?` is guessed, with `!` to be settled first."
        ));
        if !others.is_empty() {
            self.line(&format!(
                "# ? It may be about {} as well.",
                others.join(" and ")
            ));
        }
        if self.profile.unread.count > 0 {
            self.line(&format!(
                "# ! {} rows cannot be read: run the profile to see them.",
                self.profile.unread.count
            ));
        }
        let about = format!(
            "{}{} from {name}",
            words.get(..1).unwrap_or_default().to_uppercase(),
            words.get(1..).unwrap_or_default()
        );
        self.line(&format!("about: {}", scalar(&about)));
        self.line("system: erp # ? which system of the plant speaks: `source` becomes urn:plant:<code>:erp");
        let document = group.map_or("\"1\"".to_owned(), |column| path(&column.name, is_tree));
        self.line(&format!(
            "document: {} # the number of a document",
            scalar(&document)
        ));
        self.line("");
        self.line("files:");
        self.line("  rows:");
        self.line(&format!(
            "    name: {} # ? `*` stands for anything",
            scalar(&pattern(&name))
        ));
        if let Some((kind, settings)) = format.as_object().and_then(|format| format.iter().next()) {
            self.line(&format!("    {kind}: {settings}"));
        }
        if !is_tree {
            let columns: Vec<&str> = self
                .header
                .columns
                .iter()
                .filter(|column| column.role.is_some())
                .map(|column| column.name.as_str())
                .collect();
            self.line(&format!(
                "    columns: {} # must be there",
                serde_json::to_string(&columns).unwrap_or_default()
            ));
            if let Some(column) = group {
                self.group_by(column);
            }
        }
        self.line("");
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
    fn of_header(&self, role: Role) -> Option<(&'p ColumnReport, String)> {
        let column = self.header.about(role)?;
        Some((column, path(&column.name, self.is_tree())))
    }

    /// A column of lines, or of the document that they are in.
    fn of_line(&self, role: Role) -> Option<(&'p ColumnReport, String)> {
        if let Some(column) = self.lines.about(role) {
            return Some((column, path(&column.name, self.is_tree())));
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
            let _ = write!(note, " from {} to {}", numbers.least, numbers.greatest);
        }
        if let Some(days) = &column.days {
            if let Some(other) = &days.ambiguous {
                mark = "! may as well be the other way round: ";
                let _ = write!(note, " ({other})");
            } else if days.formats.len() > 1 {
                mark = "! several writings; ";
            }
            let _ = write!(note, " from {} to {}", days.first, days.last);
        }
        if column.same_units.first().is_some() {
            mark = "! several writings of one unit: a lookup makes them one; ";
        }
        let comment: String = format!("{mark}{note}").replace(char::is_control, " ");
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
        found: Option<(&'p ColumnReport, String)>,
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
        found: Option<(&'p ColumnReport, String)>,
        how: fn(&ColumnReport, &str) -> String,
    ) {
        if let Some((column, path)) = found {
            self.field(indent, name, column, &how(column, &path));
        }
    }

    fn time(&mut self, found: Option<(&'p ColumnReport, String)>) {
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
        let each = if self.is_tree() {
            if self.lines.path.is_empty() {
                "$".to_owned()
            } else {
                path(&self.lines.path, true)
            }
        } else if self.text.contains("    group_by:") {
            "rows".to_owned()
        } else {
            "$".to_owned()
        };
        self.line("      lines:");
        self.line(&format!("        each: {}", scalar(&each)));
        self.line("        fields:");
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

    fn unit(&mut self) {
        match self.of_line(Role::Unit).or_else(|| self.units_by_content()) {
            Some((column, path)) => self.field(10, "uom", column, &path),
            None => self.absent(
                10,
                "uom",
                "the file names no unit; where it is always the same write { constant: EA }",
            ),
        }
    }

    fn units_by_content(&self) -> Option<(&'p ColumnReport, String)> {
        let column = self
            .lines
            .columns
            .iter()
            .find(|column| column.units.is_some())?;
        Some((column, path(&column.name, self.is_tree())))
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

    fn order(&mut self) {
        let as_is = |_: &ColumnReport, path: &str| path.to_owned();
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
        self.unit();
        self.price();
        self.optional(10, "taxCode", self.of_line(Role::TaxCode), as_is);
        self.optional(10, "needDate", self.of_line(Role::NeedDate), day);
    }

    fn receipt(&mut self) {
        let as_is = |_: &ColumnReport, path: &str| path.to_owned();
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
        self.optional(
            10,
            "uom",
            self.of_line(Role::Unit).or_else(|| self.units_by_content()),
            as_is,
        );
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

    fn invoice(&mut self) {
        let as_is = |_: &ColumnReport, path: &str| path.to_owned();
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
        self.optional(
            10,
            "uom",
            self.of_line(Role::Unit).or_else(|| self.units_by_content()),
            as_is,
        );
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

/// A file's name with `*` for what changes from one to the next: its digits.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    for letter in name.chars() {
        if letter.is_ascii_digit() {
            if !pattern.ends_with('*') {
                pattern.push('*');
            }
        } else {
            pattern.push(letter);
        }
    }
    if !pattern.contains('*')
        && let Some((stem, end)) = pattern.clone().rsplit_once('.')
    {
        pattern = format!("{stem}*.{end}");
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_jsonata_and_yaml_take_them() {
        assert_eq!(path("OrderNo", false), "OrderNo");
        assert_eq!(path("N. Ordine", false), "`N. Ordine`");
        assert_eq!(path("head.Order-No", true), "head.`Order-No`");
        assert_eq!(path("in", false), "`in`");
        assert_eq!(scalar("`N. Ordine`"), "'`N. Ordine`'");
        assert_eq!(scalar("$dec(`Q.tà`, \",\")"), "$dec(`Q.tà`, \",\")");
        assert_eq!(scalar("it's: so"), "'it''s: so'");
    }

    #[test]
    fn what_changes_in_a_name_is_anything() {
        assert_eq!(pattern("ORDINI_20261123.csv"), "ORDINI_*.csv");
        assert_eq!(pattern("orders.csv"), "orders*.csv");
    }
}
