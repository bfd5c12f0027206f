//! The facts of a drafted feed, field by field.

use super::super::super::column::Kind;
use super::super::super::role::{Likely, Role, is_called_a_number};
use super::super::{amount, day, path, scalar};
use super::{Found, Writer, as_is};
use crate::table::clean;

impl<'p> Writer<'p> {
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

    pub(in super::super) fn none(&mut self) {
        self.line("# It looks like none of the facts that are drafted: order, receipt, invoice; --fact says which it is.");
        self.line("# A table of codes is a lookup of another feed: docs/mapping.md.");
        self.line("events: {}");
    }

    fn line_number(&mut self) {
        let plain = || {
            let mut columns = self.lines.columns.iter();
            let found =
                columns.find(|column| column.role.is_none() && is_called_a_number(&column.name))?;
            Some((found, path(&found.name, self.is_tree)))
        };
        // In a table of lines alone a number without more is theirs.
        let is_apart = !std::ptr::eq(self.lines, self.header);
        let found = self
            .of_line(Role::LineNumber)
            .or_else(|| plain().filter(|_| is_apart));
        match found {
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
                self.used.insert(column.name.clone());
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

    pub(in super::super) fn order(&mut self) {
        self.event("created", Likely::Order);
        self.time(self.day_of(Role::OrderDate));
        self.line("    data:");
        self.required(
            6,
            "poNumber",
            self.number_of(Likely::Order, Role::OrderNumber),
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
            self.day_of(Role::OrderDate),
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

    pub(in super::super) fn receipt(&mut self) {
        let number = self
            .of_header(Role::ReceiptNumber)
            .or_else(|| self.number_of(Likely::Receipt, Role::ShipmentNumber));
        self.event("received", Likely::Receipt);
        self.time(self.day_of(Role::ReceiptDate));
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

    pub(in super::super) fn invoice(&mut self) {
        self.event("invoiced", Likely::Invoice);
        self.time(self.day_of(Role::InvoiceDate));
        self.line("    data:");
        self.required(
            6,
            "invoiceNumber",
            self.number_of(Likely::Invoice, Role::InvoiceNumber),
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
            self.day_of(Role::InvoiceDate),
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
