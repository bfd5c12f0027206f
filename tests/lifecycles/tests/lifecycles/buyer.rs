//! A buyer who works in Odoo, the plant whose orders that are, and what must have become of them.

use std::collections::BTreeSet;
use std::time::Duration;

use interplant_cli::facts::{event, readdressed};
use interplant_cli::world::World;
use interplant_domain::exception::{Code as ExceptionCode, Decision};
use interplant_domain::fact::{Code, Day, FactKind};
use interplant_domain::identifier::{ExternalId, LifecycleId, LifecycleKind, PlantCode};
use interplant_domain::json::Json;
use interplant_domain::lifecycle::{Lifecycle, Status};
use interplant_domain::plant::{Plant, Watch};
use interplant_domain::purchase_order::PurchaseOrder;
use interplant_odoo::{Limits, Version, http_client};
use interplant_runtime::outbox::Shelf;
use serde_json::{Value, json};

use crate::setting::{self, PATIENCE, given, lifecycle, plant_b, until};

/// Two hundred orders at once are more than a step would wait for.
const PATIENT: Limits = Limits {
    connect: Duration::from_secs(3),
    answer: Duration::from_secs(140),
    answer_bytes: 8 << 20,
};

/// A plant whose orders a buyer makes in Odoo, with an operation type of its own.
pub(crate) struct Watching<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) plant: Plant,
    /// Odoo's id of the operation type.
    receipts: i64,
    user: Value,
}

impl<'w> Watching<'w> {
    pub(crate) async fn begin(world: &'w mut World) -> Self {
        let random = uuid::Uuid::new_v4().simple().to_string();
        let run = &random[..8];
        let mut plant = world.plants[&plant_b()].clone();
        plant.plant = format!("watch-{run}").parse().unwrap();
        plant.odoo.partners = "interplant.watch_partner".to_owned();
        plant.odoo.items = "interplant.watch_item".to_owned();
        plant.odoo.receipt_type = format!("interplant.watch_{run}_receipts");
        let yesterday = world.cloud.context.now() - jiff::SignedDuration::from_hours(24);
        let since = Day(yesterday.to_zoned(jiff::tz::TimeZone::UTC).date());
        plant.odoo.watch = Some(Watch {
            purchase_orders_since: since,
            overlap_seconds: 60,
            codes: BTreeSet::new(),
        });
        let columns = [
            "id",
            "name",
            "code",
            "sequence_code",
            "company_id/id",
            "warehouse_id/id",
            "default_location_src_id/id",
            "default_location_dest_id/id",
        ];
        let row = [
            plant.odoo.receipt_type.as_str(),
            "Receipts of a test",
            "incoming",
            // Odoo numbers receipts by it, and a number exists once.
            run,
            "base.main_company",
            "stock.warehouse0",
            "stock.stock_location_suppliers",
            "stock.stock_location_stock",
        ];
        let row = vec![row.map(str::to_owned).to_vec()];
        let loaded = world.odoo.load("stock.picking.type", &columns, row).await;
        let receipts = loaded.unwrap()[0];
        world.add_plant(&plant).await.unwrap();
        let plant = world.plants[&plant.plant].clone();
        let mut it = Self {
            world,
            plant,
            receipts,
            user: Value::Null,
        };
        if it.world.odoo.version() != Version::V19 {
            let credentials = it.world.credentials().clone();
            let args = json!([credentials.db, credentials.login, credentials.api_key, {}]);
            it.user = it.rpc("common", "authenticate", args).await;
        }
        it.masters().await;
        it
    }

    pub(crate) fn code(&self) -> &PlantCode {
        &self.plant.plant
    }

