//! From order to posted bill, each call repeated, raced and guarded: the same suite for every Odoo.

use interplant_domain::decimal::Quantity;
use interplant_domain::exception::Code;
use interplant_domain::fact::Day;
use interplant_domain::identifier::ExternalId;
use interplant_odoo::{
    BillState, Class, Client, Declaration, DeclaredMove, DeclaredPart, Error, ItemKind, Limits,
    LineTerms, Lot, NewBill, NewBillLine, NewItem, NewOrder, NewOrderLine, NewPartner, NewTransfer,
    Order, OrderState, OrderUpdate, Outcome, Picking, PickingState, Place, Purpose, RefusedKind,
    TransferLine, Version, model,
};

use crate::targets::{Target, real, sandbox, tell};

const UNIT: &str = "uom.product_uom_unit";
const TAX: &str = "account.1_purchase_tax_template";

fn xid(text: &str) -> ExternalId {
    ExternalId::configured(text.to_owned())
}

fn day(text: &str) -> Day {
    Day(text.parse().unwrap())
}

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

impl Target {
    fn id(&self, name: &str) -> ExternalId {
        xid(&format!("interplant.{}_{name}", self.run))
    }

    async fn masters(&self) {
        let partner = NewPartner {
            external_id: self.id("partner"),
            name: "Acme Supplies".into(),
            code: "ACME".into(),
        };
        self.client.create_partners(&[partner]).await.unwrap();
        let item = |name: &str| NewItem {
            external_id: self.id(name),
            name: format!("Item {name}"),
            code: format!("{}-{name}", self.run),
            unit: xid(UNIT),
            kind: match name {
                "resin" => ItemKind::Lot,
                "motor" => ItemKind::Serial,
                "freight" => ItemKind::Service,
                _ => ItemKind::Stored,
            },
        };
        let items = ["bolt", "nut", "resin", "motor", "freight"].map(item);
        let ids = self.client.create_items(&items).await.unwrap();
        assert_eq!(
            self.client.create_items(&items).await.unwrap(),
            ids,
            "a repeat creates nothing"
        );
    }

    fn order(&self, name: &str) -> NewOrder {
        let external_id = self.id(name);
        let line = |number: &str, item: &str, quantity: &str, price: &str, tax: Option<&str>| {
            NewOrderLine {
                external_id: external_id.part("line", number),
                item: self.id(item),
                description: format!("{item}, as the plant calls it"),
                quantity: quantity.parse().unwrap(),
                unit: xid(UNIT),
                price: price.parse().unwrap(),
                planned: day("2026-12-01"),
                tax: tax.map(xid),
            }
        };
        NewOrder {
            lines: vec![
                line("10", "bolt", "5", "2.5", Some(TAX)),
                line("20", "nut", "10", "1.25", None),
            ],
            external_id,
            partner: self.id("partner"),
            currency: xid("base.USD"),
            company: xid("base.main_company"),
            receipt_type: xid("stock.picking_type_in"),
            order_date: day("2026-11-20"),
            reference: format!("po/{}/{name}", self.run),
        }
    }

    async fn read(&self, order: i64) -> Order {
        self.client.order(order).await.unwrap().unwrap()
    }

    async fn confirmed(&self, name: &str) -> Order {
        let id = self.client.create_order(&self.order(name)).await.unwrap();
        self.client.confirm_order(id).await.unwrap();
        self.read(id).await
    }

    async fn line(&self, line: &ExternalId) -> i64 {
        let found = self.client.find(model::ORDER_LINE, line).await.unwrap();
        found.unwrap()
    }

    async fn bill(&self, order: &NewOrder, name: &str) -> NewBill {
        let external_id = order.external_id.part("bill", name);
        let mut order_lines = Vec::new();
        for line in &order.lines {
            order_lines.push(self.line(&line.external_id).await);
        }
        NewBill {
            partner: order.partner.clone(),
            currency: order.currency.clone(),
            company: order.company.clone(),
            number: format!("{name}-{}", self.run),
            refund: false,
            reverses: None,
            date: day("2026-11-22"),
            accounting_date: day("2026-11-22"),
            evidence: Some("matched: everything".to_owned()),
            lines: order
                .lines
                .iter()
                .zip(["10", "20"])
                .zip(order_lines)
                .map(|((line, number), order_line)| NewBillLine {
                    external_id: external_id.part("line", number),
                    order_line: Some(order_line),
                    item: line.item.clone(),
                    unit: Some(line.unit.clone()),
                    quantity: line.quantity,
                    price: line.price,
                    tax: line.tax.clone(),
                    description: line.description.clone(),
                })
                .collect(),
            external_id,
        }
    }
}

fn parts(quantity: &str) -> Vec<DeclaredPart> {
    vec![DeclaredPart {
        quantity: quantity.parse().unwrap(),
        lot: None,
        to: None,
    }]
}

