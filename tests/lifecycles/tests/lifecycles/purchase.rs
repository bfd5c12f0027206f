//! What a buyer, a dock, an inspector and an accountant meet: changes, partial deliveries, quality,
//! compensation, charges, credit notes, invoices over several orders. Odoo's own records are asked.

use std::collections::BTreeMap;

use interplant_cli::deliver::{deliver, settled};
use interplant_cli::facts::event;
use interplant_cli::legacy::SourceStatus;
use interplant_cli::legacy::{Export, portion};
use interplant_cli::world::World;
use interplant_domain::exception::{Code, Decision};
use interplant_domain::fact::{Code as FactCode, FactKind};
use interplant_domain::identifier::ExternalId;
use interplant_domain::json::Json;
use interplant_domain::lifecycle::Status;
use interplant_domain::purchase_order::{Ended, Place, PurchaseOrder};
use interplant_odoo::{NewTransfer, Place as OdooPlace, Purpose, TransferLine};
use serde_json::{Value, json};

use crate::order::{Order, delivered, new_orders, send, settle};
use crate::setting::{
    self, PATIENCE, alone, beside_others, failpoints, given, lifecycle, plant_b, until,
};

/// An order with lines of its own: number, item, quantity, price.
struct Purchase {
    order: Order,
}

impl Purchase {
    async fn new(world: &World, lines: &[(&str, &str, &str, &str)]) -> Self {
        let order = new_orders(world, 1).await.remove(0);
        Self::of(world, order, lines).await
    }

    async fn of(world: &World, order: Order, lines: &[(&str, &str, &str, &str)]) -> Self {
        let this = Self { order };
        let created = this.created(lines);
        world
            .create_masters(&plant_b(), std::slice::from_ref(&created))
            .await
            .unwrap();
        send(world, &created).await;
        delivered(world, &created).await;
        this
    }

    fn number(&self) -> &str {
        &self.order.number
    }

    fn created(&self, lines: &[(&str, &str, &str, &str)]) -> Value {
        let lines: Vec<Value> = lines
            .iter()
            .map(|(no, item, qty, price)| json!({"lineNo": no, "itemId": item, "qty": qty, "uom": "EA", "unitPrice": price, "needDate": "2026-10-20"}))
            .collect();
        self.fact("po.created", "created", json!({"poNumber": self.number(), "supplierId": "TESTER", "currency": "USD", "orderDate": "2026-10-05", "lines": lines}))
    }

    fn fact(&self, kind: &str, what: &str, data: Value) -> Value {
        let kind = FactKind::from_event_type(&format!("interplant.{kind}.v1")).unwrap();
        let id = format!("{}-{what}", self.number());
        event(
            &plant_b(),
            "erp",
            &id,
            kind,
            "2026-10-05T08:00:00+02:00",
            &data,
        )
    }

    /// Sends a fact about this order, so that the next one comes after it; `poNumber` is added.
    async fn send(&self, world: &World, kind: &str, what: &str, mut data: Value) {
        data["poNumber"] = json!(self.number());
        let fact = self.fact(kind, what, data);
        send(world, &fact).await;
        delivered(world, &fact).await;
    }

    async fn close_short(&self, world: &World) {
        let data = json!({"reason": "shortClosed"});
        self.send(world, "po.closed", "closed", data).await;
    }

    fn invoice(&self, suffix: &str, lines: &[(&str, &str, &str)], net: &str) -> Value {
        let lines: Vec<Value> = lines
            .iter()
            .map(|(no, qty, price)| json!({"poNumber": self.number(), "lineNo": no, "qty": qty, "unitPrice": price}))
            .collect();
        json!({
            "invoiceNumber": format!("RE-{}{suffix}", self.number()), "supplierId": "TESTER", "invoiceDate": "2026-10-21",
            "currency": "USD", "lines": lines, "totals": {"net": net, "tax": "0", "gross": net}
        })
    }

    async fn bill(&self, world: &World, suffix: &str, data: Value) {
        send(
            world,
            &self.fact("invoice.received", &format!("invoice{suffix}"), data),
        )
        .await;
    }

    async fn rest(&self, world: &World) -> PurchaseOrder {
        settle(world, std::slice::from_ref(&self.order)).await;
        let found = lifecycle(world, &self.order.id()).await;
        let order = found.header.order;
        order.unwrap_or_else(|| panic!("no order: {:?}", found.exceptions))
    }

    async fn codes(&self, world: &World) -> Vec<Code> {
        let mut codes: Vec<Code> = lifecycle(world, &self.order.id())
            .await
            .exceptions
            .iter()
            .map(|raised| raised.exception.code)
            .collect();
        codes.sort();
        codes
    }

    async fn decide(&self, world: &World, code: Code, decision: Decision) {
        let found = lifecycle(world, &self.order.id()).await;
        let raised = found
            .exceptions
            .iter()
            .find(|raised| raised.exception.code == code);
        let raised = raised.unwrap_or_else(|| panic!("no {code}: {:?}", found.exceptions));
        let given = given(raised, decision);
        let id = self.order.id();
        setting::decide(world, &id, &given).await.unwrap();
    }

