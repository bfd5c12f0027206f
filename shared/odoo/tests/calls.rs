//! What exactly is sent, and what is made of answers that mislead.

use interplant_domain::exception::Code;
use interplant_domain::identifier::ExternalId;
use interplant_domain::json::Json;
use interplant_odoo::{
    Class, Declaration, DeclaredMove, DeclaredPart, Error, Guard, NewOrder, NewOrderLine,
    RefusedKind, Version, model,
};
use serde_json::json as value;

use crate::server::{KEY, connected, exception, result};

const DONE: &str = r#"[{"id": 3, "state": "done"}]"#;
const OPEN: &str = r#"[{"id": 3, "state": "assigned"}]"#;
const DIALOGUE: &str = r#"{"type": "ir.actions.act_window", "res_model": "stock.backorder.confirmation", "context": {}}"#;

fn xid(text: &str) -> ExternalId {
    ExternalId::configured(text.to_owned())
}

fn declaration(quantity: &str) -> Declaration {
    Declaration {
        reference: "interplant picking 3 receipt R<7> & co".into(),
        guard: Some(Guard {
            operation_type: 4,
            scheduled: "2026-11-20 10:00:00".into(),
        }),
        moves: [(11, quantity), (12, "0")]
            .map(|(id, quantity)| DeclaredMove {
                id,
                unit: 1,
                product: 5,
                lines: Vec::new(),
                parts: vec![DeclaredPart {
                    quantity: quantity.parse().unwrap(),
                    lot: None,
                    to: None,
                }],
            })
            .into(),
    }
}

fn order(quantity: &str, price: &str) -> NewOrder {
    NewOrder {
        external_id: xid("interplant.po_1"),
        partner: xid("interplant.partner_acme"),
        currency: xid("base.USD"),
        company: xid("base.main_company"),
        receipt_type: xid("stock.picking_type_in"),
        order_date: "2026-11-23"
            .parse()
            .map(interplant_domain::fact::Day)
            .unwrap(),
        reference: "po/plant-b/4711".into(),
        lines: ["10", "20"]
            .map(|number| NewOrderLine {
                external_id: xid("interplant.po_1").part("line", number),
                item: xid("interplant.item_bolt"),
                description: "Bolt, M8\n\"zinc\"".into(),
                quantity: quantity.parse().unwrap(),
                unit: xid("uom.product_uom_unit"),
                price: price.parse().unwrap(),
                planned: "2026-12-01"
                    .parse()
                    .map(interplant_domain::fact::Day)
                    .unwrap(),
                tax: (number == "10").then(|| xid("account.1_purchase_tax_template")),
            })
            .into(),
    }
}

#[tokio::test]
async fn nineteen_is_called_over_json_2() {
    let (client, server) = connected(Version::V19, vec![result(Version::V19, "[]")]).await;
    client
        .search_read(model::ORDER, value!([["name", "=", "P1"]]), &["name"])
        .await
        .unwrap();
    let asked = server.asked().pop().unwrap();
    let head = asked.head.to_ascii_lowercase();
    assert!(
        asked
            .head
            .starts_with("POST /json/2/purchase.order/search_read HTTP/1.1"),
        "{}",
        asked.head
    );
    for line in [
        format!("authorization: bearer {KEY}"),
        "x-odoo-database: works".into(),
        "content-type: application/json".into(),
    ] {
        assert!(
            head.lines().any(|found| found == line),
            "{line} is missing in {head}"
        );
    }
    assert!(
        !head.contains("accept-encoding"),
        "a packed answer could be larger than the limit when unpacked"
    );
    assert_eq!(
        asked.body,
        r#"{"domain":[["name","=","P1"]],"fields":["name"],"context":{"tz":"UTC","lang":"en_US"}}"#
    );
}