fn declared(picking: &Picking, quantities: &[&str]) -> Declaration {
    // What is not named did not come.
    let came = quantities.iter().copied().chain(std::iter::repeat("0"));
    Declaration {
        reference: format!("interplant picking {} receipt R-1", picking.id),
        guard: Some(picking.guard.clone()),
        moves: picking
            .moves
            .iter()
            .filter(|of| of.state.is_open())
            .zip(came)
            .map(|(of, quantity)| DeclaredMove {
                id: of.id,
                unit: of.unit,
                product: of.product,
                lines: of.lines.clone(),
                parts: parts(quantity),
            })
            .collect(),
    }
}

fn only_open(order: &Order) -> &Picking {
    let mut open = order
        .pickings
        .iter()
        .filter(|picking| picking.state.is_open());
    let first = open.next().unwrap();
    assert!(open.next().is_none() && first.incoming);
    first
}

async fn order_to_posted_bill(at: &Target) {
    let client = &at.client;
    let wanted = at.order("flow");
    assert_eq!(
        client
            .find(model::ORDER, &wanted.external_id)
            .await
            .unwrap(),
        None
    );
    let id = client.create_order(&wanted).await.unwrap();
    let mut other = wanted.clone();
    other.lines[0].quantity = quantity("50");
    assert_eq!(
        client.create_order(&other).await.unwrap(),
        id,
        "create-once"
    );
    assert_eq!(
        client
            .find(model::ORDER, &wanted.external_id)
            .await
            .unwrap(),
        Some(id)
    );

    let draft = at.read(id).await;
    assert_eq!(
        (draft.state, draft.lines.len(), draft.pickings.len()),
        (OrderState::Draft, 2, 0)
    );
    assert_eq!(
        (draft.untaxed.to_string(), draft.total.to_string()),
        ("25".into(), "26.88".into()),
        "tax on the first line only"
    );
    assert_eq!(
        draft.lines[0].quantity,
        quantity("5"),
        "the repeat changed nothing"
    );
    let line = client
        .find(model::ORDER_LINE, &wanted.lines[1].external_id)
        .await
        .unwrap();
    assert_eq!(
        line,
        Some(draft.lines[1].id),
        "lines come in the order in which they were sent"
    );
    assert_eq!(
        draft.lines[0].planned.unwrap().to_string(),
        "2026-12-01T12:00:00Z"
    );
    assert!(!draft.acknowledged && draft.moves_in_other_units().next().is_none());

    client.confirm_order(id).await.unwrap();
    client.confirm_order(id).await.unwrap();
    let confirmed = at.read(id).await;
    assert_eq!(confirmed.state, OrderState::Confirmed);
    let first = only_open(&confirmed).clone();
    assert_eq!(first.moves.len(), 2);
    assert_eq!(first.moves[0].order_line, Some(confirmed.lines[0].id));

    let answer = OrderUpdate {
        reference: Some("SUP-ACK-77".into()),
        lines: vec![LineTerms {
            line: confirmed.lines[0].id,
            quantity: confirmed.lines[0].quantity,
            price: confirmed.lines[0].price,
            planned: day("2026-12-05"),
        }],
    };
    let acknowledged = client.update_order(id, &answer).await.unwrap();
    assert_eq!(
        client.update_order(id, &answer).await.unwrap(),
        acknowledged,
        "a repeat changes nothing"
    );
    assert!(acknowledged.acknowledged);
    assert_eq!(
        acknowledged.supplier_reference.as_deref(),
        Some("SUP-ACK-77")
    );
    assert_eq!(
        acknowledged.lines[0].planned.unwrap().to_string(),
        "2026-12-05T12:00:00Z"
    );
    assert_eq!(acknowledged.lines[1].planned, confirmed.lines[1].planned);
    assert_eq!(
        acknowledged.lines[0].quantity,
        quantity("5"),
        "only the date moved"
    );

    // Three of five bolts come, no nuts.
    let came = declared(&first, &["3"]);
    let open = client.declare_receipt(first.id, &came).await.unwrap();
    assert_eq!(
        client.declare_receipt(first.id, &came).await.unwrap(),
        open,
        "a repeat changes nothing"
    );
    assert!(open.state.is_open() && open.note.as_deref() == Some(came.reference.as_str()));
    assert_eq!(
        (open.moves[0].quantity, open.moves[0].picked),
        (quantity("3"), true)
    );
    assert_eq!(
        (open.moves[1].quantity, open.moves[1].picked),
        (Quantity::ZERO, false)
    );
    client.validate_receipt(first.id).await.unwrap();
    match (client.version(), client.validate_receipt(first.id).await) {
        (Version::V19, Ok(())) | (Version::V17 | Version::V18, Err(Error::NotOpen { .. })) => {}
        (_, second) => panic!("a second validation: {second:?}"),
    }

    let partly = at.read(id).await;
    assert_eq!(
        (partly.lines[0].received, partly.lines[1].received),
        (quantity("3"), Quantity::ZERO)
    );
    let done = partly
        .pickings
        .iter()
        .find(|picking| picking.id == first.id)
        .unwrap();
    assert_eq!((done.state, done.moves.len()), (PickingState::Done, 1));
    let rest = only_open(&partly).clone();
    assert_eq!(rest.backorder_of, Some(first.id));
    assert_eq!(rest.note, done.note, "a backorder inherits the note");

    // The guard: what is booked stays booked.
    let late = Declaration {
        reference: "late".into(),
        guard: Some(first.guard.clone()),
        moves: vec![DeclaredMove {
            parts: parts("1"),
            ..came.moves[0].clone()
        }],
    };
    assert!(matches!(
        client.declare_receipt(first.id, &late).await,
        Err(Error::NotOpen { .. })
    ));
    // The move that was not booked is on the receipt of the rest now, under its own id.
    let late = Declaration {
        moves: vec![DeclaredMove {
            parts: parts("1"),
            ..came.moves[1].clone()
        }],
        ..late
    };
    assert!(rest.moves.iter().any(|of| of.id == came.moves[1].id));
    assert!(matches!(
        client.declare_receipt(first.id, &late).await,
        Err(Error::NotOpen { .. })
    ));
    assert_eq!(
        at.read(id).await.pickings,
        partly.pickings,
        "nothing of a refused write is kept"
    );

    let by_line = |line: usize| {
        rest.moves
            .iter()
            .find(|of| of.order_line == Some(partly.lines[line].id))
            .unwrap()
    };
    let second = Declaration {
        reference: format!("interplant picking {} receipt R-2", rest.id),
        moves: [(0, "2"), (1, "10")]
            .map(|(line, came)| DeclaredMove {
                id: by_line(line).id,
                unit: by_line(line).unit,
                product: by_line(line).product,
                lines: by_line(line).lines.clone(),
                parts: parts(came),
            })
            .into(),
        guard: Some(rest.guard.clone()),
    };
    client.declare_receipt(rest.id, &second).await.unwrap();
    client.validate_receipt(rest.id).await.unwrap();
    let received = at.read(id).await;
    assert_eq!(
        (received.lines[0].received, received.lines[1].received),
        (quantity("5"), quantity("10"))
    );
    assert!(
        received
            .pickings
            .iter()
            .all(|picking| picking.state == PickingState::Done)
    );

    let wanted_bill = at.bill(&wanted, "INV-1").await;
    assert_eq!(
        client
            .find(model::BILL, &wanted_bill.external_id)
            .await
            .unwrap(),
        None
    );
    let bill = client.create_bill(&wanted_bill).await.unwrap();
    let mut other = wanted_bill.clone();
    other.number = "OTHER".into();
    other.lines[0].quantity = quantity("50");
    assert_eq!(
        client.create_bill(&other).await.unwrap(),
        bill,
        "create-once"
    );
    assert_eq!(
        client
            .find(model::BILL, &wanted_bill.external_id)
            .await
            .unwrap(),
        Some(bill)
    );
    let draft = client.bill(bill).await.unwrap().unwrap();
    assert_eq!((draft.state, draft.refund), (BillState::Draft, false));
    assert_eq!(draft.number.as_deref(), Some(wanted_bill.number.as_str()));
    assert_eq!(draft.partner, Some(received.partner));
    assert_eq!(
        (draft.invoice_date, draft.accounting_date),
        (Some(wanted_bill.date), Some(wanted_bill.date))
    );
    assert_eq!(
        [draft.untaxed, draft.tax, draft.total].map(|amount| amount.to_string()),
        ["25", "1.88", "26.88"]
    );
    for (billed, ordered) in draft.lines.iter().zip(&received.lines) {
        assert_eq!(billed.order_line, Some(ordered.id));
        assert_eq!(
            (billed.product, billed.unit),
            (Some(ordered.product), Some(ordered.unit)),
            "as a person's bill"
        );
        assert_eq!(
            (billed.quantity, billed.price),
            (ordered.quantity, ordered.price)
        );
        assert_eq!(
            billed.order_line_invoiced,
            Some(ordered.quantity),
            "the draft itself counts"
        );
        assert!(billed.account.is_some());
    }
    assert_eq!(
        draft
            .lines
            .iter()
            .map(|line| line.taxes.len())
            .collect::<Vec<_>>(),
        [1, 0]
    );
    assert!(!draft.is_period_locked());

    client.post_bill(bill).await.unwrap();
    assert!(matches!(
        client.post_bill(bill).await,
        Err(Error::NotOpen { .. })
    ));
    let posted = client.bill(bill).await.unwrap().unwrap();
    assert_eq!(
        (posted.state, posted.lines, posted.total),
        (BillState::Posted, draft.lines, draft.total)
    );
    assert_eq!(posted.accounting_date, draft.accounting_date);
    assert!(!posted.name.is_empty() && posted.name != "/");
    let billed = at.read(id).await;
    assert_eq!(
        (billed.lines[0].invoiced, billed.lines[1].invoiced),
        (quantity("5"), quantity("10"))
    );
    assert_eq!(
        billed
            .bills
            .iter()
            .map(|bill| (bill.id, bill.state, bill.refund))
            .collect::<Vec<_>>(),
        [(bill, BillState::Posted, false)]
    );
}