    async fn assert_closed(&self, world: &World, how: Ended) -> PurchaseOrder {
        let order = self.rest(world).await;
        let found = lifecycle(world, &self.order.id()).await;
        assert_eq!(
            (found.header.status, &found.entries),
            (Status::Closed, &Vec::new()),
            "{:?}",
            found.exceptions
        );
        let closing = order.closing.clone().unwrap();
        assert_eq!(closing.reason, how, "{closing:?}");
        assert!(closing.lines.iter().all(|line| line.open.is_zero()));
        let bills = order.invoices.iter().filter_map(|one| one.bill.as_ref());
        assert!(
            bills.clone().all(|bill| !bill.name.is_empty()),
            "{:?}",
            order.invoices
        );
        order
    }

    /// What Odoo shows of the order: its state, and by line ordered, received, billed.
    async fn in_odoo(&self, world: &World) -> (String, Vec<(String, String, String)>) {
        let orders = world
            .odoo
            .search_read(
                "purchase.order",
                json!([["origin", "=", self.order.id().to_string()]]),
                &["state", "order_line"],
            )
            .await
            .unwrap();
        assert_eq!(orders.len(), 1, "{orders:?}");
        let lines = world
            .odoo
            .search_read(
                "purchase.order.line",
                json!([["order_id.origin", "=", self.order.id().to_string()]]),
                &["product_qty", "qty_received", "qty_invoiced"],
            )
            .await
            .unwrap();
        let state = text(&orders[0], "state");
        let mut lines: Vec<_> = lines.iter().collect();
        lines.sort_by_key(|line| line.get("id").and_then(Json::as_i64));
        let lines = lines
            .iter()
            .map(|line| {
                (
                    number(line, "product_qty"),
                    number(line, "qty_received"),
                    number(line, "qty_invoiced"),
                )
            })
            .collect();
        (state, lines)
    }

    /// Posted bills and credit notes of the order: what they say, in the order of their creation.
    async fn bills(&self, world: &World) -> Vec<(i64, String, String, String)> {
        let found = world
            .odoo
            .search_read(
                "account.move",
                json!([["ref", "like", self.number()], ["state", "=", "posted"]]),
                &["ref", "move_type", "amount_total"],
            )
            .await
            .unwrap();
        let mut bills: Vec<_> = found
            .iter()
            .map(|bill| {
                (
                    bill.get("id").and_then(Json::as_i64).unwrap(),
                    text(bill, "ref"),
                    text(bill, "move_type"),
                    number(bill, "amount_total"),
                )
            })
            .collect();
        bills.sort();
        bills
    }
}

fn text(record: &Json, field: &str) -> String {
    record.get(field).and_then(Json::as_str).unwrap().to_owned()
}

fn number(record: &Json, field: &str) -> String {
    let Some(Json::Number(text)) = record.get(field) else {
        panic!("{field} is no number: {record:?}");
    };
    text.parse::<rust_decimal::Decimal>()
        .unwrap()
        .round_dp(6)
        .normalize()
        .to_string()
}

/// Done moves of the order's goods by where they went, as Odoo has them.
async fn moved(world: &World, purchase: &Purchase) -> BTreeMap<String, rust_decimal::Decimal> {
    let external = purchase.order.id().external_id();
    let pickings = world
        .odoo
        .search_read(
            "stock.picking",
            json!([["note", "like", external.as_str()], ["state", "=", "done"]]),
            &["id"],
        )
        .await
        .unwrap();
    let ids: Vec<i64> = pickings
        .iter()
        .filter_map(|one| one.get("id").and_then(Json::as_i64))
        .collect();
    let lines = world
        .odoo
        .search_read(
            "stock.move.line",
            json!([["picking_id", "in", ids], ["state", "=", "done"]]),
            &["quantity", "location_dest_id"],
        )
        .await
        .unwrap();
    let mut sums = BTreeMap::new();
    for line in &lines {
        let to = line
            .get("location_dest_id")
            .and_then(Json::as_array)
            .unwrap();
        let name = to[1]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        *sums.entry(name).or_default() += number(line, "quantity")
            .parse::<rust_decimal::Decimal>()
            .unwrap();
    }
    sums
}

