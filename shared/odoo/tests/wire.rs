//! From order to posted bill, each call repeated, raced and guarded: the same suite for every Odoo.

use interplant_domain::decimal::Quantity;
use interplant_domain::exception::Code;
use interplant_domain::fact::Day;
use interplant_domain::identifier::ExternalId;
use interplant_odoo::{
    Acknowledgement, BillState, Class, Client, Declaration, DeclaredMove, Error, Limits, NewBill,
    NewBillLine, NewItem, NewOrder, NewOrderLine, NewPartner, Order, OrderState, Outcome, Picking,
    PickingState, RefusedKind, Version, model,
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
        };
        self.client.create_partners(&[partner]).await.unwrap();
        let item = |name: &str| NewItem {
            external_id: self.id(name),
            name: format!("Item {name}"),
            code: format!("{}-{name}", self.run),
            unit: xid(UNIT),
        };
        let items = [item("bolt"), item("nut")];
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

    fn bill(&self, order: &NewOrder, name: &str) -> NewBill {
        let external_id = order.external_id.part("bill", name);
        NewBill {
            partner: order.partner.clone(),
            currency: order.currency.clone(),
            company: order.company.clone(),
            number: format!("{name}-{}", self.run),
            date: day("2026-11-22"),
            lines: order
                .lines
                .iter()
                .zip(["10", "20"])
                .map(|(line, number)| NewBillLine {
                    external_id: external_id.part("line", number),
                    order_line: line.external_id.clone(),
                    item: line.item.clone(),
                    unit: line.unit.clone(),
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

fn declared(picking: &Picking, quantities: &[&str]) -> Declaration {
    // What is not named did not come.
    let came = quantities.iter().copied().chain(std::iter::repeat("0"));
    Declaration {
        reference: format!("interplant picking {} receipt R-1", picking.id),
        guard: picking.guard.clone(),
        moves: picking
            .moves
            .iter()
            .zip(came)
            .map(|(of, quantity)| DeclaredMove {
                id: of.id,
                unit: of.unit,
                quantity: quantity.parse().unwrap(),
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

    let answer = Acknowledgement {
        reference: "SUP-ACK-77".into(),
        promised: vec![(confirmed.lines[0].id, day("2026-12-05"))],
    };
    let acknowledged = client.acknowledge_order(id, &answer).await.unwrap();
    assert_eq!(
        client.acknowledge_order(id, &answer).await.unwrap(),
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
        guard: first.guard.clone(),
        moves: vec![DeclaredMove {
            quantity: quantity("1"),
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
            quantity: quantity("1"),
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
                quantity: quantity(came),
            })
            .into(),
        guard: rest.guard.clone(),
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

    let wanted_bill = at.bill(&wanted, "INV-1");
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

    let wanted_bill = at.bill(&wanted, "INV-R");
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
    let bill = client.create_bill(&at.bill(&order, "INV-C")).await.unwrap();
    assert_eq!(
        client.bill(bill).await.unwrap().unwrap().lines[0].order_line_invoiced,
        Some(quantity("5")),
        "a draft counts"
    );
    at.press(model::BILL, "button_cancel", bill).await;
    assert_eq!(
        client.create_bill(&at.bill(&order, "INV-C")).await.unwrap(),
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

async fn suite(at: &Target) {
    at.masters().await;
    order_to_posted_bill(at).await;
    race_losers(at).await;
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