/// Two at once: one does it, the other says so or says that it is busy, and a repeat agrees.
async fn race_losers(at: &Target) {
    let (client, wanted) = (&at.client, at.order("race"));
    let agrees = |loser: &Error| matches!(loser, Error::Busy { .. } | Error::NotOpen { .. });

    let (one, two) = tokio::join!(client.create_order(&wanted), client.create_order(&wanted));
    for loser in [&one, &two]
        .into_iter()
        .filter_map(|result| result.as_ref().err())
    {
        assert!(
            agrees(loser) && loser.outcome() == Outcome::NoEffect,
            "{loser:?}"
        );
    }
    let id = one.or(two).unwrap();
    assert_eq!(client.create_order(&wanted).await.unwrap(), id);
    let same = client
        .search_read(
            model::ORDER,
            serde_json::json!([["origin", "=", wanted.reference]]),
            &["name"],
        )
        .await
        .unwrap();
    assert_eq!(same.len(), 1);

    let (one, two) = tokio::join!(client.confirm_order(id), client.confirm_order(id));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    let order = at.read(id).await;
    let picking = only_open(&order).clone();

    client
        .declare_receipt(picking.id, &declared(&picking, &["5", "10"]))
        .await
        .unwrap();
    let (one, two) = tokio::join!(
        client.validate_receipt(picking.id),
        client.validate_receipt(picking.id)
    );
    for loser in [&one, &two]
        .into_iter()
        .filter_map(|result| result.as_ref().err())
    {
        assert!(agrees(loser), "{loser:?}");
    }
    assert!(one.is_ok() || two.is_ok());
    let received = at.read(id).await;
    assert_eq!(
        (received.lines[0].received, received.pickings.len()),
        (quantity("5"), 1),
        "received once"
    );

    let wanted_bill = at.bill(&wanted, "INV-R").await;
    let (one, two) = tokio::join!(
        client.create_bill(&wanted_bill),
        client.create_bill(&wanted_bill)
    );
    for loser in [&one, &two]
        .into_iter()
        .filter_map(|result| result.as_ref().err())
    {
        assert!(agrees(loser), "{loser:?}");
    }
    let bill = client.create_bill(&wanted_bill).await.unwrap();
    assert_eq!(at.read(id).await.bills.len(), 1);
    let (one, two) = tokio::join!(client.post_bill(bill), client.post_bill(bill));
    for loser in [&one, &two]
        .into_iter()
        .filter_map(|result| result.as_ref().err())
    {
        assert!(agrees(loser), "{loser:?}");
    }
    assert!(one.is_ok() || two.is_ok());
    assert_eq!(
        client.bill(bill).await.unwrap().unwrap().state,
        BillState::Posted
    );
}