#[test]
fn an_order_with_changes_lots_a_rejection_a_replacement_and_freight_closes_to_the_cent() {
    beside_others(async |world| {
        let it = Purchase::new(
            world,
            &[
                ("1", "TEST-FRAME", "10", "20"),
                ("2", "TEST-RESIN-LOT", "6", "5"),
            ],
        )
        .await;
        // Within the tolerances: one percent dearer, a day later.
        it.send(world, "po.acknowledged", "ack", json!({"ackNumber": format!("AB-{}", it.number()), "lines": [
            {"lineNo": "1", "code": {"list": "x12-668", "code": "IC"}, "price": "20.2", "promisedDate": "2026-10-21"},
            {"lineNo": "2", "code": {"list": "edifact-1229", "code": "5"}}
        ]})).await;
        it.send(
            world,
            "po.changed",
            "change",
            json!({"poRevision": "1", "changedLines": [{"lineNo": "2", "qty": "8"}]}),
        )
        .await;
        it.send(world, "receipt.posted", "receipt-1", json!({"receiptNumber": format!("W1-{}", it.number()), "lines": [
            {"lineNo": "1", "qtyReceived": "6", "qtyInQuestion": "2"},
            {"lineNo": "2", "qtyReceived": "8", "lots": [{"lotId": format!("LA-{}", it.number()), "qty": "5", "expiry": "2027-03-31"}, {"lotId": format!("LB-{}", it.number()), "qty": "3"}]}
        ]})).await;
        let order = it.rest(world).await;
        assert_eq!(order.lines[0].at(Place::Held).to_string(), "2");
        assert_eq!(
            it.in_odoo(world).await.1,
            [
                ("10".into(), "6".into(), "0".into()),
                ("8".into(), "8".into(), "0".into())
            ]
        );
        // The inspection names the receipt, not the order.
        send(world, &it.fact("quality.inspection.completed", "inspection", json!({
            "inspectionId": format!("Q1-{}", it.number()), "receiptNumber": format!("W1-{}", it.number()), "lineNo": "1",
            "qtyAccepted": "1", "qtyRejected": "1", "ncrId": format!("N1-{}", it.number()), "defectCode": "SCRATCHED"
        }))).await;
        let order = it.rest(world).await;
        assert_eq!(order.lines[0].at(Place::Rejected).to_string(), "1");
        assert_eq!(it.codes(world).await, [Code::Nonconformance]);
        it.send(
            world,
            "ncr.dispositioned",
            "ncr",
            json!({"ncrId": format!("N1-{}", it.number()), "disposition": "return", "qty": "1"}),
        )
        .await;
        it.rest(world).await;
        assert_eq!(it.codes(world).await, []);
        assert_eq!(
            it.in_odoo(world).await.1[0],
            ("10".into(), "5".into(), "0".into())
        );
        // The rest, and what replaces the rejected piece: more than Odoo expects by then.
        it.send(world, "receipt.posted", "receipt-2", json!({"receiptNumber": format!("W2-{}", it.number()), "lines": [{"lineNo": "1", "qtyReceived": "4"}]})).await;
        it.send(world, "receipt.posted", "receipt-3", json!({"receiptNumber": format!("W3-{}", it.number()), "lines": [{"lineNo": "1", "qtyReceived": "1"}]})).await;
        let mut bill = it.invoice("", &[("1", "10", "20.2"), ("2", "8", "5")], "242");
        bill["charges"] = json!([{"code": "FREIGHT", "amount": "25"}]);
        bill["totals"] = json!({"net": "242", "charges": "25", "tax": "0", "roundOff": "0.02", "gross": "267.02"});
        it.bill(world, "", bill).await;
        let order = it.assert_closed(world, Ended::Complete).await;
        assert_eq!(order.closing.unwrap().lines[0].rejected.to_string(), "1");
        assert_eq!(
            it.in_odoo(world).await.1,
            [
                ("10".into(), "10".into(), "10".into()),
                ("8".into(), "8".into(), "8".into())
            ]
        );
        let bills = it.bills(world).await;
        assert_eq!(bills.len(), 1, "{bills:?}");
        assert_eq!(bills[0].3, "267.02");
        let attached = world
            .odoo
            .search_read(
                "ir.attachment",
                json!([
                    ["res_model", "=", "account.move"],
                    ["res_id", "=", bills[0].0]
                ]),
                &["name"],
            )
            .await
            .unwrap();
        assert_eq!(attached.len(), 1, "the match is attached once");
        // Two to hold and one of them to stock, the other back; the rest straight to stock.
        let moved = moved(world, &it).await;
        assert_eq!(moved["Stock"], (4 + 8 + 1 + 4 + 1).into(), "{moved:?}");
        assert_eq!(moved["Vendors"], 1.into(), "{moved:?}");
    });
}

