//! Where documents are in a file of a format that has no rows, guessed by its beginning.

use serde_json::{Map, Value, json};

/// The elements of an XML file that are documents: the outermost that stand side by side.
pub(crate) fn xml(head: &str) -> Value {
    let mut open: Vec<(String, Vec<(String, usize)>)> = vec![(String::new(), Vec::new())];
    let mut best: Option<(usize, Vec<String>)> = None;
    let mut rest = head;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at..).unwrap_or_default();
        let end = match rest {
            comment if comment.starts_with("<!--") => comment.find("-->").map(|at| at + 3),
            text if text.starts_with("<![CDATA[") => text.find("]]>").map(|at| at + 3),
            tag => tag.find('>').map(|at| at + 1),
        };
        let Some((tag, after)) = end.and_then(|end| rest.split_at_checked(end)) else {
            break;
        };
        rest = after;
        if tag.starts_with("<!") || tag.starts_with("<?") {
            continue;
        }
        if tag.starts_with("</") {
            if open.len() > 1 {
                open.pop();
            }
            continue;
        }
        let name = local_name(tag);
        let depth = open.len();
        if let Some((_, children)) = open.last_mut() {
            let times = match children.iter_mut().find(|(child, _)| *child == name) {
                Some((_, times)) => {
                    *times += 1;
                    *times
                }
                None => {
                    children.push((name.clone(), 1));
                    1
                }
            };
            // Whatever is inside of it belongs to it.
            if times > 1 && best.as_ref().is_none_or(|(other, _)| depth < *other) {
                let mut path: Vec<String> =
                    open.iter().skip(1).map(|(name, _)| name.clone()).collect();
                path.push(name.clone());
                best = Some((depth, path));
            }
        }
        if !tag.ends_with("/>") {
            open.push((name, Vec::new()));
        }
    }
    let path = best.map_or_else(
        || "/*".to_owned(),
        |(_, path)| format!("/{}", path.join("/")),
    );
    json!({"xml": {"document": path}})
}

fn local_name(tag: &str) -> String {
    let name = tag
        .trim_start_matches('<')
        .split([' ', '>', '/', '\t', '\r', '\n'])
        .next()
        .unwrap_or_default();
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

/// The array of a JSON file whose items are documents: the outermost one of objects.
pub(crate) fn json(head: &str, whole: bool) -> Value {
    let pointer = if whole {
        let read: Option<Value> = serde_json::from_str(head).ok();
        read.as_ref().and_then(array)
    } else {
        beginning(head)
    };
    match pointer.as_deref() {
        None | Some("") => json!({"json": {}}),
        Some(pointer) => json!({"json": {"document": pointer}}),
    }
}

fn array(value: &Value) -> Option<String> {
    let is_list = |value: &Value| {
        value
            .as_array()
            .is_some_and(|items| items.first().is_some_and(Value::is_object))
    };
    if is_list(value) {
        return Some(String::new());
    }
    let fields = value.as_object()?;
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    let lists: Vec<&String> = fields
        .iter()
        .filter(|(_, value)| is_list(value))
        .map(|(key, _)| key)
        .collect();
    match lists.as_slice() {
        // A document with its lines rather than documents with something around them.
        [list] if !is_document(fields) => Some(format!("/{}", escaped(list))),
        [] => fields
            .iter()
            .filter(|(_, value)| value.is_object())
            .find_map(|(key, value)| {
                let below = array(value).filter(|below| !below.is_empty())?;
                Some(format!("/{}{below}", escaped(key)))
            }),
        _ => None,
    }
}

/// Whether the fields beside a list look like those of a document with lines: one of them is its number.
fn is_document(fields: &Map<String, Value>) -> bool {
    use super::role::{Role, role};
    let numbers = [Role::OrderNumber, Role::ReceiptNumber, Role::InvoiceNumber];
    fields
        .iter()
        .filter(|(_, value)| value.is_string() || value.is_number())
        .filter_map(|(key, _)| role(key))
        .any(|(role, _)| numbers.contains(&role))
}

/// Of a file that is too long to be read at once only the first array shows.
fn beginning(head: &str) -> Option<String> {
    let text = head.trim_start();
    if text.starts_with('[') {
        return Some(String::new());
    }
    let at = text.find('[')?;
    let before = text.get(..at)?.trim_end().strip_suffix(':')?.trim_end();
    let key = before.strip_suffix('"')?;
    let key = key.rsplit('"').next()?;
    // Of an array further in the way to it is not known here.
    let depth = before.matches('{').count() - before.matches('}').count();
    (depth == 1).then(|| format!("/{key}"))
}

/// Columns at positions, guessed by the blanks between them; nothing when lines are not as long as one another.
pub(crate) fn fixed(head: &str, encoding: &str) -> Option<Value> {
    let lines: Vec<Vec<char>> = head
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(2000)
        .map(|line| line.chars().collect())
        .collect();
    let longest = lines
        .iter()
        .map(Vec::len)
        .max()
        .filter(|longest| *longest >= 8)?;
    let as_long = lines.iter().filter(|line| line.len() == longest).count();
    if lines.len() < 2 || as_long * 10 < lines.len() * 9 {
        return None;
    }
    let is_blank = |at: usize| {
        let filled = lines
            .iter()
            .filter(|line| line.get(at).is_some_and(|c| *c != ' '))
            .count();
        filled == 0
    };
    let mut starts = vec![0];
    for at in 1..longest {
        if is_blank(at - 1) && !is_blank(at) {
            starts.push(at);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([longest]);
    let columns: Vec<Value> = starts
        .iter()
        .zip(ends)
        .enumerate()
        .map(|(index, (from, to))| {
            json!({"name": format!("column_{}", index + 1), "at": from + 1, "width": to - from})
        })
        .collect();
    Some(json!({"fixed": {"encoding": encoding, "columns": columns}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_xml_are_the_outermost_elements_that_are_repeated() {
        let text = "<?xml version=\"1.0\"?><a:Orders xmlns:a=\"x\"><!-- <No/> --><Day>1</Day><Order><Line/><Line/></Order><Order/></a:Orders>";
        assert_eq!(xml(text), json!({"xml": {"document": "/Orders/Order"}}));
        assert_eq!(
            xml("<Order><No>1</No></Order>"),
            json!({"xml": {"document": "/*"}})
        );
    }

    #[test]
    fn documents_of_json_are_the_items_of_the_outermost_array() {
        let found = |text: &str| json(text, true);
        assert_eq!(found(r#"[{"a": 1}]"#), json!({"json": {}}));
        assert_eq!(
            found(r#"{"day": "1", "orders": [{"a": 1}]}"#),
            json!({"json": {"document": "/orders"}})
        );
        assert_eq!(
            found(r#"{"data": {"orders": [{"a": 1}]}}"#),
            json!({"json": {"document": "/data/orders"}})
        );
        assert_eq!(
            found(r#"{"poNumber": "1", "lines": [{"a": 1}]}"#),
            json!({"json": {}})
        );
        assert_eq!(
            json("{\"orders\": [{\"a\"", false),
            json!({"json": {"document": "/orders"}})
        );
    }

    #[test]
    fn fixed_columns_are_told_by_the_blanks_between_them() {
        let text = "4711 SCREW   10\n4712 NUT    200\n";
        let format = fixed(text, "utf-8").unwrap();
        let columns = format.pointer("/fixed/columns").unwrap();
        assert_eq!(
            columns,
            &json!([
                {"name": "column_1", "at": 1, "width": 5},
                {"name": "column_2", "at": 6, "width": 7},
                {"name": "column_3", "at": 13, "width": 3}
            ])
        );
    }
}