/// Two drafts have got the same number from Odoo, as two do that come at the same moment in a new period.
async fn one_number_for_two_drafts(at: &Target) {
    let mut bills = Vec::new();
    for name in ["number-1", "number-2"] {
        at.confirmed(name).await;
        let bill = at.bill(&at.order(name), name).await;
        bills.push(at.client.create_bill(&bill).await.unwrap());
    }
    at.client.post_bill(bills[0]).await.unwrap();
    let first = at.client.bill(bills[0]).await.unwrap().unwrap();
    at.write(
        model::BILL,
        bills[1],
        serde_json::json!({"name": first.name}),
    )
    .await;
    at.client.post_bill(bills[1]).await.unwrap();
    let second = at.client.bill(bills[1]).await.unwrap().unwrap();
    assert_eq!(second.state, BillState::Posted);
    assert_ne!(second.name, first.name);
    assert_eq!(second.accounting_date, first.accounting_date);
}

/// Somebody cancels in Odoo what we are working on.
async fn cancelled_meanwhile(at: &Target) {
    let client = &at.client;
    let order = at.confirmed("stopped").await;
    let picking = only_open(&order).clone();
    at.press(model::PICKING, "action_cancel", picking.id).await;
    let before = at.read(order.id).await;
    assert_eq!(before.pickings[0].state, PickingState::Cancelled);
    assert!(matches!(
        client
            .declare_receipt(picking.id, &declared(&picking, &["5", "10"]))
            .await,
        Err(Error::NotOpen { .. })
    ));
    assert_eq!(
        at.read(order.id).await,
        before,
        "nothing of a refused write is kept"
    );
    assert!(matches!(
        client.validate_receipt(picking.id).await,
        Err(Error::NotOpen { .. })
    ));

    let id = client.create_order(&at.order("cancelled")).await.unwrap();
    at.press(model::ORDER, "button_cancel", id).await;
    client.confirm_order(id).await.unwrap();
    assert_eq!(
        at.read(id).await.state,
        OrderState::Cancelled,
        "the answer of a confirmation is no proof"
    );

    // A bill that somebody cancelled is not posted, and create-once does not make another.
    let order = at.order("unbilled");
    let id = client.create_order(&order).await.unwrap();
    client.confirm_order(id).await.unwrap();
    let bill = client
        .create_bill(&at.bill(&order, "INV-C").await)
        .await
        .unwrap();
    assert_eq!(
        client.bill(bill).await.unwrap().unwrap().lines[0].order_line_invoiced,
        Some(quantity("5")),
        "a draft counts"
    );
    at.press(model::BILL, "button_cancel", bill).await;
    assert_eq!(
        client
            .create_bill(&at.bill(&order, "INV-C").await)
            .await
            .unwrap(),
        bill
    );
    assert!(matches!(
        client.post_bill(bill).await,
        Err(Error::NotOpen { .. })
    ));
    assert_eq!(
        client.bill(bill).await.unwrap().unwrap().state,
        BillState::Cancelled
    );
}