#[test]
fn an_order_is_cancelled_before_it_exists_after_it_exists_and_after_it_had_effects() {
    beside_others(async |world| {
        let lines = [("1", "TEST-FRAME", "10", "20")];
        // Before: the order never comes to be in Odoo.
        let order = new_orders(world, 1).await.remove(0);
        let early = Purchase { order };
        early
            .send(
                world,
                "po.cancelled",
                "cancel",
                json!({"reason": "not needed"}),
            )
            .await;
        send(world, &early.created(&lines)).await;
        settle(world, std::slice::from_ref(&early.order)).await;
        let found = lifecycle(world, &early.order.id()).await;
        assert_eq!(
            (found.header.status, found.entries.len()),
            (Status::Cancelled, 0)
        );
        let none = world
            .odoo
            .search_read(
                "purchase.order",
                json!([["origin", "=", early.order.id().to_string()]]),
                &["state"],
            )
            .await
            .unwrap();
        assert_eq!(none.len(), 0);
        // After: cancelled in Odoo too, and who delivers all the same is told.
        let plain = Purchase::new(world, &lines).await;
        plain.rest(world).await;
        plain
            .send(
                world,
                "po.cancelled",
                "cancel",
                json!({"reason": "not needed"}),
            )
            .await;
        settle(world, std::slice::from_ref(&plain.order)).await;
        assert_eq!(plain.in_odoo(world).await.0, "cancel");
        plain.send(world, "receipt.posted", "late", json!({"receiptNumber": format!("W1-{}", plain.number()), "lines": [{"lineNo": "1", "qtyReceived": "1"}]})).await;
        settle(world, std::slice::from_ref(&plain.order)).await;
        assert_eq!(plain.codes(world).await, [Code::AfterCancel]);
        // With effects: nothing is done before somebody has read the plan; then all of it, once.
        let late = Purchase::new(world, &lines).await;
        late.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W1-{}", late.number()), "lines": [{"lineNo": "1", "qtyReceived": "4"}]})).await;
        late.bill(world, "", late.invoice("", &[("1", "4", "20")], "80"))
            .await;
        late.rest(world).await;
        late.send(
            world,
            "po.cancelled",
            "cancel",
            json!({"reason": "plant closed", "goods": "return"}),
        )
        .await;
        late.rest(world).await;
        assert_eq!(late.codes(world).await, [Code::Compensation]);
        let told = lifecycle(world, &late.order.id()).await.exceptions[0]
            .exception
            .message
            .clone();
        for part in [
            "return 4 EA of line 1",
            "credit bill",
            "80 USD",
            "6 of 10 are not expected",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert_eq!(
            late.in_odoo(world).await.1,
            [("10".into(), "4".into(), "4".into())]
        );
        late.decide(world, Code::Compensation, Decision::Accept)
            .await;
        let order = late.assert_closed(world, Ended::ShortClosed).await;
        assert_eq!(order.lines[0].at(Place::Returned).to_string(), "4");
        assert_eq!(
            late.in_odoo(world).await.1,
            [("0".into(), "0".into(), "0".into())]
        );
        let kinds: Vec<_> = late
            .bills(world)
            .await
            .into_iter()
            .map(|bill| (bill.2, bill.3))
            .collect();
        assert_eq!(
            kinds,
            [
                ("in_invoice".to_owned(), "80".to_owned()),
                ("in_refund".to_owned(), "80".to_owned())
            ]
        );
    });
}

#[test]
fn what_the_supplier_answers_beyond_the_tolerance_waits_for_the_buyer_and_goods_go_on() {
    beside_others(async |world| {
        let lines = [
            ("1", "TEST-FRAME", "10", "20"),
            ("2", "TEST-FORK", "4", "5"),
        ];
        let it = Purchase::new(world, &lines).await;
        it.send(world, "po.acknowledged", "ack", json!({"ackNumber": "A1", "lines": [
            {"lineNo": "1", "status": "acceptedChanged", "qty": "8", "price": "25"}, {"lineNo": "2", "status": "rejected"}
        ]})).await;
        it.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W1-{}", it.number()), "lines": [{"lineNo": "1", "qtyReceived": "8"}]})).await;
        it.rest(world).await;
        assert_eq!(it.codes(world).await, [Code::AcknowledgementDiffers]);
        assert_eq!(
            it.in_odoo(world).await.1[0],
            ("10".into(), "8".into(), "0".into())
        );
        it.decide(world, Code::AcknowledgementDiffers, Decision::Accept)
            .await;
        it.rest(world).await;
        assert_eq!(it.codes(world).await, [Code::LineRefused]);
        it.decide(world, Code::LineRefused, Decision::Skip).await;
        it.bill(world, "", it.invoice("", &[("1", "8", "25")], "200"))
            .await;
        it.assert_closed(world, Ended::ShortClosed).await;
        assert_eq!(
            it.in_odoo(world).await.1,
            [
                ("8".into(), "8".into(), "8".into()),
                ("0".into(), "0".into(), "0".into())
            ]
        );
        // All of it refused: cancelled in Odoo.
        let refused = Purchase::new(world, &lines).await;
        refused
            .send(
                world,
                "po.acknowledged",
                "ack",
                json!({"ackNumber": "A1", "headerCode": {"list": "x12-587", "code": "RJ"}}),
            )
            .await;
        refused.rest(world).await;
        assert_eq!(refused.codes(world).await, [Code::LineRefused]);
        refused
            .decide(world, Code::LineRefused, Decision::Skip)
            .await;
        refused.assert_closed(world, Ended::Cancelled).await;
        assert_eq!(refused.in_odoo(world).await.0, "cancel");
    });
}

#[test]
fn goods_that_odoo_does_not_track_are_inspected_by_lot_where_they_lie_and_what_is_rejected_is_not_paid()
 {
    beside_others(async |world| {
        let it = Purchase::new(world, &[("1", "TEST-FRAME", "10", "20")]).await;
        let (receipt, lot) = (format!("W1-{}", it.number()), format!("LF-{}", it.number()));
        // The hold names only the receipt, and comes before it; the invoice is there as well.
        send(world, &it.fact("quality.held", "hold", json!({
            "holdNumber": format!("H1-{}", it.number()), "receiptNumber": receipt, "lineNo": "1", "qty": "1", "reason": "sample"
        }))).await;
        it.bill(world, "", it.invoice("", &[("1", "6", "20")], "120"))
            .await;
        it.send(
            world,
            "receipt.posted",
            "receipt",
            json!({"receiptNumber": receipt, "lines": [
                {"lineNo": "1", "qtyReceived": "10", "lots": [{"lotId": lot, "qty": "10"}]}
            ]}),
        )
        .await;
        it.rest(world).await;
        assert_eq!(it.codes(world).await, [Code::LotNotTracked]);
        assert_eq!(
            it.in_odoo(world).await.1,
            [("10".into(), "0".into(), "0".into())]
        );
        it.decide(world, Code::LotNotTracked, Decision::Accept)
            .await;
        let order = it.rest(world).await;
        assert_eq!(order.lines[0].at(Place::Held).to_string(), "1");
        // More is rejected than is on hold.
        send(
            world,
            &it.fact(
                "quality.inspection.completed",
                "inspection",
                json!({
                    "inspectionId": format!("Q1-{}", it.number()), "lotId": lot, "lineNo": "1",
                    "qtyAccepted": "6", "qtyRejected": "4", "ncrId": format!("N1-{}", it.number())
                }),
            ),
        )
        .await;
        let order = it.rest(world).await;
        let lies = [Place::Stocked, Place::Held, Place::Rejected];
        assert_eq!(
            lies.map(|place| order.lines[0].at(place).to_string()),
            ["6", "0", "4"]
        );
        it.send(
            world,
            "ncr.dispositioned",
            "ncr",
            json!({"ncrId": format!("N1-{}", it.number()), "disposition": "return", "qty": "4"}),
        )
        .await;
        it.close_short(world).await;
        it.assert_closed(world, Ended::ShortClosed).await;
        assert_eq!(
            it.in_odoo(world).await.1,
            [("10".into(), "6".into(), "6".into())]
        );
    });
}

#[test]
fn an_over_receipt_is_accepted_a_reversal_asks_for_a_credit_note_and_short_is_closed() {
    beside_others(async |world| {
        let it = Purchase::new(world, &[("1", "TEST-FRAME", "10", "20")]).await;
        it.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W1-{}", it.number()), "lines": [{"lineNo": "1", "qtyReceived": "1", "uom": "DZ"}]})).await;
        it.rest(world).await;
        assert_eq!(it.codes(world).await, [Code::OverReceipt]);
        it.decide(world, Code::OverReceipt, Decision::Accept).await;
        it.rest(world).await;
        assert_eq!(
            it.in_odoo(world).await.1,
            [("10".into(), "12".into(), "0".into())]
        );
        it.bill(world, "", it.invoice("", &[("1", "10", "20")], "200"))
            .await;
        it.rest(world).await;
        // Four of the dozen never came.
        send(world, &it.fact("receipt.reversed", "reversal", json!({"receiptNumber": format!("W1-{}", it.number()), "reason": "miscounted", "lines": [{"lineNo": "1", "qty": "4"}]}))).await;
        it.close_short(world).await;
        it.rest(world).await;
        assert_eq!(it.codes(world).await, [Code::CreditDue]);
        assert_eq!(
            it.in_odoo(world).await.1,
            [("10".into(), "8".into(), "10".into())]
        );
        let mut credit = it.invoice("-C", &[("1", "2", "20")], "40");
        credit["kind"] = json!("creditNote");
        credit["correctsInvoice"] = json!(format!("RE-{}", it.number()));
        it.bill(world, "-C", credit).await;
        it.assert_closed(world, Ended::ShortClosed).await;
        assert_eq!(
            it.in_odoo(world).await.1,
            [("10".into(), "8".into(), "8".into())]
        );
        let open = world
            .odoo
            .search_read(
                "stock.picking",
                json!([
                    ["origin", "like", it.number()],
                    ["state", "not in", ["done", "cancel"]]
                ]),
                &["state"],
            )
            .await
            .unwrap();
        assert_eq!(open.len(), 0, "nothing is expected any more: {open:?}");
    });
}

#[test]
fn one_invoice_over_two_orders_is_one_bill_when_both_have_matched() {
    beside_others(async |world| {
        let first = Purchase::new(world, &[("1", "TEST-FRAME", "10", "20")]).await;
        let second = Purchase::new(world, &[("1", "TEST-FORK", "4", "5")]).await;
        for it in [&first, &second] {
            it.rest(world).await;
        }
        let mut bill = first.invoice("", &[("1", "10", "20")], "220");
        bill["lines"].as_array_mut().unwrap().push(
            json!({"poNumber": second.number(), "lineNo": "1", "qty": "4", "unitPrice": "5"}),
        );
        first.bill(world, "", bill).await;
        first.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W1-{}", first.number()), "lines": [{"lineNo": "1", "qtyReceived": "10"}]})).await;
        first.rest(world).await;
        assert_eq!(
            first.bills(world).await.len(),
            0,
            "the other order's goods are still to come"
        );
        second.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W1-{}", second.number()), "lines": [{"lineNo": "1", "qtyReceived": "4"}]})).await;
        let orders = [first.order.clone(), second.order.clone()];
        settle(world, &orders).await;
        for it in [&first, &second] {
            it.assert_closed(world, Ended::Complete).await;
        }
        let bills = first.bills(world).await;
        assert_eq!((bills.len(), bills[0].3.as_str()), (1, "220"));
        assert_eq!(second.bills(world).await.len(), 0, "one bill for both");
        assert_eq!(
            second.in_odoo(world).await.1,
            [("4".into(), "4".into(), "4".into())]
        );
    });
}

#[test]
fn the_same_invoice_number_in_another_spelling_is_not_paid_twice() {
    beside_others(async |world| {
        let one = Purchase::new(world, &[("1", "TEST-FRAME", "2", "20")]).await;
        let two = Purchase::new(world, &[("1", "TEST-FRAME", "2", "20")]).await;
        for it in [&one, &two] {
            it.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W1-{}", it.number()), "lines": [{"lineNo": "1", "qtyReceived": "2"}]})).await;
        }
        one.bill(world, "", one.invoice("", &[("1", "2", "20")], "40"))
            .await;
        one.assert_closed(world, Ended::Complete).await;
        let mut again = two.invoice("", &[("1", "2", "20")], "40");
        again["invoiceNumber"] = json!(format!("re {}", one.number().to_lowercase()));
        two.bill(world, "", again).await;
        two.rest(world).await;
        assert_eq!(two.codes(world).await, [Code::DuplicateInvoice]);
        two.decide(world, Code::DuplicateInvoice, Decision::Skip)
            .await;
        two.bill(
            world,
            "-own",
            two.invoice("-own", &[("1", "2", "20")], "40"),
        )
        .await;
        two.assert_closed(world, Ended::Complete).await;
        assert_eq!(
            (one.bills(world).await.len(), two.bills(world).await.len()),
            (1, 1)
        );
    });
}

#[test]
fn a_tracked_item_without_its_lot_and_goods_without_their_notice_are_named() {
    beside_others(async |world| {
        let it = Purchase::new(world, &[("1", "TEST-RESIN-LOT", "6", "5")]).await;
        it.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W1-{}", it.number()), "lines": [{"lineNo": "1", "qtyReceived": "6"}]})).await;
        it.rest(world).await;
        assert_eq!(it.codes(world).await, [Code::LotMissing]);
        it.decide(world, Code::LotMissing, Decision::Skip).await;
        // The notice brings the lot; the receipt names only the notice.
        it.send(world, "receipt.posted", "early", json!({"receiptNumber": format!("W2-{}", it.number()), "asnNumber": format!("ASN-{}", it.number()), "lines": [{"lineNo": "1", "qtyReceived": "6", "conditionCode": "13"}]})).await;
        it.rest(world).await;
        assert_eq!(
            it.in_odoo(world).await.1,
            [("6".into(), "0".into(), "0".into())],
            "it waits for the notice"
        );
        send(world, &it.fact("asn.received", "asn", json!({"asnNumber": format!("ASN-{}", it.number()), "eta": "2026-10-12", "lines": [
            {"poNumber": it.number(), "lineNo": "1", "qty": "6", "lots": [{"lotId": format!("LOT-{}", it.number()), "qty": "6"}]}
        ]}))).await;
        it.bill(world, "", it.invoice("", &[("1", "6", "5")], "30"))
            .await;
        let order = it.assert_closed(world, Ended::Complete).await;
        let lots: Vec<_> = order.lines[0]
            .goods
            .iter()
            .filter_map(|goods| goods.lot.as_ref())
            .map(ToString::to_string)
            .collect();
        assert_eq!(lots, [format!("LOT-{}", it.number())]);
    });
}

#[test]
fn six_facts_cost_at_most_fourteen_calls_to_odoo() {
    alone(async |world| {
        let Some(sandbox) = &world.sandbox else {
            println!("calls to Odoo are counted with the sandbox only; this is a real server");
            return;
        };
        let order = new_orders(world, 1).await.remove(0);
        let it = Purchase { order };
        let lines = [("1", "TEST-FRAME", "10", "20")];
        world
            .create_masters(&plant_b(), &[it.created(&lines)])
            .await
            .unwrap();
        sandbox.reset_calls();
        send(world, &it.created(&lines)).await;
        it.send(
            world,
            "po.acknowledged",
            "ack",
            json!({"ackNumber": "A1", "lines": [{"lineNo": "1", "status": "accepted"}]}),
        )
        .await;
        for (receipt, qty) in [("1", "4"), ("2", "6")] {
            it.rest(world).await;
            it.send(world, "receipt.posted", &format!("receipt-{receipt}"), json!({"receiptNumber": format!("W{receipt}-{}", it.number()), "lines": [{"lineNo": "1", "qtyReceived": qty}]})).await;
        }
        it.rest(world).await;
        it.bill(world, "", it.invoice("", &[("1", "10", "20")], "200"))
            .await;
        it.assert_closed(world, Ended::Complete).await;
        let business = ["purchase.order", "stock.picking", "account.move"];
        let calls: Vec<String> = sandbox
            .calls()
            .iter()
            .filter(|call| business.contains(&call.model.as_str()) && call.method != "fields_get")
            .map(|call| format!("{}.{}", call.model, call.method))
            .collect();
        println!(
            "{} calls to Odoo for six facts: {}",
            calls.len(),
            calls.join(" ")
        );
        assert!((10..=14).contains(&calls.len()), "{calls:?}");
    });
}

#[test]
fn a_process_killed_at_any_other_effect_leaves_one_effect_each() {
    alone(async |world| {
        const POINTS: [&str; 7] = [
            "amend.after_write",
            "cancel.after_cancel",
            "transfer.after_load",
            "transfer.after_declare",
            "transfer.after_validate",
            "route.after_forward",
            "tell.after_inbox",
        ];
        let lots = Purchase::new(world, &[("1", "TEST-RESIN-LOT", "6", "5")]).await;
        let pair = Purchase::new(world, &[("1", "TEST-FRAME", "2", "20")]).await;
        let gone = Purchase::new(world, &[("1", "TEST-FRAME", "2", "20")]).await;
        for it in [&lots, &pair, &gone] {
            it.rest(world).await;
        }
        for point in POINTS {
            std::fs::write(failpoints().join(point), "").unwrap();
        }
        // Changed, received on hold, rejected and returned by lot, found by its receipt. The lot is past its
        // date, which Odoo asks about before it moves it.
        lots.send(
            world,
            "po.changed",
            "change",
            json!({"poRevision": "1", "changedLines": [{"lineNo": "1", "qty": "8"}]}),
        )
        .await;
        send(world, &lots.fact("quality.inspection.completed", "inspection", json!({
            "inspectionId": format!("Q-{}", lots.number()), "receiptNumber": format!("W1-{}", lots.number()), "qtyAccepted": "5", "qtyRejected": "3"
        }))).await;
        lots.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W1-{}", lots.number()), "lines": [
            {"lineNo": "1", "qtyReceived": "8", "toQuality": true, "lots": [{"lotId": format!("L-{}", lots.number()), "qty": "8", "expiry": "2020-01-31"}]}
        ]})).await;
        lots.send(
            world,
            "ncr.dispositioned",
            "ncr",
            json!({"ncrId": format!("Q-{}", lots.number()), "disposition": "return", "qty": "3"}),
        )
        .await;
        lots.close_short(world).await;
        pair.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W1-{}", pair.number()), "lines": [{"lineNo": "1", "qtyReceived": "2"}]})).await;
        let mut bill = lots.invoice("", &[("1", "5", "5")], "65");
        bill["lines"]
            .as_array_mut()
            .unwrap()
            .push(json!({"poNumber": pair.number(), "lineNo": "1", "qty": "2", "unitPrice": "20"}));
        lots.bill(world, "", bill).await;
        gone.send(
            world,
            "po.cancelled",
            "cancel",
            json!({"reason": "not needed"}),
        )
        .await;
        let orders = [lots.order.clone(), pair.order.clone(), gone.order.clone()];
        until("the shared bill is posted everywhere", async || {
            settle(world, &orders).await;
            let left = lifecycle(world, &pair.order.id()).await;
            left.header.status == Status::Closed
        })
        .await;
        lots.assert_closed(world, Ended::ShortClosed).await;
        pair.assert_closed(world, Ended::Complete).await;
        assert_eq!(gone.in_odoo(world).await.0, "cancel");
        assert_eq!(
            lots.in_odoo(world).await.1,
            [("8".into(), "5".into(), "5".into())]
        );
        let bills = lots.bills(world).await;
        assert_eq!((bills.len(), bills[0].3.as_str()), (1, "65"));
        let moved = moved(world, &lots).await;
        assert_eq!(moved["Vendors"], 3.into(), "{moved:?}");
        assert_eq!(moved["Stock"], 5.into(), "{moved:?}");
        let left: Vec<_> = std::fs::read_dir(failpoints())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(left.is_empty(), "nobody was killed at {left:?}");
    });
}