#[tokio::test]
async fn seventeen_and_eighteen_are_called_over_json_rpc() {
    for version in [Version::V17, Version::V18] {
        let (client, server) = connected(version, vec![result(version, "true")]).await;
        client.confirm_order(36).await.unwrap();
        let asked = server.asked();
        assert_eq!(asked.len(), 4, "version, user, digits, and the call");
        assert!(
            asked
                .iter()
                .skip(1)
                .all(|asked| asked.head.starts_with("POST /jsonrpc HTTP/1.1"))
        );
        assert_eq!(
            asked[3].body,
            format!(
                r#"{{"jsonrpc":"2.0","method":"call","id":1,"params":{{"service":"object","method":"execute_kw","args":["works",7,"{KEY}","purchase.order","button_confirm",[[36]],{{"context":{{"tz":"UTC","lang":"en_US"}}}}]}}}}"#
            )
        );
    }
}

#[tokio::test]
async fn an_order_is_one_create_once_load() {
    for version in Version::ALL {
        let (client, server) = connected(
            version,
            vec![result(
                version,
                r#"{"ids": [2], "messages": [], "nextrow": 0}"#,
            )],
        )
        .await;
        assert_eq!(
            client.create_order(&order("5", "38.2935")).await.unwrap(),
            2
        );
        let body = server.asked().pop().unwrap().body;
        let (unit, taxes) = if version == Version::V19 {
            ("product_uom_id", "tax_ids")
        } else {
            ("product_uom", "taxes_id")
        };
        let fields = format!(
            r#""fields":["id","partner_id/id","currency_id/id","company_id/id","date_order","origin","picking_type_id/id","order_line/id","order_line/product_id/id","order_line/name","order_line/product_qty","order_line/{unit}/id","order_line/price_unit","order_line/date_planned","order_line/{taxes}/id"]"#
        );
        let rows = r#""data":[["interplant.po_1","interplant.partner_acme","base.USD","base.main_company","2026-11-23 12:00:00","po/plant-b/4711","stock.picking_type_in","interplant.po_1_line_10","interplant.item_bolt","Bolt, M8\n\"zinc\"","5","uom.product_uom_unit","38.2935","2026-12-01 12:00:00","account.1_purchase_tax_template"],["","","","","","","","interplant.po_1_line_20","interplant.item_bolt","Bolt, M8\n\"zinc\"","5","uom.product_uom_unit","38.2935","2026-12-01 12:00:00",""]]"#;
        let context = r#""context":{"tz":"UTC","lang":"en_US","mode":"update","noupdate":true}"#;
        for part in [fields.as_str(), rows, context] {
            assert!(body.contains(part), "{part}\nis not in\n{body}");
        }
    }
}