async fn what_odoo_does_not_know(at: &Target) {
    let client = &at.client;
    let kind = async |change: &dyn Fn(&mut NewOrder)| {
        let mut order = at.order("unknown");
        change(&mut order);
        let error = client.create_order(&order).await.unwrap_err();
        let Error::Refused { kind, message } = &error else {
            panic!("{error:?}")
        };
        (*kind, message.contains("nope"))
    };
    let nope = || xid("interplant.nope");
    assert_eq!(
        kind(&|order| order.partner = nope()).await,
        (RefusedKind::UnknownPartner, true)
    );
    assert_eq!(
        kind(&|order| order.lines[1].item = nope()).await,
        (RefusedKind::UnknownItem, true)
    );
    assert_eq!(
        kind(&|order| order.lines[1].unit = nope()).await,
        (RefusedKind::UnknownCode, true)
    );
    assert_eq!(
        kind(&|order| order.lines[0].tax = Some(nope())).await,
        (RefusedKind::UnknownCode, true)
    );
    assert_eq!(
        kind(&|order| order.currency = nope()).await,
        (RefusedKind::UnknownCode, true)
    );
    assert_eq!(
        kind(&|order| order.lines[0].item = xid("base.USD")).await.0,
        RefusedKind::UnknownItem
    );
    assert_eq!(
        client.find(model::ORDER, &at.id("unknown")).await.unwrap(),
        None,
        "nothing was kept"
    );

    assert_eq!(client.order(99_999_999).await.unwrap(), None);
    assert_eq!(client.bill(99_999_999).await.unwrap(), None);
    for result in [
        client.confirm_order(99_999_999).await,
        client.validate_receipt(99_999_999).await,
        client.post_bill(99_999_999).await,
    ] {
        assert!(
            matches!(
                result,
                Err(Error::Refused {
                    kind: RefusedKind::RecordMissing,
                    ..
                })
            ),
            "{result:?}"
        );
    }
}

async fn digits(at: &Target) {
    let client = &at.client;
    let mut order = at.order("digits");
    order.lines[0].price = "38.2935".parse().unwrap();
    let created = client.create_order(&order).await;
    if client.accuracy().check_price(order.lines[0].price).is_ok() {
        let read = at.read(created.unwrap()).await;
        assert_eq!(
            read.lines[0].price, order.lines[0].price,
            "four decimals are kept"
        );
    } else {
        assert_eq!(
            created.unwrap_err().class(),
            Class::BusinessException(Code::AmountPrecision)
        );
        assert_eq!(
            client.find(model::ORDER, &order.external_id).await.unwrap(),
            None
        );
    }
    for (name, ordered, came) in [("quarters", "2.25", "0.75"), ("eighths", "2.125", "0.375")] {
        let mut order = at.order(name);
        order.lines[0].quantity = quantity(ordered);
        match client.create_order(&order).await {
            Ok(id) => {
                client.confirm_order(id).await.unwrap();
                let read = at.read(id).await;
                let picking = only_open(&read).clone();
                assert_eq!(
                    (read.lines[0].quantity, picking.moves[0].demand),
                    (quantity(ordered), quantity(ordered))
                );
                client
                    .declare_receipt(picking.id, &declared(&picking, &[came]))
                    .await
                    .unwrap();
                client.validate_receipt(picking.id).await.unwrap();
                let received = at.read(id).await;
                assert_eq!(received.lines[0].received, quantity(came));
                let rest = only_open(&received)
                    .moves
                    .iter()
                    .find(|of| of.order_line == Some(received.lines[0].id))
                    .unwrap();
                assert_eq!(
                    rest.demand,
                    quantity(ordered) - quantity(came),
                    "what is open is exact"
                );
            }
            Err(error) => assert_eq!(
                error.class(),
                Class::BusinessException(Code::AmountPrecision),
                "{name}: {error:?}"
            ),
        }
    }
}

async fn wrong_key_and_database(at: &Target) {
    let mut wrong = at.credentials.clone();
    wrong.api_key = "0".repeat(40);
    let error = Client::connect(wrong, Limits::default()).await.unwrap_err();
    assert!(matches!(error, Error::Configuration { .. }), "{error:?}");
    let mut wrong = at.credentials.clone();
    wrong.db = "nosuchdb".into();
    let error = Client::connect(wrong, Limits::default()).await.unwrap_err();
    assert!(matches!(error, Error::Configuration { .. }), "{error:?}");
    assert_eq!(
        Client::probe(&at.credentials, &Limits::default())
            .await
            .unwrap(),
        at.client.version()
    );
}

