//! Faults, the list of calls, and what the sandbox tells of itself.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use interplant_odoo_sandbox::{Effect, Fault, FaultKind, Version};
use serde_json::{Value as Json, json};

use crate::client::{Client, post, request};
use crate::stage::Stage;

const CREATE: [&str; 2] = ["res.partner", "create"];

fn create() -> Json {
    json!({"vals_list": [{"name": "Faulty"}]})
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind).on(CREATE[0], CREATE[1]).times(1)
}

fn created(stage: &Stage) -> usize {
    stage
        .sandbox
        .records("res.partner")
        .unwrap()
        .iter()
        .filter(|partner| partner["name"] == "Faulty")
        .count()
}

#[test]
fn a_refused_call_is_closed_without_effect() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        stage.sandbox.add_fault(fault(FaultKind::Refuse));
        assert!(stage.odoo.send(CREATE[0], CREATE[1], &create()).is_err());
        assert_eq!(created(&stage), 0);
        assert!(
            stage.odoo.send(CREATE[0], CREATE[1], &create()).is_ok(),
            "the fault is used up"
        );
    }
}

#[test]
fn a_dropped_answer_leaves_the_effect_behind() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        stage.sandbox.add_fault(fault(FaultKind::DropAnswer));
        assert!(stage.odoo.send(CREATE[0], CREATE[1], &create()).is_err());
        assert_eq!(created(&stage), 1);
        let last = stage.sandbox.calls().pop().unwrap();
        assert_eq!(
            (last.method.as_str(), last.status, last.outcome.as_deref()),
            ("create", 0, Some("DropAnswer"))
        );
    }
}

#[test]
fn a_status_is_answered_without_effect() {
    let stage = Stage::new(Version::V19);
    stage.sandbox.add_fault(fault(FaultKind::Status));
    let response = stage.odoo.send(CREATE[0], CREATE[1], &create()).unwrap();
    assert_eq!(response.status, 502);
    assert!(response.content.starts_with("text/html"));
    stage
        .sandbox
        .add_fault(fault(FaultKind::Status).status(429));
    assert_eq!(
        stage
            .odoo
            .send(CREATE[0], CREATE[1], &create())
            .unwrap()
            .status,
        429
    );
    assert_eq!(created(&stage), 0);
}

#[test]
fn a_login_page_comes_with_status_200_and_without_effect() {
    let stage = Stage::new(Version::V18);
    stage.sandbox.add_fault(fault(FaultKind::Html));
    let response = stage.odoo.send(CREATE[0], CREATE[1], &create()).unwrap();
    assert_eq!(response.status, 200);
    assert!(response.content.starts_with("text/html") && response.text.contains("login"));
    assert_eq!(created(&stage), 0);
}

#[test]
fn a_truncated_answer_leaves_the_effect_behind() {
    let stage = Stage::new(Version::V18);
    stage.sandbox.add_fault(fault(FaultKind::Truncate));
    let response = stage.odoo.send(CREATE[0], CREATE[1], &create()).unwrap();
    assert!(serde_json::from_str::<Json>(&response.text).is_err());
    assert_eq!(created(&stage), 1);
}

#[test]
fn a_delayed_answer_has_its_effect_before_it_arrives() {
    let stage = Stage::new(Version::V19);
    stage
        .sandbox
        .add_fault(fault(FaultKind::Delay).milliseconds(1000));
    let (answered, answer) = mpsc::channel();
    std::thread::scope(|scope| {
        let client = Client::integration(&stage.sandbox);
        scope.spawn(move || answered.send(client.send(CREATE[0], CREATE[1], &create()).is_ok()));
        until(|| created(&stage) == 1);
        assert!(answer.try_recv().is_err(), "the answer is still on its way");
        assert_eq!(answer.recv(), Ok(true));
    });
}

#[test]
fn a_late_effect_comes_even_when_the_client_has_gone() {
    let stage = Stage::new(Version::V19);
    stage.sandbox.add_fault(
        fault(FaultKind::Delay)
            .milliseconds(1000)
            .effect(Effect::Late),
    );
    let address = stage.sandbox.url();
    let stream = std::net::TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    let body = create().to_string();
    let head = format!(
        "POST /json/2/res.partner/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
        stage.sandbox.api_key(),
        body.len()
    );
    std::io::Write::write_all(&mut &stream, head.as_bytes()).unwrap();
    until(|| {
        stage
            .sandbox
            .calls()
            .iter()
            .any(|call| call.method == "create")
    });
    drop(stream);
    assert_eq!(
        created(&stage),
        0,
        "nothing is committed before the delay is over"
    );
    until(|| created(&stage) == 1);
}