    /// Suppliers and items as a plant's own order names them.
    pub(crate) async fn masters(&self) {
        let line = |no: &str, item: &str| json!({"lineNo": no, "itemId": item, "qty": "1", "uom": "EA", "unitPrice": "1"});
        let lines = [line("1", "WATCH-FRAME"), line("2", "WATCH-FORK")];
        let order = json!({"poNumber": "none", "supplierId": "WATCH-TESTER", "currency": "USD", "orderDate": "2026-10-05", "lines": lines});
        let created = self.event("none", FactKind::PoCreated, &order);
        self.world
            .create_masters(self.code(), &[created])
            .await
            .unwrap();
    }

    /// Nobody reads for this plant any more: other tests count calls.
    pub(crate) async fn end(&mut self) {
        self.plant.odoo.watch = None;
        self.world.add_plant(&self.plant).await.unwrap();
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let credentials = self.world.credentials();
        let http = http_client(&PATIENT).unwrap();
        let request = http
            .post(format!("{}{path}", credentials.url))
            .bearer_auth(&credentials.api_key)
            .header("X-Odoo-Database", &credentials.db)
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert!(
            status.is_success() && read.get("error").is_none(),
            "{path} {body}: {text}"
        );
        read
    }

    pub(crate) async fn rpc(&self, service: &str, method: &str, args: Value) -> Value {
        let params = json!({"service": service, "method": method, "args": args});
        let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params});
        self.post("/jsonrpc", body).await["result"].clone()
    }

    /// What a person does in Odoo.
    pub(crate) async fn by_hand(
        &self,
        model: &str,
        method: &str,
        ids: Option<&[i64]>,
        values: Option<Value>,
    ) -> Value {
        let argument = if method == "create" {
            "vals_list"
        } else {
            "vals"
        };
        if self.world.odoo.version() == Version::V19 {
            let mut body = json!({});
            if let Some(ids) = ids {
                body["ids"] = json!(ids);
            }
            if let Some(values) = values {
                body[argument] = values;
            }
            return self.post(&format!("/json/2/{model}/{method}"), body).await;
        }
        let credentials = self.world.credentials().clone();
        let positional: Vec<Value> = ids
            .map(|ids| json!(ids))
            .into_iter()
            .chain(values)
            .collect();
        let args = json!([
            credentials.db,
            self.user,
            credentials.api_key,
            model,
            method,
            positional,
            {}
        ]);
        self.rpc("object", "execute_kw", args).await
    }

    pub(crate) async fn find(&self, model: &str, id: &ExternalId) -> i64 {
        self.world.odoo.find(model, id).await.unwrap().unwrap()
    }

    /// What a buyer fills in for an order of two lines.
    pub(crate) async fn values(&self, partner: i64) -> Value {
        let item = async |code: &str| {
            let code = Code::new(code);
            self.find("product.product", &self.plant.item(&code)).await
        };
        let (frame, fork) = (item("WATCH-FRAME").await, item("WATCH-FORK").await);
        let taxes = match self.world.odoo.version() {
            Version::V17 | Version::V18 => "taxes_id",
            Version::V19 => "tax_ids",
        };
        let line = |item: i64, qty: f64, price: f64| json!([0, 0, {"product_id": item, "product_qty": qty, "price_unit": price, "date_planned": "2026-12-20 09:00:00", taxes: [[6, 0, []]]}]);
        json!({
            "partner_id": partner, "picking_type_id": self.receipts,
            "order_line": [line(frame, 12.0, 20.0), line(fork, 8.0, 4.5)]
        })
    }

    pub(crate) async fn partner(&self) -> i64 {
        let code = Code::new("WATCH-TESTER");
        self.find("res.partner", &self.plant.partner(&code)).await
    }

    /// Orders that a buyer has made and not confirmed.
    pub(crate) async fn drafts(&self, count: usize) -> Vec<i64> {
        let values = self.values(self.partner().await).await;
        let many = json!(vec![values; count]);
        let made = self
            .by_hand("purchase.order", "create", None, Some(many))
            .await;
        made.as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_i64().unwrap())
            .collect()
    }

    pub(crate) async fn press(&self, button: &str, ids: &[i64]) {
        self.by_hand("purchase.order", button, Some(ids), None)
            .await;
    }

    pub(crate) async fn confirmed(&self) -> Bought<'_, 'w> {
        let id = self.drafts(1).await[0];
        self.press("button_confirm", &[id]).await;
        self.bought(id).await
    }

    pub(crate) async fn bought(&self, id: i64) -> Bought<'_, 'w> {
        let found = self
            .world
            .odoo
            .search_read("purchase.order", json!([["id", "=", id]]), &["name"])
            .await
            .unwrap();
        let number = found[0]
            .get("name")
            .and_then(Json::as_str)
            .unwrap()
            .to_owned();
        Bought {
            at: self,
            id,
            number,
        }
    }

    pub(crate) fn event(&self, id: &str, kind: FactKind, data: &Value) -> Value {
        event(
            self.code(),
            "erp",
            id,
            kind,
            "2026-10-05T08:00:00+02:00",
            data,
        )
    }

    pub(crate) async fn read_now(&self) {
        let queues = &self.world.cloud.context.queues;
        queues.watch(None, Duration::ZERO).await.unwrap();
    }

    /// Lifecycles of the plant, however they came to be.
    pub(crate) async fn lifecycles(&self) -> Vec<LifecycleId> {
        let store = &self.world.cloud.context.store;
        let headers = store.list(self.code(), 1000).await.unwrap();
        headers.into_iter().map(|header| header.id).collect()
    }
}