#[tokio::test]
async fn what_odoo_would_round_is_not_sent() {
    for version in Version::ALL {
        let (client, server) = connected(version, Vec::new()).await;
        let before = server.asked().len();
        let error = client
            .create_order(&order("5.1234", "1"))
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Refused {
                    kind: RefusedKind::Precision,
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(
            error.class(),
            Class::BusinessException(Code::AmountPrecision)
        );
        assert!(
            client
                .declare_receipt(3, &declaration("0.1234"))
                .await
                .is_err()
        );
        assert_eq!(server.asked().len(), before);
    }
    // A fraction that the order keeps and the receipt would round: 17 and 18 round by the unit.
    for version in [Version::V17, Version::V18] {
        let script = vec![
            result(version, r#"{"ids": [1], "messages": [], "nextrow": 0}"#),
            result(version, r#"[{"id": 1, "rounding": 0.01}]"#),
        ];
        let (client, _server) = connected(version, script).await;
        let error = client.create_order(&order("5.125", "1")).await.unwrap_err();
        assert!(
            error.to_string().contains("uom.product_uom_unit"),
            "{error}"
        );
        assert_eq!(
            error.class(),
            Class::BusinessException(Code::AmountPrecision)
        );
    }
}

#[tokio::test]
async fn a_declaration_is_guarded_by_the_header_and_every_unit_and_exact() {
    for version in Version::ALL {
        let shape = r#"[{"id": 3, "name": "WH/IN/3", "state": "assigned", "picking_type_code": "incoming", "picking_type_id": 4, "scheduled_date": "2026-11-20 10:00:00", "backorder_id": false, "note": "<p>interplant picking 3 receipt R&lt;7&gt; &amp; co</p>",
            "move_ids": [{"id": 11, "state": "partially_available", "product_id": 5, "has_tracking": "none", "move_line_ids": [9], "purchase_line_id": 5, "location_id": 4, "product_uom": 1, "product_qty": 5.0, "product_uom_qty": 5.0, "quantity": 2.3000000000000003, "picked": true}]}]"#;
        let (client, server) = connected(version, vec![result(version, shape)]).await;
        let picking = client
            .declare_receipt(3, &declaration("2.3"))
            .await
            .unwrap();
        assert_eq!(
            picking.note.as_deref(),
            Some("interplant picking 3 receipt R<7> & co")
        );
        assert_eq!(picking.moves[0].quantity.to_string(), "2.3");
        let body = server.asked().pop().unwrap().body;
        let guard = match version {
            Version::V17 => r#""scheduled_date":"2026-11-20 10:00:00""#,
            Version::V18 | Version::V19 => r#""picking_type_id":4"#,
        };
        let values = r#""note":"interplant picking 3 receipt R&lt;7&gt; &amp; co","move_ids":[[1,11,{"product_uom":1,"quantity":2.3,"picked":true}],[1,12,{"product_uom":1,"quantity":0,"picked":false}]]}"#;
        assert!(
            body.contains(&format!(r#""vals":{{{guard},{values}"#)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn the_state_decides_whether_a_record_is_closed() {
    for version in Version::ALL {
        let refused = || {
            exception(
                version,
                422,
                "odoo.exceptions.UserError",
                "You cannot change the UoM for a stock move that has been set to 'Done'.",
            )
        };
        let raced = || {
            exception(
                version,
                422,
                "odoo.exceptions.ValidationError",
                "The operation cannot be completed: Error, a partner cannot follow twice the same object.",
            )
        };

        let (client, _server) = connected(
            version,
            vec![
                refused(),
                result(version, DONE),
                raced(),
                result(version, DONE),
            ],
        )
        .await;
        assert!(matches!(
            client.declare_receipt(3, &declaration("1")).await,
            Err(Error::NotOpen { .. })
        ));
        assert!(matches!(
            client.validate_receipt(3).await,
            Err(Error::NotOpen { .. })
        ));

        let (client, _server) = connected(
            version,
            vec![
                refused(),
                result(version, OPEN),
                raced(),
                result(version, OPEN),
            ],
        )
        .await;
        assert!(matches!(
            client.declare_receipt(3, &declaration("1")).await,
            Err(Error::Refused {
                kind: RefusedKind::Other,
                ..
            })
        ));
        assert!(matches!(
            client.validate_receipt(3).await,
            Err(Error::Busy { .. })
        ));

        let posted = result(version, r#"[{"id": 3, "state": "posted"}]"#);
        let twice = exception(
            version,
            422,
            "odoo.exceptions.UserError",
            "The entry BILL/2026/11/0001 (id 3) must be in draft.",
        );
        let (client, _server) = connected(version, vec![twice, posted]).await;
        assert!(matches!(
            client.post_bill(3).await,
            Err(Error::NotOpen { .. })
        ));
    }
}

#[tokio::test]
async fn a_dialogue_is_not_a_yes() {
    for version in Version::ALL {
        let script = || {
            vec![
                result(version, DIALOGUE),
                result(version, OPEN),
                result(version, DIALOGUE),
                result(version, DONE),
            ]
        };
        let (client, _server) = connected(version, script()).await;
        let asked = client.validate_receipt(3).await.unwrap_err();
        assert!(
            matches!(&asked, Error::WizardAsked { message } if message == "stock.backorder.confirmation"),
            "{asked:?}"
        );
        client.validate_receipt(3).await.unwrap();

        let bill = |state: &str| result(version, &format!(r#"[{{"id": 3, "state": "{state}"}}]"#));
        let (client, _server) = connected(
            version,
            vec![
                result(version, DIALOGUE),
                bill("draft"),
                result(version, DIALOGUE),
                bill("posted"),
            ],
        )
        .await;
        assert!(matches!(
            client.post_bill(3).await,
            Err(Error::WizardAsked { .. })
        ));
        client.post_bill(3).await.unwrap();
    }
}

#[tokio::test]
async fn a_method_that_returns_nothing_is_a_success() {
    let (client, _server) = connected(
        Version::V18,
        vec![crate::server::json(200, r#"{"jsonrpc": "2.0", "id": 1}"#)],
    )
    .await;
    client.confirm_order(1).await.unwrap();
    let (client, _server) = connected(Version::V19, vec![result(Version::V19, "null")]).await;
    client.confirm_order(1).await.unwrap();
}

#[tokio::test]
async fn a_missing_record_is_none_and_a_look_up_creates_nothing() {
    for version in Version::ALL {
        let missing = r#"{"ids": false, "messages": [{"type": "error", "record": 0, "message": "Missing required value for the field 'Date' (date)", "field": "date"}], "nextrow": 0}"#;
        let busy = r#"{"ids": false, "messages": [{"message": "could not serialize access due to concurrent update\n"}], "nextrow": 0}"#;
        let (client, server) = connected(
            version,
            vec![
                result(version, "[]"),
                result(version, missing),
                result(version, busy),
            ],
        )
        .await;
        assert_eq!(client.order(99).await.unwrap(), None);
        assert_eq!(
            client
                .find(model::BILL, &xid("interplant.nope"))
                .await
                .unwrap(),
            None
        );
        assert!(
            server
                .asked()
                .pop()
                .unwrap()
                .body
                .contains(r#""fields":["id","date"],"data":[["interplant.nope",""]]"#)
        );
        assert!(matches!(
            client.find(model::ORDER, &xid("interplant.nope")).await,
            Err(Error::Busy { .. })
        ));
        assert!(matches!(
            client.find(model::QUANT, &xid("interplant.nope")).await,
            Err(Error::Caller { .. })
        ));
    }
}

#[tokio::test]
async fn a_bill_in_a_locked_period_shows_it() {
    for version in Version::ALL {
        let locks = |main: &str, tax: &str| {
            let others = if version == Version::V17 {
                r#""period_lock_date": false"#
            } else {
                r#""purchase_lock_date": false, "hard_lock_date": false"#
            };
            format!(
                r#"{{"id": 1, "fiscalyear_lock_date": {main}, {others}, "tax_lock_date": {tax}}}"#
            )
        };
        let bill = |company: &str, taxes: &str| {
            result(
                version,
                &format!(
                    r#"[{{"id": 3, "name": false, "state": "draft", "move_type": "in_invoice", "ref": "INV-1", "partner_id": 11, "currency_id": 1, "invoice_date": "2026-09-15", "date": "2026-09-15",
                "amount_untaxed": 2.5, "amount_tax": 0.0, "amount_total": 2.5, "company_id": {company}, "invoice_line_ids": [
                {{"id": 1, "display_type": "line_note"}},
                {{"id": 2, "display_type": "product", "purchase_line_id": {{"id": 5, "qty_invoiced": 1.0}}, "product_id": 7, "product_uom_id": 1, "account_id": 32, "tax_ids": {taxes}, "quantity": 1.0, "price_unit": 2.5, "price_subtotal": 2.5}}]}}]"#
                ),
            )
        };
        let (none, september) = ("false", "\"2026-09-30\"");
        for (company, taxes, locked) in [
            (locks(none, none), "[2]", false),
            (locks(september, none), "[]", true),
            (locks(none, september), "[]", false),
            (locks(none, september), "[2]", true),
            (locks("\"2026-09-14\"", none), "[]", false),
        ] {
            let (client, _server) = connected(version, vec![bill(&company, taxes)]).await;
            let bill = client.bill(3).await.unwrap().unwrap();
            assert_eq!(bill.is_period_locked(), locked, "{company} {taxes}");
            assert_eq!(bill.lines.len(), 1, "notes are not lines");
            assert_eq!(
                (bill.lines[0].order_line, bill.lines[0].order_line_invoiced),
                (Some(5), Some("1".parse().unwrap()))
            );
        }
    }
}

#[tokio::test]
async fn the_context_is_the_same_whoever_the_user_is() {
    let (client, server) = connected(
        Version::V19,
        vec![result(Version::V19, "[]"), result(Version::V19, "true")],
    )
    .await;
    client.order(1).await.unwrap();
    client.validate_receipt(1).await.unwrap();
    for asked in server.asked().iter().skip(1) {
        let json = asked.json();
        let context = json.get("context").unwrap();
        assert_eq!(context.get("tz").and_then(Json::as_str), Some("UTC"));
        assert_eq!(context.get("lang").and_then(Json::as_str), Some("en_US"));
    }
}

#[tokio::test]
async fn missing_rights_and_digits_are_named() {
    for version in Version::ALL {
        let mut script = vec![result(
            version,
            r#"{"price_unit": {"digits": [16, 2]}, "product_qty": {"digits": [16, 6]}}"#,
        )];
        if version != Version::V19 {
            script.push(result(version, r#"[{"id": 1, "name": "Units", "rounding": 0.01}, {"id": 2, "name": "kg", "rounding": 1e-06}]"#));
        }
        // The third right is missing.
        script.extend(
            (0..10).map(|right| result(version, if right == 2 { "false" } else { "true" })),
        );
        if version == Version::V19 {
            script.push(result(
                version,
                r#"{"lang": "en_US", "tz": "UTC", "uid": 5}"#,
            ));
        }
        script.push(result(version, "false"));
        script.push(result(version, r#"[{"id": 1, "name": "Works", "po_double_validation": "two_step", "po_double_validation_amount": 5000.0}]"#));
        let (client, server) = connected(version, script).await;
        let settings = client.wanted_settings().await.unwrap();
        let unmet: Vec<_> = settings
            .iter()
            .filter(|setting| !setting.met)
            .map(|setting| setting.name.as_str())
            .collect();
        let rounding = if version == Version::V19 {
            vec![]
        } else {
            vec!["rounding of units of measure"]
        };
        assert_eq!(
            unmet,
            [
                vec!["decimal accuracy `Product Price`"],
                rounding,
                vec!["may create order lines", "may post bills"]
            ]
            .concat()
        );
        assert!(settings.iter().any(
            |setting| setting.name == "order approval in Works" && setting.is.contains("5000")
        ));
        assert!(
            !settings.iter().any(|setting| setting.is.contains("kg")),
            "kg is fine enough"
        );
        let asked = server.asked();
        let group = asked
            .iter()
            .find(|asked| asked.body.contains("account.group_account_invoice"))
            .unwrap();
        match version {
            Version::V17 => assert!(group.body.contains(r#""res.users","has_group",["account.group_account_invoice"],{}]"#), "{}", group.body),
            Version::V18 => assert!(group.body.contains(r#""res.users","has_group",[[7]],{"group_ext_id":"account.group_account_invoice""#), "{}", group.body),
            Version::V19 => assert!(group.body.starts_with(r#"{"ids":[5],"group_ext_id":"account.group_account_invoice""#), "{}", group.body),
        }
    }
}

/// Everything that anybody logs, kept.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_has_a_line_for_each_call_and_never_a_body_or_the_key() {
    let log = Log::default();
    let written = log.clone();
    // For the whole process, whatever runs beside this test: what others log must not show the key either.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_thread_names(true)
        .with_writer(move || written.clone())
        .init();
    let own = format!(" {} ", std::thread::current().name().unwrap());
    for version in Version::ALL {
        let (client, _server) = connected(
            version,
            vec![
                result(version, r#"{"ids": [2], "messages": [], "nextrow": 0}"#),
                result(version, "true"),
            ],
        )
        .await;
        client.create_order(&order("5", "38.29")).await.unwrap();
        client.confirm_order(36).await.unwrap();
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| {
            line.contains("DEBUG") && line.contains(&own) && line.contains(" interplant_odoo::")
        })
        .collect();
    assert_eq!(lines.len(), 2 + 3 + 3 + 3 * 2, "{lines:?}");
    let confirmed = lines
        .iter()
        .filter(|line| line.contains("button_confirm"))
        .collect::<Vec<_>>();
    assert_eq!(confirmed.len(), 3);
    for field in [
        "odoo.model=\"purchase.order\"",
        "odoo.ids=1",
        "http.status=200",
        "duration_ms=",
        "outcome=\"ok\"",
    ] {
        assert!(
            confirmed.iter().all(|line| line.contains(field)),
            "{field}: {confirmed:?}"
        );
    }
    assert!(!text.contains(KEY) && !text.contains("zinc"), "{text}");
}