/// Looks until it is so; the sandbox says when, not a clock.
fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::yield_now();
    }
}

#[test]
fn faults_are_switched_over_http_and_cleared() {
    let stage = Stage::new(Version::V19);
    let url = stage.sandbox.url();
    let list = post(
        &url,
        "/_sandbox/faults",
        &[],
        &json!({"kind": "status", "model": "res.partner", "status": 503, "times": null}),
    )
    .unwrap();
    assert_eq!(list.json()[0]["status"], 503);
    for _ in 0..3 {
        assert_eq!(
            stage
                .odoo
                .send(CREATE[0], CREATE[1], &create())
                .unwrap()
                .status,
            503
        );
    }
    assert_eq!(
        request(&url, "DELETE", "/_sandbox/faults", &[], "")
            .unwrap()
            .json(),
        json!([])
    );
    assert_eq!(
        stage
            .odoo
            .send(CREATE[0], CREATE[1], &create())
            .unwrap()
            .status,
        200
    );
    let unknown = post(&url, "/_sandbox/faults", &[], &json!({"kind": "explode"})).unwrap();
    assert_eq!(unknown.status, 400);
}

#[test]
fn calls_are_listed_without_keys_and_can_be_forgotten() {
    for version in Version::ALL {
        let stage = Stage::new(version);
        let order = stage.order("o");
        let url = stage.sandbox.url();
        let text = request(&url, "GET", "/_sandbox/calls", &[], "")
            .unwrap()
            .text;
        assert!(!text.contains(stage.sandbox.api_key()));
        let calls: Json = serde_json::from_str(&text).unwrap();
        let confirmed = calls
            .as_array()
            .unwrap()
            .iter()
            .find(|call| call["method"] == "button_confirm")
            .unwrap();
        assert_eq!(
            (&confirmed["model"], &confirmed["ids"], &confirmed["status"]),
            (&json!("purchase.order"), &json!([order.id]), &json!(200))
        );
        request(&url, "DELETE", "/_sandbox/calls", &[], "").unwrap();
        assert!(stage.sandbox.calls().is_empty());
    }
}

#[test]
fn records_are_dumped_for_tests() {
    let stage = Stage::new(Version::V19);
    let order = stage.order("o");
    let dump = request(
        &stage.sandbox.url(),
        "GET",
        "/_sandbox/records/purchase.order",
        &[],
        "",
    )
    .unwrap()
    .json();
    assert_eq!(dump[0]["id"], order.id);
    assert_eq!(dump[0]["state"], "purchase");
    assert_eq!(
        request(
            &stage.sandbox.url(),
            "GET",
            "/_sandbox/records/no.such",
            &[],
            ""
        )
        .unwrap()
        .status,
        404
    );
}

#[test]
fn a_dropped_sandbox_listens_no_longer() {
    let stage = Stage::new(Version::V19);
    let url = stage.sandbox.url();
    drop(stage);
    assert!(request(&url, "GET", "/web/version", &[], "").is_err());
}

#[test]
fn the_binary_says_where_it_is_and_ends_with_its_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_odoo-sandbox"))
        .args(["--version", "18", "--exit-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let access: Json = serde_json::from_str(&line).unwrap();
    let url = access["url"].as_str().unwrap();
    let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": "common", "method": "authenticate", "args": [access["db"], access["login"], access["api_key"], {}]}});
    assert!(post(url, "/jsonrpc", &[], &body).unwrap().json()["result"].is_i64());
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn every_call_takes_the_time_it_is_given() {
    let options = interplant_odoo_sandbox::SandboxOptions {
        call_duration: Duration::from_millis(50),
        ..Default::default()
    };
    let stage = Stage::with(Version::V19, options);
    let started = std::time::Instant::now();
    stage.odoo.ok(CREATE[0], CREATE[1], create());
    assert!(started.elapsed() >= Duration::from_millis(50));
}