/// An order that a buyer made.
pub(crate) struct Bought<'a, 'w> {
    pub(crate) at: &'a Watching<'w>,
    pub(crate) id: i64,
    pub(crate) number: String,
}

impl Bought<'_, '_> {
    pub(crate) fn lifecycle_id(&self) -> LifecycleId {
        LifecycleId::new(LifecycleKind::Po, self.at.code(), &self.number)
    }

    pub(crate) async fn record(&self) -> Option<Lifecycle> {
        self.at.world.lifecycle(&self.lifecycle_id()).await.unwrap()
    }

    pub(crate) async fn order(&self) -> Option<PurchaseOrder> {
        self.record().await.and_then(|one| one.header.order)
    }

    /// Reads until something is so of the order.
    pub(crate) async fn becomes(
        &self,
        what: &str,
        so: impl Fn(&PurchaseOrder) -> bool,
    ) -> PurchaseOrder {
        until(what, async || {
            self.at.read_now().await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            self.order().await.as_ref().is_some_and(&so)
        })
        .await;
        self.order().await.unwrap()
    }

    pub(crate) async fn taken_over(&self) -> PurchaseOrder {
        self.becomes("the order is taken over", |order| order.in_odoo.is_some())
            .await
    }

    pub(crate) async fn send(&self, kind: &str, what: &str, data: Value) {
        let kind = FactKind::from_event_type(&format!("interplant.{kind}.v1")).unwrap();
        let run = self.at.code();
        let fact = self
            .at
            .event(&format!("{run}-{}-{what}", self.number), kind, &data);
        for fact in [&fact, &fact, &readdressed(&fact)] {
            let sender = self.at.world.sender(self.at.code()).unwrap();
            let answer = sender.event(fact).await.unwrap();
            assert!(matches!(answer.status, 200 | 202), "{}", answer.body);
        }
    }

    pub(crate) async fn settle(&self) -> Lifecycle {
        let ids = [self.lifecycle_id()];
        self.at.world.settle(&ids, PATIENCE, |_| {}).await.unwrap();
        lifecycle(self.at.world, &self.lifecycle_id()).await
    }

    pub(crate) async fn acknowledge(&self) {
        let line =
            |no: &str| json!({"lineNo": no, "status": "accepted", "promisedDate": "2026-12-22"});
        self.send("po.acknowledged", "ack", json!({"poNumber": self.number, "ackNumber": format!("AB-{}-{}", self.at.code(), self.number), "lines": [line("1"), line("2")]})).await;
    }

