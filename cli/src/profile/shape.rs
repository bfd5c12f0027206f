//! Documents as tables: what a document says once is a row of one, each of its lists is a table of its own.

use std::collections::HashMap;

use serde_json::Value;

/// A table of documents.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// Where it is in a document; empty for the document itself.
    pub(crate) path: String,
    pub(crate) names: Vec<String>,
    index: HashMap<String, usize>,
}

/// The tables that documents turned out to have so far.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    pub(crate) tables: Vec<Shape>,
}

/// Says where a part stands, not what it says.
const PLACES: [&str; 3] = ["_file", "_line", "_segment"];

/// The most columns of a table, and the most tables.
const MOST: usize = 400;

/// Takes a row: its table, which one it is, the line, the cells.
pub(crate) type Each<'e> = dyn FnMut(&Shape, usize, u64, &[&str]) + 'e;

impl Shapes {
    /// Takes a document apart: table by table, row by row.
    pub(crate) fn rows(&mut self, line: u64, document: &Value, each: &mut Each<'_>) {
        self.record("", line, document, each);
    }

    fn record(&mut self, path: &str, line: u64, value: &Value, each: &mut Each<'_>) {
        let Some(at) = self.table(path) else { return };
        let line = value
            .get("_line")
            .and_then(Value::as_str)
            .and_then(|line| line.parse().ok())
            .unwrap_or(line);
        let (mut cells, mut lists) = (Vec::new(), Vec::new());
        gather("", value, &mut cells, &mut lists);
        let Some(shape) = self.tables.get_mut(at) else {
            return;
        };
        let mut row = vec![""; shape.names.len()];
        for (name, text) in &cells {
            let Some(index) = shape.column(name) else {
                continue;
            };
            row.resize(shape.names.len(), "");
            if let Some(cell) = row.get_mut(index) {
                *cell = text;
            }
        }
        each(shape, at, line, &row);
        for (name, items) in lists {
            let below = if path.is_empty() {
                name
            } else {
                format!("{path}.{name}")
            };
            for item in items {
                self.record(&below, line, item, each);
            }
        }
    }

    fn table(&mut self, path: &str) -> Option<usize> {
        if let Some(at) = self.tables.iter().position(|table| table.path == path) {
            return Some(at);
        }
        if self.tables.len() >= MOST {
            return None;
        }
        self.tables.push(Shape {
            path: path.to_owned(),
            ..Shape::default()
        });
        Some(self.tables.len() - 1)
    }
}

impl Shape {
    fn column(&mut self, name: &str) -> Option<usize> {
        if let Some(index) = self.index.get(name) {
            return Some(*index);
        }
        if self.names.len() >= MOST {
            return None;
        }
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), self.names.len() - 1);
        Some(self.names.len() - 1)
    }
}

/// What a part says once, and its lists.
fn gather<'v>(
    name: &str,
    value: &'v Value,
    cells: &mut Vec<(String, &'v str)>,
    lists: &mut Vec<(String, &'v [Value])>,
) {
    match value {
        Value::Object(fields) => {
            for (field, below) in fields {
                if PLACES.contains(&field.as_str()) {
                    continue;
                }
                let named = if name.is_empty() {
                    field.clone()
                } else {
                    format!("{name}.{field}")
                };
                gather(&named, below, cells, lists);
            }
        }
        Value::Array(items) => lists.push((name.to_owned(), items)),
        Value::String(text) => cells.push((or_itself(name), text)),
        Value::Bool(true) => cells.push((or_itself(name), "true")),
        Value::Bool(false) => cells.push((or_itself(name), "false")),
        // Readers leave out what is null, and give numbers as text.
        Value::Null | Value::Number(_) => {}
    }
}

fn or_itself(name: &str) -> String {
    if name.is_empty() { "$" } else { name }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_of_a_document_are_tables_of_their_own() {
        let document = json!({
            "_line": "1", "number": "4711", "supplier": {"code": "V1"},
            "lines": [{"no": "1", "lots": ["A", "B"]}, {"no": "2", "qty": "5"}]
        });
        let mut shapes = Shapes::default();
        let mut seen = Vec::new();
        shapes.rows(1, &document, &mut |shape, _, _, cells| {
            let cells = cells.join("|");
            seen.push(format!(
                "{}: {} = {cells}",
                shape.path,
                shape.names.join("|")
            ));
        });
        assert_eq!(
            seen,
            [
                ": number|supplier.code = 4711|V1",
                "lines: no = 1",
                "lines.lots: $ = A",
                "lines.lots: $ = B",
                "lines: no|qty = 2|5",
            ]
        );
    }
}