#[test]
fn a_legacy_export_ends_in_odoo_to_the_unit_and_to_the_cent() {
    beside_others(async |world| {
        let plants = crate::setting::project().join("plants");
        let samples = plants.join("plant-b/samples/purchase-orders");
        // A real Odoo remembers the last run.
        let run = world.cloud.context.now().as_millisecond();
        let folder = crate::setting::project().join(format!(".local/lifecycles/export-{run}"));
        portion(&samples, &folder, usize::MAX, Some(run)).unwrap();
        let bundle = interplant_cli::feeds::bundle(&plants).unwrap();
        let export = Export::by_feed(&bundle, &plant_b(), &folder).unwrap();
        let export = export.unwrap();
        let events = export.events;
        world.create_masters(&plant_b(), &events).await.unwrap();
        // Backwards: every fact comes before the one that it needs.
        for event in events.iter().rev().take(events.len() / 2) {
            send(world, event).await;
        }
        // The files bring the rest; what was sent is recognised in them.
        let sender = world.sender(&plant_b()).unwrap();
        let id = deliver(sender, &export.feed, &export.files).await.unwrap();
        let fate = settled(sender, &id, PATIENCE).await.unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(fate["state"], "done", "{fate}");
        let (sent, all) = (events.len() / 2, events.len());
        assert_eq!(
            fate["counts"],
            json!({"accepted": all - sent, "duplicates": sent, "held": 0, "unknown_code": 0, "rejected": 0, "unread": 0}),
            "{fate}"
        );
        let ids: Vec<_> = export
            .orders
            .iter()
            .map(|order| {
                interplant_domain::identifier::LifecycleId::new(
                    interplant_domain::identifier::LifecycleKind::Po,
                    &plant_b(),
                    &order.number,
                )
            })
            .collect();
        world
            .settle(&ids, crate::setting::PATIENCE, |_| {})
            .await
            .unwrap();
        let found = interplant_cli::reconcile::reconcile(&world.odoo, &plant_b(), &export.orders)
            .await
            .unwrap();
        assert_eq!(found.differences, Vec::<String>::new());
        assert!(found.holds(), "{:?}", found.sums);
        assert_eq!(found.orders, 8);
        for (order, id) in export.orders.iter().zip(&ids) {
            let found = lifecycle(world, id).await;
            let (status, told) = match order.status {
                SourceStatus::Waiting => (Status::Running, vec![]),
                // The buyer is told, and the order stays open until he knows.
                SourceStatus::Refused => (Status::Running, vec![Code::LineRefused]),
                SourceStatus::Complete => (Status::Closed, vec![]),
            };
            let codes: Vec<Code> = found
                .exceptions
                .iter()
                .map(|raised| raised.exception.code)
                .collect();
            assert_eq!((found.header.status, codes), (status, told), "{id}");
        }
    });
}