    pub(crate) async fn receive(&self, first: &str, second: &str) {
        let line = |no: &str, qty: &str| json!({"lineNo": no, "qtyReceived": qty});
        self.send("receipt.posted", "receipt", json!({"receiptNumber": format!("WE-{}-{}", self.at.code(), self.number), "poNumber": self.number, "lines": [line("1", first), line("2", second)]})).await;
    }

    pub(crate) async fn invoice(&self, first: &str, second: &str, net: &str) {
        let line = |no: &str, qty: &str, price: &str| json!({"poNumber": self.number, "lineNo": no, "qty": qty, "uom": "EA", "unitPrice": price});
        self.send("invoice.received", "invoice", json!({
            "invoiceNumber": self.invoice_number(), "supplierId": "WATCH-TESTER", "invoiceDate": "2026-11-21", "currency": "USD",
            "lines": [line("1", first, "20"), line("2", second, "4.5")], "totals": {"net": net, "tax": "0", "gross": net}
        })).await;
    }

    pub(crate) fn invoice_number(&self) -> String {
        format!("RE-{}-{}", self.at.code(), self.number)
    }

    /// Codes of the open exceptions.
    pub(crate) async fn codes(&self) -> Vec<ExceptionCode> {
        let found = self.record().await;
        let raised = found.map(|found| found.exceptions).unwrap_or_default();
        raised.iter().map(|raised| raised.exception.code).collect()
    }

    pub(crate) async fn decide(&self, decision: Decision) {
        let found = self.record().await.unwrap();
        let given = given(&found.exceptions[0], decision);
        let id = self.lifecycle_id();
        setting::decide(self.at.world, &id, &given).await.unwrap();
    }

    /// What a buyer writes into a line: quantity, price and day.
    pub(crate) async fn write_line(&self, at: usize, qty: f64, price: f64, day: &str) {
        let read = self.at.world.odoo.order(self.id).await.unwrap().unwrap();
        let line = read.lines[at].id;
        let values = json!({"product_qty": qty, "price_unit": price, "date_planned": format!("{day} 09:00:00")});
        let values = json!({"order_line": [[1, line, values]]});
        self.at
            .by_hand("purchase.order", "write", Some(&[self.id]), Some(values))
            .await;
    }

    /// Kinds of all facts of the lifecycle, in their order.
    pub(crate) async fn facts(&self) -> Vec<FactKind> {
        let store = &self.at.world.cloud.context.store;
        let mut facts = store.history(&self.lifecycle_id()).await.unwrap().entries;
        facts.sort_by_key(|entry| entry.sequence);
        facts.iter().map(|entry| entry.kind).collect()
    }

    /// What the plant has been told, by version.
    pub(crate) async fn told(&self) -> Vec<Value> {
        let table = &self.at.world.cloud.context.outbox.table;
        let page = table.open(self.at.code(), 0, 1000).await.unwrap();
        let document = self.lifecycle_id().to_string();
        page.entries
            .into_iter()
            .filter(|entry| entry.document == document)
            .map(|entry| entry.event["data"].clone())
            .collect()
    }

    /// The order is closed, and Odoo has one receipt and one posted bill of it.
    pub(crate) async fn assert_closed_once(&self) {
        let found = self.settle().await;
        assert_eq!(
            found.header.status,
            Status::Closed,
            "{:?} {:?}",
            found.entries,
            found.exceptions
        );
        assert_eq!(found.exceptions, []);
        let read = self.at.world.odoo.order(self.id).await.unwrap().unwrap();
        assert_eq!(read.pickings.len(), 1, "{:?}", read.pickings);
        assert_eq!(read.bills.len(), 1, "{:?}", read.bills);
        let number = self.invoice_number();
        let bills = self
            .at
            .world
            .odoo
            .search_read("account.move", json!([["ref", "=", number]]), &["state"])
            .await
            .unwrap();
        let states: Vec<_> = bills
            .iter()
            .filter_map(|bill| bill.get("state").and_then(Json::as_str))
            .collect();
        assert_eq!(states, ["posted"]);
    }
}
