//! An order made for a test: its four facts, and what must have become of them in Odoo.

use interplant_cli::facts::{self, event, readdressed};
use interplant_cli::world::World;
use interplant_domain::fact::FactKind;
use interplant_domain::identifier::{LifecycleId, LifecycleKind};
use interplant_domain::json::Json;
use interplant_domain::lifecycle::Status;
use interplant_domain::purchase_order::PurchaseOrder;
use serde_json::{Value, json};

use crate::setting::{PATIENCE, lifecycle, plant_b, until};

/// An order of plant B with two lines and a name of its own.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) number: String,
    pub(crate) supplier: String,
    pub(crate) price: String,
}

pub(crate) fn new_order() -> Order {
    let random = uuid::Uuid::new_v4().simple().to_string();
    Order {
        number: format!("T-{}", &random[..10]),
        supplier: "TESTER".to_owned(),
        price: "38.2935".to_owned(),
    }
}

/// Orders whose suppliers and items exist in Odoo.
pub(crate) async fn new_orders(world: &World, count: usize) -> Vec<Order> {
    let orders: Vec<Order> = (0..count).map(|_| new_order()).collect();
    if let Some(first) = orders.first() {
        world
            .create_masters(&plant_b(), &[first.created()])
            .await
            .unwrap();
    }
    orders
}

impl Order {
    pub(crate) fn id(&self) -> LifecycleId {
        LifecycleId::new(LifecycleKind::Po, &plant_b(), &self.number)
    }

    fn event(&self, what: &str, kind: FactKind, data: &Value) -> Value {
        event(
            &plant_b(),
            "erp",
            &format!("{}-{what}", self.number.replace(' ', "_")),
            kind,
            "2026-10-05T08:00:00+02:00",
            data,
        )
    }

    pub(crate) fn created(&self) -> Value {
        let line = |number: &str, item: &str, qty: &str, price: &str| json!({"lineNo": number, "itemId": item, "qty": qty, "uom": "EA", "unitPrice": price, "needDate": "2026-10-20"});
        let lines = [
            line("1", "TEST-FRAME", "12", &self.price),
            line("2", "TEST-FORK", "7.5", "4.04"),
        ];
        self.event("created", FactKind::PoCreated, &json!({"poNumber": self.number, "supplierId": self.supplier, "currency": "USD", "orderDate": "2026-10-05", "lines": lines}))
    }

    pub(crate) fn acknowledged(&self) -> Value {
        let line = |number: &str| json!({"lineNo": number, "status": "accepted", "promisedDate": "2026-10-19"});
        self.event("acknowledged", FactKind::PoAcknowledged, &json!({"poNumber": self.number, "ackNumber": format!("AB-{}", self.number), "lines": [line("1"), line("2")]}))
    }

    /// The supplier announces all of it.
    pub(crate) fn announced(&self) -> Value {
        let line = |number: &str, qty: &str| json!({"poNumber": self.number, "lineNo": number, "qty": qty});
        self.event("announced", FactKind::AsnReceived, &json!({"asnNumber": format!("ASN-{}", self.number), "eta": "2026-10-12", "lines": [line("1", "12"), line("2", "7.5")]}))
    }

    pub(crate) fn received(&self) -> Value {
        self.received_of("received", "", "12", "7.5")
    }

    pub(crate) fn received_of(&self, what: &str, suffix: &str, first: &str, second: &str) -> Value {
        let line = |number: &str, qty: &str| json!({"lineNo": number, "qtyReceived": qty});
        let lines: Vec<Value> = [("1", first), ("2", second)]
            .into_iter()
            .filter(|(_, qty)| *qty != "0")
            .map(|(number, qty)| line(number, qty))
            .collect();
        self.event(what, FactKind::ReceiptPosted, &json!({"receiptNumber": format!("WE-{}{suffix}", self.number), "poNumber": self.number, "lines": lines}))
    }

    pub(crate) fn invoiced(&self) -> Value {
        self.invoiced_at("invoiced", "", &self.price, "489.82")
    }

    pub(crate) fn invoiced_at(&self, what: &str, suffix: &str, price: &str, gross: &str) -> Value {
        let line = |number: &str, qty: &str, price: &str| json!({"poNumber": self.number, "lineNo": number, "qty": qty, "uom": "EA", "unitPrice": price});
        self.event(
            what,
            FactKind::InvoiceReceived,
            &json!({
                "invoiceNumber": format!("RE-{}{suffix}", self.number), "supplierId": self.supplier, "invoiceDate": "2026-10-21", "currency": "USD",
                "lines": [line("1", "12", price), line("2", "7.5", "4.04")],
                "totals": {"net": gross, "tax": "0", "gross": gross}
            }),
        )
    }

    /// The four facts in the order of the business.
    pub(crate) fn facts(&self) -> [Value; 4] {
        [
            self.created(),
            self.acknowledged(),
            self.received(),
            self.invoiced(),
        ]
    }