/// Somebody moves held goods in Odoo: by a transfer of ours that no fact has asked for.
async fn move_by_hand(world: &World, item: &str, quantity: &str, purpose: Purpose, name: &str) {
    let plant = &world.plants[&plant_b()];
    let configured = |name: &str| ExternalId::configured(name.to_owned());
    let external_id = configured(&format!("by_hand.{name}"));
    let new = NewTransfer {
        purpose,
        operation_type: configured(&plant.odoo.internal_type),
        partner: None,
        stock: configured(&plant.odoo.stock_location),
        hold: configured(&plant.odoo.hold_location),
        reference: name.to_owned(),
        lines: vec![TransferLine {
            external_id: external_id.part("line", "1"),
            item: plant.item(&FactCode::new(item)),
            unit: plant.unit(&FactCode::new("EA")).unwrap(),
            order_line: None,
            quantity: quantity.parse().unwrap(),
            from: if purpose == Purpose::Hold {
                OdooPlace::Stock
            } else {
                OdooPlace::Hold
            },
        }],
        external_id,
    };
    let id = world.odoo.create_transfer(&new).await.unwrap();
    world.odoo.validate_receipt(id).await.unwrap();
}

#[test]
fn goods_that_somebody_took_by_hand_are_not_moved_below_zero() {
    beside_others(async |world| {
        let order = new_orders(world, 1).await.remove(0);
        let item = format!("TEST-OWN-{}", order.number);
        let it = Purchase::of(world, order, &[("1", &item, "10", "20")]).await;
        it.send(world, "receipt.posted", "receipt", json!({"receiptNumber": format!("W-{}", it.number()), "lines": [{"lineNo": "1", "qtyReceived": "10", "qtyInQuestion": "4"}]})).await;
        it.rest(world).await;
        let away = format!("away_{}", it.number());
        move_by_hand(world, &item, "3", Purpose::Release, &away).await;
        it.send(
            world,
            "quality.released",
            "release",
            json!({"receiptNumber": format!("W-{}", it.number()), "lineNo": "1", "releaseNumber": format!("R-{}", it.number()), "qtyReleased": "4"}),
        )
        .await;
        it.rest(world).await;
        let found = lifecycle(world, &it.order.id()).await;
        let [raised] = found.exceptions.as_slice() else {
            panic!("{:?}", found.exceptions);
        };
        assert_eq!(raised.exception.code, Code::TransferDiverged);
        let said = &raised.exception.message;
        assert!(
            said.contains(&format!("would take 4 of {item} from where 1 lie")),
            "{said}"
        );
        // Back where it was, and decided: it goes on as if nothing had been.
        let back = format!("back_{}", it.number());
        move_by_hand(world, &item, "3", Purpose::Hold, &back).await;
        it.decide(world, Code::TransferDiverged, Decision::Retry)
            .await;
        let order = it.rest(world).await;
        assert_eq!(it.codes(world).await, []);
        assert_eq!(order.lines[0].at(Place::Stocked).to_string(), "10");
        let quants = world
            .odoo
            .search_read(
                "stock.quant",
                json!([
                    ["product_id.default_code", "=", item],
                    ["location_id.usage", "=", "internal"],
                    ["quantity", "!=", 0]
                ]),
                &["quantity"],
            )
            .await
            .unwrap();
        let quants: Vec<String> = quants.iter().map(|one| number(one, "quantity")).collect();
        assert_eq!(quants, ["10"]);
    });
}

#[test]
fn an_order_is_not_lowered_below_what_odoo_has_received_by_hand() {
    beside_others(async |world| {
        let it = Purchase::new(world, &[("1", "TEST-FRAME", "10", "20")]).await;
        let order = it.rest(world).await;
        let open = order.in_odoo.unwrap().open_receipt;
        let picking = open.unwrap().picking;
        world.odoo.validate_receipt(picking).await.unwrap();
        it.send(
            world,
            "po.changed",
            "change",
            json!({"poRevision": "1", "changedLines": [{"lineNo": "1", "qty": "4"}]}),
        )
        .await;
        it.rest(world).await;
        assert_eq!(it.codes(world).await, [Code::ChangeRefused]);
        assert_eq!(
            it.in_odoo(world).await.1,
            [("10".into(), "10".into(), "0".into())]
        );
    });
}