async fn an_unknown_field_is_our_fault(at: &Target) {
    for fields in [&["no_such_field"][..], &["name", "no_such_field"]] {
        let error = at
            .client
            .search_read(model::PARTNER, serde_json::json!([]), fields)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Caller { .. }), "{error:?}");
    }
    let error = at
        .client
        .load(
            model::PARTNER,
            &["id", "no_such_field"],
            vec![vec![at.id("x").to_string(), "1".into()]],
        )
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Caller { .. }), "{error:?}");
}

async fn settings(at: &Target) {
    let settings = at.client.wanted_settings().await.unwrap();
    let named = |part: &str| {
        settings
            .iter()
            .filter(|setting| setting.name.contains(part))
            .count()
    };
    assert_eq!(named("decimal accuracy"), 2);
    assert_eq!(
        named("rounding of units"),
        usize::from(at.client.version() != Version::V19)
    );
    let missing: Vec<_> = settings
        .iter()
        .filter(|setting| setting.name.starts_with("may ") && !setting.met)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(named("may ") > 8);
}

/// Lots, serial numbers, a hold beside stock, release, return, scrap and goods that nobody expects.
async fn goods(at: &Target) {
    let client = &at.client;
    let hold = xid("interplant.location_quality_hold");
    let stock = xid("stock.stock_location_stock");
    let place = client.create_hold_location(&hold, &stock).await.unwrap();
    assert_eq!(
        client.find(model::LOCATION, &hold).await.unwrap(),
        Some(place)
    );
    let mut new = at.order("goods");
    let items = ["bolt", "resin", "motor"];
    let template = new.lines[0].clone();
    new.lines = items
        .iter()
        .zip(["10", "6", "2"])
        .map(|(item, count)| NewOrderLine {
            external_id: new.external_id.part("line", item),
            item: at.id(item),
            quantity: quantity(count),
            tax: None,
            ..template.clone()
        })
        .collect();
    let id = client.create_order(&new).await.unwrap();
    client.confirm_order(id).await.unwrap();
    let first = only_open(&at.read(id).await).clone();
    let lot = |name: &str, expiry: Option<&str>| {
        Some(Lot::Named {
            name: format!("{name}-{}", at.run),
            expiry: expiry.map(day),
        })
    };
    let part = |count: &str, lot: Option<Lot>, to: Option<i64>| DeclaredPart {
        quantity: quantity(count),
        lot,
        to,
    };
    let all = [
        vec![part("7", None, None), part("3", None, Some(place))],
        vec![
            part("4", lot("LA", Some("2027-03-31")), None),
            part("2", lot("LB", None), Some(place)),
        ],
        vec![
            part("1", lot("S1", None), None),
            part("1", lot("S2", None), Some(place)),
        ],
    ];
    let came = Declaration {
        reference: "goods".to_owned(),
        guard: Some(first.guard.clone()),
        moves: first
            .moves
            .iter()
            .zip(&all)
            .map(|(of, parts)| DeclaredMove {
                id: of.id,
                unit: of.unit,
                product: of.product,
                lines: of.lines.clone(),
                parts: parts.clone(),
            })
            .collect(),
    };
    let without = Declaration {
        moves: first
            .moves
            .iter()
            .map(|of| DeclaredMove {
                id: of.id,
                unit: of.unit,
                product: of.product,
                lines: of.lines.clone(),
                parts: parts("1"),
            })
            .collect(),
        ..came.clone()
    };
    client.declare_receipt(first.id, &without).await.unwrap();
    let missing = client.validate_receipt(first.id).await.unwrap_err();
    assert!(
        matches!(
            &missing,
            Error::Refused {
                kind: RefusedKind::LotMissing,
                ..
            }
        ),
        "{missing:?}"
    );
    // Its lines were replaced by the declaration that failed: whoever repeats looks again.
    assert!(
        came.moves
            .iter()
            .zip(&first.moves)
            .all(|(one, of)| one.lines == of.lines)
    );
    let looked = async |came: &Declaration| {
        let read = client.picking(first.id).await.unwrap().unwrap();
        let moves = came.moves.iter().zip(&read.moves);
        Declaration {
            moves: moves
                .map(|(one, of)| DeclaredMove {
                    lines: of.lines.clone(),
                    ..one.clone()
                })
                .collect(),
            ..came.clone()
        }
    };
    let came = looked(&came).await;
    let declared = client.declare_receipt(first.id, &came).await.unwrap();
    let came = looked(&came).await;
    let again = client.declare_receipt(first.id, &came).await.unwrap();
    let quantities = |picking: &Picking| {
        picking
            .moves
            .iter()
            .map(|of| of.quantity)
            .collect::<Vec<_>>()
    };
    assert_eq!(quantities(&declared), ["10", "6", "2"].map(quantity));
    assert_eq!(
        quantities(&again),
        quantities(&declared),
        "a repeat changes nothing"
    );
    client.validate_receipt(first.id).await.unwrap();
    assert!(matches!(
        client.declare_receipt(first.id, &came).await,
        Err(Error::NotOpen { .. })
    ));
    let received = at.read(id).await;
    let counted = |order: &Order| {
        order
            .lines
            .iter()
            .map(|line| line.received)
            .collect::<Vec<_>>()
    };
    assert_eq!(counted(&received), ["10", "6", "2"].map(quantity));

    let transfer = async |name: &str, purpose, item: &str, count: &str, from| {
        let external_id = new.external_id.part("transfer", name);
        let supplier = matches!(purpose, Purpose::Return | Purpose::Receive);
        let order_line = at.line(&new.external_id.part("line", item)).await;
        NewTransfer {
            purpose,
            operation_type: if supplier {
                new.receipt_type.clone()
            } else {
                xid("stock.picking_type_internal")
            },
            partner: supplier.then(|| new.partner.clone()),
            stock: stock.clone(),
            hold: hold.clone(),
            reference: external_id.to_string(),
            lines: vec![TransferLine {
                external_id: external_id.part("line", "1"),
                item: at.id(item),
                unit: xid(UNIT),
                order_line: supplier.then_some(order_line),
                quantity: quantity(count),
                from,
            }],
            external_id,
        }
    };
    for (name, purpose, item, count, from, lots, expected) in [
        (
            "release",
            Purpose::Release,
            "bolt",
            "1",
            Place::Hold,
            None,
            ["10", "6", "2"],
        ),
        (
            "hold",
            Purpose::Hold,
            "bolt",
            "2",
            Place::Stock,
            None,
            ["10", "6", "2"],
        ),
        (
            "scrap",
            Purpose::Scrap,
            "bolt",
            "1",
            Place::Hold,
            None,
            ["10", "6", "2"],
        ),
        (
            "return",
            Purpose::Return,
            "resin",
            "2",
            Place::Hold,
            Some("LB"),
            ["10", "4", "2"],
        ),
        (
            "serial",
            Purpose::Return,
            "motor",
            "1",
            Place::Stock,
            Some("S1"),
            ["10", "4", "1"],
        ),
        (
            "more",
            Purpose::Receive,
            "bolt",
            "5",
            Place::Stock,
            None,
            ["15", "4", "1"],
        ),
    ] {
        let document = transfer(name, purpose, item, count, from).await;
        let picking = client.create_transfer(&document).await.unwrap();
        if let Some(lot) = lots {
            let read = client.picking(picking).await.unwrap().unwrap();
            let of = &read.moves[0];
            let lot = format!("{lot}-{}", at.run);
            let known = client
                .lots(&[of.product], std::slice::from_ref(&lot))
                .await
                .unwrap();
            let declaration = Declaration {
                reference: document.reference.clone(),
                guard: None,
                moves: vec![DeclaredMove {
                    id: of.id,
                    unit: of.unit,
                    product: of.product,
                    lines: of.lines.clone(),
                    parts: vec![part(
                        count,
                        Some(Lot::Known(known[&(of.product, lot)])),
                        None,
                    )],
                }],
            };
            client.declare_receipt(picking, &declaration).await.unwrap();
        }
        client.validate_receipt(picking).await.unwrap();
        assert_eq!(
            client.create_transfer(&document).await.unwrap(),
            picking,
            "created once"
        );
        assert!(matches!(
            client.validate_receipt(picking).await,
            Ok(()) | Err(Error::NotOpen { .. })
        ));
        let read = client.picking(picking).await.unwrap().unwrap();
        assert_eq!(
            (read.state, read.moves[0].quantity),
            (PickingState::Done, quantity(count)),
            "{name}"
        );
        assert_eq!(
            counted(&at.read(id).await),
            expected.map(quantity),
            "{name}"
        );
    }
}