    /// What stays of the order when times and Odoo's own ids are left out.
    pub(crate) fn outcome(&self, order: &PurchaseOrder) -> String {
        let lines: Vec<_> = order
            .lines
            .iter()
            .map(|line| {
                format!(
                    "{} {} {} {:?}",
                    line.line_no,
                    line.received(),
                    line.invoiced(),
                    line.promised_date
                )
            })
            .collect();
        let receipts: Vec<_> = order
            .receipts
            .iter()
            .map(|receipt| receipt.number.to_string())
            .collect();
        let bills: Vec<_> = order
            .invoices
            .iter()
            .map(|invoice| {
                format!(
                    "{} {}",
                    invoice.number,
                    invoice.bill.as_ref().unwrap().total
                )
            })
            .collect();
        format!(
            "{lines:?} {:?} {receipts:?} {bills:?}",
            order.acknowledgements
        )
        .replace(&self.number, "N")
    }
}

/// Sends a fact and fails if it is not taken.
pub(crate) async fn send(world: &World, fact: &Value) {
    let answer = world.sender(&plant_b()).unwrap().event(fact).await.unwrap();
    assert!(
        matches!(answer.status, 200 | 202),
        "{}: {}",
        answer.status,
        answer.body
    );
}

/// Sends a fact as a nervous sender does: twice, and once more under another id.
pub(crate) async fn send_nervously(world: &World, fact: &Value) {
    send(world, fact).await;
    send(world, fact).await;
    send(world, &readdressed(fact)).await;
}

/// Waits until a fact is in its mailbox, so that the next one comes after it.
pub(crate) async fn delivered(world: &World, fact: &Value) {
    let source = fact["source"].as_str().unwrap();
    let path = format!(
        "/v1/events?source={source}&id={}",
        fact["id"].as_str().unwrap()
    );
    until("the fact is in its mailbox", async || {
        let answer = world.sender(&plant_b()).unwrap().get(&path).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["status"] != "accepted"
    })
    .await;
}

pub(crate) async fn settle(world: &World, orders: &[Order]) {
    let ids: Vec<_> = orders.iter().map(Order::id).collect();
    world.settle(&ids, PATIENCE, |_| {}).await.unwrap();
}

/// The order is closed, and Odoo holds one order, its receipts and one bill, each found by what we wrote.
pub(crate) async fn assert_done_once(world: &World, order: &Order, receipts: usize) {
    let lifecycle = lifecycle(world, &order.id()).await;
    assert_eq!(
        lifecycle.header.status,
        Status::Closed,
        "{}: {:?} {:?}",
        order.number,
        lifecycle.exceptions,
        lifecycle.entries
    );
    assert_eq!(lifecycle.entries, [], "{}: facts are left", order.number);
    let known = lifecycle.header.order.unwrap();
    let id = known.in_odoo.as_ref().unwrap().id;

    // The order, by its external id and by its origin: one.
    let external = order.id().external_id();
    let by_external = world
        .odoo
        .load(
            "purchase.order",
            &["id"],
            vec![vec![external.as_str().to_owned()]],
        )
        .await
        .unwrap();
    assert_eq!(by_external, [id], "{}", order.number);
    let found = world
        .odoo
        .search_read(
            "purchase.order",
            json!([["origin", "=", order.id().to_string()]]),
            &["state", "picking_ids", "invoice_ids", "partner_ref"],
        )
        .await
        .unwrap();
    assert_eq!(found.len(), 1, "{}: {found:?}", order.number);
    let state = found[0].get("state").and_then(Json::as_str).unwrap();
    assert!(
        matches!(state, "purchase" | "done"),
        "{}: {state}",
        order.number
    );

    // Receipts, by our reference: as many as were reported, nothing left open.
    let ids = |field: &str| -> Vec<i64> {
        found[0]
            .get(field)
            .and_then(Json::as_array)
            .unwrap()
            .iter()
            .filter_map(Json::as_i64)
            .collect()
    };
    let pickings = world
        .odoo
        .search_read(
            "stock.picking",
            json!([["id", "in", ids("picking_ids")]]),
            &["state", "note"],
        )
        .await
        .unwrap();
    let done = pickings
        .iter()
        .filter(|picking| picking.get("state").and_then(Json::as_str) == Some("done"));
    let ours = done.filter(|picking| {
        picking
            .get("note")
            .and_then(Json::as_str)
            .is_some_and(|note| note.contains(external.as_str()))
    });
    assert_eq!(ours.count(), receipts, "{}: {pickings:?}", order.number);
    assert_eq!(pickings.len(), receipts, "{}: {pickings:?}", order.number);
    assert_eq!(known.receipts.len(), receipts);

    // The bill, by its external id and by the supplier's number: one, posted.
    let bill = known.invoices[0].bill.as_ref().unwrap();
    let external = external.part("bill", known.invoices[0].number.as_str());
    let by_external = world
        .odoo
        .load(
            "account.move",
            &["id"],
            vec![vec![external.as_str().to_owned()]],
        )
        .await
        .unwrap();
    assert_eq!(by_external, [bill.id], "{}", order.number);
    let bills = world
        .odoo
        .search_read(
            "account.move",
            json!([["ref", "=", known.invoices[0].number.as_str()]]),
            &["state", "amount_total"],
        )
        .await
        .unwrap();
    assert_eq!(bills.len(), 1, "{}: {bills:?}", order.number);
    assert_eq!(
        bills[0].get("state").and_then(Json::as_str),
        Some("posted"),
        "{}",
        order.number
    );
    assert_eq!(
        ids("invoice_ids"),
        [bill.id],
        "{}: billed outside",
        order.number
    );
}

pub(crate) fn assert_fact_is_readable(fact: &Value) {
    assert!(facts::fact(fact).is_some(), "{fact}");
}
