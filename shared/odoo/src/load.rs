//! `load`: records and their external ids in one transaction, created once.
//!
//! With the context `{"mode": "update", "noupdate": true}` a new external id is created with its flag
//! "not to be updated" set; the same id again is skipped and its record's id answered, whatever the other
//! cells say. So a repeat has no effect, and of two calls at once exactly one creates.

use interplant_domain::identifier::ExternalId;
use interplant_domain::json::Json;

use crate::body::Body;
use crate::client::{Call, Client};
use crate::dialect::model;
use crate::error::{Error, RefusedKind, refusal};

/// The cells of one record with its lines, in the order of their columns.
pub(crate) struct Sheet {
    header: Vec<(&'static str, String)>,
    lines: Vec<Vec<(&'static str, String)>>,
}

impl Sheet {
    pub(crate) fn new(header: Vec<(&'static str, String)>) -> Self {
        Self {
            header,
            lines: Vec::new(),
        }
    }

    /// Adds a column of the record itself.
    pub(crate) fn header(&mut self, column: &'static str, cell: String) {
        self.header.push((column, cell));
    }

    /// Adds a line; every line has the same columns.
    pub(crate) fn line(&mut self, cells: Vec<(&'static str, String)>) {
        self.lines.push(cells);
    }

    /// The columns, and one row per line: the first also holds the header, the others leave it empty.
    fn into_rows(self) -> (Vec<&'static str>, Vec<Vec<String>>) {
        let columns = self
            .header
            .iter()
            .chain(self.lines.first().into_iter().flatten())
            .map(|(column, _)| *column)
            .collect();
        let empty = vec![String::new(); self.header.len()];
        let header: Vec<String> = self.header.into_iter().map(|(_, cell)| cell).collect();
        let rows = self.lines.into_iter().enumerate().map(|(at, line)| {
            let head = if at == 0 { &header } else { &empty };
            head.iter()
                .cloned()
                .chain(line.into_iter().map(|(_, cell)| cell))
                .collect()
        });
        (columns, rows.collect())
    }
}

/// An external id as a cell: `module.name` in characters that `load` does not read anything into.
///
/// Ids come from a plant's configuration too; a comma in one would name several records.
pub(crate) fn cell(id: &ExternalId) -> Result<String, Error> {
    let text = id.as_str();
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    match text.split_once('.') {
        Some((module, name)) if plain(module) && plain(name) && text.len() <= 200 => {
            Ok(text.to_owned())
        }
        Some(_) | None => Err(Error::refused(
            RefusedKind::UnknownCode,
            format!(
                "`{text}` is not an external id: write module.name in letters, digits and underscores"
            ),
        )),
    }
}

impl Client {
    /// Creates records that do not exist yet; those whose external id exists stay as they are.
    ///
    /// Answers the ids of the records in the order of their rows. Every row needs a cell in column `id`;
    /// rows that leave all columns of the record empty add lines to the record above.
    ///
    /// # Errors
    /// [`Error::Refused`] when a cell cannot be understood (nothing is kept of any row), [`Error::Busy`]
    /// when another call created the same id at this moment, and what a call can always meet.
    pub async fn load(
        &self,
        model: &str,
        fields: &[&str],
        rows: Vec<Vec<String>>,
    ) -> Result<Vec<i64>, Error> {
        let Some(id) = fields.iter().position(|field| *field == "id") else {
            // Without an external id every call would create the record again.
            return Err(Error::caller("load without an external id"));
        };
        let uneven = rows.iter().any(|row| row.len() != fields.len());
        let records = rows
            .iter()
            .filter(|row| row.get(id).is_some_and(|cell| !cell.is_empty()))
            .count();
        if uneven || records == 0 {
            return Err(Error::caller("load with uneven rows, or without a record"));
        }
        let data = rows
            .into_iter()
            .map(|row| Body::List(row.into_iter().map(Body::Text).collect()))
            .collect();
        let call = Call::new(model, "load")
            .named("fields", Body::texts(fields))
            .named("data", Body::List(data))
            .context("mode", Body::text("update"))
            .context("noupdate", Body::Bool(true));
        read(&self.call(call).await?, records)
    }

    /// Loads one record with its lines.
    pub(crate) async fn load_sheet(&self, model: &'static str, sheet: Sheet) -> Result<i64, Error> {
        let (columns, rows) = sheet.into_rows();
        if rows.is_empty() {
            return Err(Error::caller(format!("{model} without lines")));
        }
        let ids = self.load(model, &columns, rows).await?;
        ids.first()
            .copied()
            .ok_or_else(|| Error::unexpected("load answered no id"))
    }

    /// The record with this external id, or none.
    ///
    /// Works without any right on the table of external ids, and never creates anything. For orders,
    /// their lines, bills, suppliers, items and units.
    ///
    /// # Errors
    /// [`Error::Caller`] for another model, and what a call can always meet.
    pub async fn find(&self, model: &str, id: &ExternalId) -> Result<Option<i64>, Error> {
        // A look-up is a create-once load that cannot create: a column that every record needs is left
        // out, or for bills, where Odoo would fill each of them, given empty.
        let (fields, row): (&[&str], _) = match model {
            model::ORDER
            | model::ORDER_LINE
            | model::PARTNER
            | model::ITEM
            | model::UNIT
            | model::LOCATION => (&["id"], vec![cell(id)?]),
            model::BILL => (&["id", "date"], vec![cell(id)?, String::new()]),
            _ => {
                return Err(Error::caller(format!(
                    "records of {model} are not looked up by external id"
                )));
            }
        };
        match self.load(model, fields, vec![row]).await {
            Ok(ids) => Ok(ids.first().copied()),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether a look-up failed because it would have had to create the record.
fn is_missing(error: &Error) -> bool {
    match error {
        Error::Refused { message, .. } => message.starts_with("Missing required value"),
        Error::Configuration { message } => message.starts_with("You are not allowed to create"),
        Error::Unreachable { .. }
        | Error::OutcomeUnknown { .. }
        | Error::Busy { .. }
        | Error::NotOpen { .. }
        | Error::WizardAsked { .. }
        | Error::Unexpected { .. }
        | Error::Caller { .. } => false,
    }
}

/// Reads the answer: `ids: false` under HTTP 200 means that nothing was kept.
fn read(answer: &Json, records: usize) -> Result<Vec<i64>, Error> {
    let messages = answer
        .get("messages")
        .and_then(Json::as_array)
        .unwrap_or_default();
    match answer.get("ids") {
        Some(Json::Bool(false)) => Err(why(messages)),
        Some(Json::Array(ids)) => {
            let ids: Option<Vec<i64>> = ids
                .iter()
                .map(|id| id.as_i64().filter(|id| *id > 0))
                .collect();
            let complete = answer.get("nextrow").and_then(Json::as_i64).unwrap_or(0) == 0;
            ids.filter(|ids| ids.len() == records && complete)
                .ok_or_else(|| {
                    Error::unexpected(format!(
                        "load did not answer one id for each of {records} records"
                    ))
                })
        }
        Some(
            Json::Null | Json::Bool(true) | Json::Number(_) | Json::String(_) | Json::Object(_),
        )
        | None => Err(Error::unexpected("load answered without ids")),
    }
}

/// The most telling of the messages: an unknown external id before what followed from it.
fn why(messages: &[Json]) -> Error {
    let text = |message: &Json| {
        message
            .get("message")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    messages
        .iter()
        .find_map(|message| unknown_id(&text(message), message))
        .or_else(|| messages.first().map(|message| refusal(&text(message))))
        .unwrap_or_else(|| {
            Error::refused(RefusedKind::Other, "load kept nothing and did not say why")
        })
}

fn unknown_id(text: &str, message: &Json) -> Option<Error> {
    let model = if text.starts_with("No matching record found for external id") {
        let condition = message
            .get("moreinfo")?
            .get("domain")?
            .as_array()?
            .first()?
            .as_array()?;
        condition.get(2)?.as_str()?
    } else if text.starts_with("Invalid external ID") {
        text.split_once("expected model '")?.1.split_once('\'')?.0
    } else {
        return None;
    };
    let kind = match model {
        model::PARTNER => RefusedKind::UnknownPartner,
        model::ITEM | model::ITEM_TEMPLATE => RefusedKind::UnknownItem,
        model::ORDER | model::ORDER_LINE => RefusedKind::RecordMissing,
        _ => RefusedKind::UnknownCode,
    };
    Some(Error::refused(kind, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use interplant_domain::json::parse;

    fn failure(text: &str) -> Error {
        read(&parse(text.as_bytes()).unwrap(), 1).unwrap_err()
    }

    #[test]
    fn an_unknown_external_id_says_of_what() {
        let message = |model: &str| {
            format!(
                r#"{{"ids": false, "messages": [{{"message": "Missing required value for the field 'Vendor' (partner_id)"}},
                {{"message": "No matching record found for external id 'interplant.nope' in field 'x'", "moreinfo": {{"domain": [["model", "=", "{model}"]]}}}}]}}"#
            )
        };
        for (model, kind) in [
            ("res.partner", RefusedKind::UnknownPartner),
            ("product.product", RefusedKind::UnknownItem),
            ("uom.uom", RefusedKind::UnknownCode),
            ("account.tax", RefusedKind::UnknownCode),
            ("purchase.order.line", RefusedKind::RecordMissing),
        ] {
            let error = failure(&message(model));
            assert!(
                matches!(&error, Error::Refused { kind: found, message } if *found == kind && message.contains("'interplant.nope'")),
                "{error:?}"
            );
        }
        let foreign = r#"{"ids": false, "messages": [{"message": "Invalid external ID base.USD: expected model 'product.product', found 'res.currency'"}]}"#;
        assert!(matches!(
            failure(foreign),
            Error::Refused {
                kind: RefusedKind::UnknownItem,
                ..
            }
        ));
    }

    #[test]
    fn nothing_kept_is_never_success() {
        assert!(matches!(
            failure(r#"{"ids": false, "messages": []}"#),
            Error::Refused {
                kind: RefusedKind::Other,
                ..
            }
        ));
        assert!(matches!(
            failure(
                r#"{"ids": false, "messages": [{"message": "could not serialize access due to concurrent update\n"}]}"#
            ),
            Error::Busy { .. }
        ));
        for text in [
            r#"{"ids": [1, 2], "messages": [], "nextrow": 0}"#,
            r#"{"ids": [1], "nextrow": 3}"#,
            r#"{"ids": [true]}"#,
            "{}",
            r#"{"ids": []}"#,
        ] {
            assert!(matches!(failure(text), Error::Unexpected { .. }), "{text}");
        }
    }

    #[test]
    fn only_the_first_row_of_a_record_has_its_header() {
        let mut sheet = Sheet::new(vec![("id", "interplant.po".into())]);
        sheet.line(vec![("order_line/id", "a".into())]);
        sheet.line(vec![("order_line/id", "b".into())]);
        let (columns, rows) = sheet.into_rows();
        assert_eq!(columns, ["id", "order_line/id"]);
        assert_eq!(rows, [["interplant.po", "a"], ["", "b"]]);
    }

    #[test]
    fn an_external_id_is_one_id() {
        for text in ["a.b,c.d", "a", ".b", "a.", "a.b c", "a.b/id", ""] {
            assert!(
                cell(&ExternalId::configured(text.into())).is_err(),
                "{text}"
            );
        }
        assert!(
            cell(&ExternalId::configured(
                "account.1_purchase_tax_template".into()
            ))
            .is_ok()
        );
    }
}