/// A confirmed order changes, grows, shrinks, and is cancelled; what is left of a receipt is dropped.
async fn changes(at: &Target) {
    let client = &at.client;
    let order = at.confirmed("changes").await;
    let line = |line: usize, count: &str, price: &str| LineTerms {
        line: order.lines[line].id,
        quantity: quantity(count),
        price: price.parse().unwrap(),
        planned: day("2026-12-09"),
    };
    let update = OrderUpdate {
        reference: None,
        lines: vec![line(0, "8", "2.75"), line(1, "0", "1.25")],
    };
    let changed = client.update_order(order.id, &update).await.unwrap();
    assert_eq!(
        client.update_order(order.id, &update).await.unwrap(),
        changed,
        "a repeat changes nothing"
    );
    let open = only_open(&changed);
    let demand: Vec<_> = open
        .moves
        .iter()
        .filter(|of| of.state.is_open())
        .map(|of| of.demand)
        .collect();
    assert_eq!(
        demand,
        [quantity("8")],
        "nothing is expected of the other line"
    );
    let new = at.order("changes");
    let added = NewOrderLine {
        external_id: new.external_id.part("line", "30"),
        ..new.lines[0].clone()
    };
    let id = client
        .add_order_line(&new.external_id, &added)
        .await
        .unwrap();
    assert_eq!(
        client
            .add_order_line(&new.external_id, &added)
            .await
            .unwrap(),
        id,
        "added once"
    );
    let read = at.read(order.id).await;
    assert_eq!(read.lines.len(), 3);
    // Three of eight come; the rest is dropped, and what was ordered stays as it was.
    let first = only_open(&read).clone();
    client
        .declare_receipt(first.id, &declared(&first, &["3"]))
        .await
        .unwrap();
    client.validate_receipt(first.id).await.unwrap();
    let rest = only_open(&at.read(order.id).await).clone();
    client.cancel_receipt(rest.id).await.unwrap();
    client.cancel_receipt(rest.id).await.unwrap();
    assert!(matches!(
        client.cancel_receipt(first.id).await,
        Err(Error::NotOpen { .. })
    ));
    let read = at.read(order.id).await;
    assert_eq!(
        (read.lines[0].quantity, read.lines[0].received),
        (quantity("8"), quantity("3"))
    );
    assert!(read.pickings.iter().all(|picking| !picking.state.is_open()));

    let other = at.confirmed("cancelled").await;
    client.cancel_order(other.id).await.unwrap();
    client.cancel_order(other.id).await.unwrap();
    assert_eq!(at.read(other.id).await.state, OrderState::Cancelled);
}

