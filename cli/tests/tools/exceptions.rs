//! Exceptions as a person sees and decides them, with answers as the operators' API gives them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;

use serde_json::{Value, json};

use super::interplant;

/// An API that gives these answers, one for each request; what it was asked.
fn api(answers: Vec<(u16, Value)>) -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(said) = line.to_lowercase().strip_prefix("content-length:") {
                    length = said.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut sent = vec![0; length];
            reader.read_exact(&mut sent).unwrap();
            let text = body.to_string();
            write!(
                stream,
                "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                text.len()
            )
            .unwrap();
            let sent = serde_json::from_slice(&sent).unwrap_or(Value::Null);
            tell.send((first.trim().to_owned(), sent)).ok();
        }
    });
    (address, asked)
}

const ID: &str = "po/plant-x/4711/exc_1f3a9c02de";

fn shown() -> Value {
    json!({
        "id": ID, "lifecycle": "po/plant-x/4711", "code": "PRICE", "meaning": "The price is not the order's.",
        "message": "line 1 costs 40, ordered at 39", "owner": "accountant", "raised_at": "2026-11-02T08:00:00Z",
        "due_at": "2026-11-03T08:00:00Z", "overdue": true, "blocks": false,
        "amount_at_risk": {"amount": "12", "currency": "EUR"}, "next_step": "Accept to pay the price.",
        "runbook": "docs/runbooks/PRICE.md", "revision": 7, "may": ["skip", "assign", "accept", "amend"], "resolution": null,
        "fact": {"type": "interplant.invoice.received.v1", "number": "RE-1", "source": "urn:plant:plant-x:erp", "data": {
            "invoiceNumber": "RE-1", "supplierId": "S", "invoiceDate": "2026-10-21", "currency": "EUR",
            "lines": [{"poNumber": "4711", "lineNo": "1", "qty": "12", "unitPrice": "40"}],
            "totals": {"net": "480", "tax": "0", "gross": "480"}
        }}
    })
}

fn exceptions(api: &str, arguments: &[&str]) -> super::Said {
    let token = super::folder("token");
    let token = super::written(&token, "token", "a-token");
    let with = ["exceptions", "--api", api, "--token-file", &token];
    interplant(&[&with, arguments].concat())
}

#[test]
fn an_exception_is_shown_with_what_is_at_stake_and_the_commands() {
    let (address, _) = api(vec![(200, shown())]);
    let said = exceptions(&address, &["show", ID]);
    assert!(said.right, "{}", said.error);
    for wanted in [
        "PRICE: The price is not the order's.\n  line 1 costs 40, ordered at 39\n",
        "fact          invoice.received RE-1\n",
        "at risk       12 EUR\n",
        "owner         accountant\n",
        "due           2026-11-03 08:00:00, overdue\n",
        "what to do    Accept to pay the price.\n",
        "  interplant exceptions accept po/plant-x/4711/exc_1f3a9c02de --revision 7 --note \"<why>\"\n",
        "  interplant exceptions assign po/plant-x/4711/exc_1f3a9c02de --to <whom> --revision 7",
    ] {
        assert!(said.out.contains(wanted), "{wanted}: {}", said.out);
    }
    let (address, _) = api(vec![(200, shown())]);
    let said = exceptions(&address, &["--json", "show", ID]);
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap(), shown());
}

#[test]
fn a_decision_without_a_revision_is_about_what_is_shown_now() {
    let taken = json!({"id": ID, "decision": "accept", "status": "taken"});
    let (address, asked) = api(vec![(200, shown()), (200, taken)]);
    let said = exceptions(&address, &["accept", ID, "--note", "agreed"]);
    assert!(said.right, "{}", said.error);
    asked.recv().unwrap();
    let (path, body) = asked.recv().unwrap();
    assert!(
        path.starts_with(&format!("POST /v1/exceptions/{ID}/decisions")),
        "{path}"
    );
    assert_eq!(body["revision"], 7);
}

#[test]
fn who_may_not_decide_is_told_the_role_that_it_takes() {
    let forbidden = |role: &str| {
        let title = format!(
            "This takes the role {role} in the domain finance at plant-x, or a higher one."
        );
        (403, json!({"code": "forbidden", "title": title}))
    };
    let (address, _) = api(vec![forbidden("viewer"), forbidden("steward")]);
    let said = exceptions(&address, &["accept", ID, "--note", "agreed"]);
    assert!(!said.right);
    assert!(
        said.error.contains("takes the role steward"),
        "{}",
        said.error
    );
}

#[test]
fn an_amendment_whose_totals_do_not_fit_the_lines_is_not_sent() {
    let arguments = [
        "amend",
        ID,
        "--note",
        "mistyped",
        "--set",
        "/lines/0/unitPrice=39",
    ];
    let (address, asked) = api(vec![(200, shown())]);
    let said = exceptions(&address, &arguments);
    assert!(!said.right);
    assert!(
        said.error.contains(
            "with that the lines add up to 468, /totals/net says 480: amend the totals as well"
        ),
        "{}",
        said.error
    );
    assert_eq!(asked.iter().count(), 1);
    let taken = json!({"id": ID, "decision": "amend", "status": "taken", "changes": []});
    let (address, _) = api(vec![(200, shown()), (200, taken)]);
    let said = exceptions(&address, &[&arguments[..], &["--even-so"]].concat());
    assert!(said.right, "{}", said.error);
}

#[test]
fn tables_are_no_wider_than_a_page_where_there_is_no_terminal() {
    let said = interplant(&["errors"]);
    assert!(said.right, "{}", said.error);
    let widest = said.out.lines().map(|line| line.chars().count()).max();
    assert!(
        widest.is_some_and(|widest| widest > 80 && widest <= 160),
        "{widest:?}"
    );
}

#[test]
fn a_demo_in_another_cloud_is_refused() {
    let said = interplant(&["--local", "somewhere", "demo"]);
    assert!(!said.right);
    assert!(
        said.error.contains("starts a local cloud of its own"),
        "{}",
        said.error
    );
}