/// Charges, rounding, the evidence, a credit note, another day in the books.
async fn bills(at: &Target) {
    let client = &at.client;
    let order = at.confirmed("bills").await;
    let first = only_open(&order).clone();
    client
        .declare_receipt(first.id, &declared(&first, &["5", "10"]))
        .await
        .unwrap();
    client.validate_receipt(first.id).await.unwrap();
    let new = at.order("bills");
    let mut bill = at.bill(&new, "B1").await;
    for (name, price) in [("freight", "25"), ("rounding", "-0.03")] {
        bill.lines.push(NewBillLine {
            external_id: bill.external_id.part("extra", name),
            order_line: None,
            item: at.id("freight"),
            unit: None,
            quantity: quantity("1"),
            price: price.parse().unwrap(),
            tax: None,
            description: name.to_owned(),
        });
    }
    bill.date = day("2026-10-30");
    bill.accounting_date = day("2026-11-02");
    let id = client.create_bill(&bill).await.unwrap();
    assert_eq!(client.create_bill(&bill).await.unwrap(), id);
    let read = client.bill(id).await.unwrap().unwrap();
    assert_eq!(
        (read.lines.len(), read.untaxed.to_string().as_str()),
        (4, "49.97")
    );
    client.post_bill(id).await.unwrap();
    let posted = client.bill(id).await.unwrap().unwrap();
    assert_eq!(
        (posted.invoice_date, posted.accounting_date),
        (Some(day("2026-10-30")), Some(day("2026-11-02")))
    );
    let attached = client
        .search_read(
            model::ATTACHMENT,
            serde_json::json!([["res_model", "=", "account.move"], ["res_id", "=", id]]),
            &["name"],
        )
        .await
        .unwrap();
    assert_eq!(attached.len(), 1, "the match is attached once");
    let mut credit = at.bill(&new, "C1").await;
    credit.refund = true;
    credit.reverses = Some(bill.external_id.clone());
    credit.lines.truncate(1);
    credit.lines[0].quantity = quantity("2");
    let refund = client.create_bill(&credit).await.unwrap();
    client.post_bill(refund).await.unwrap();
    let read = client.bill(refund).await.unwrap().unwrap();
    assert!(read.refund && read.state == BillState::Posted);
    assert_eq!(
        at.read(order.id).await.lines[0].invoiced,
        quantity("3"),
        "five billed, two credited"
    );
}

async fn suite(at: &Target) {
    at.masters().await;
    goods(at).await;
    changes(at).await;
    crate::changes::made_by_people(at).await;
    bills(at).await;
    order_to_posted_bill(at).await;
    race_losers(at).await;
    one_number_for_two_drafts(at).await;
    cancelled_meanwhile(at).await;
    what_odoo_does_not_know(at).await;
    digits(at).await;
    an_unknown_field_is_our_fault(at).await;
    settings(at).await;
    wrong_key_and_database(at).await;
    assert_eq!(at.confirmed("last").await.state, OrderState::Confirmed);
}

async fn in_the_sandbox(version: Version) {
    let (_sandbox, credentials) = sandbox(version);
    let at = Target::at(credentials).await;
    assert_eq!(at.client.version(), version);
    suite(&at).await;
}

#[tokio::test]
async fn the_sandbox_as_17() {
    in_the_sandbox(Version::V17).await;
}

#[tokio::test]
async fn the_sandbox_as_18() {
    in_the_sandbox(Version::V18).await;
}

#[tokio::test]
async fn the_sandbox_as_19() {
    in_the_sandbox(Version::V19).await;
}

#[tokio::test]
async fn a_real_server() {
    let Some(credentials) = real() else {
        tell(
            "NOT RUN: the wire suite against a real Odoo; set ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_API_KEY",
        );
        return;
    };
    let at = Target::at(credentials).await;
    tell(&format!(
        "the wire suite against {} ({:?}), run {}",
        at.credentials.url,
        at.client.version(),
        at.run
    ));
    suite(&at).await;
}
