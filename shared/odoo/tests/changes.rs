//! Orders that people make and change in Odoo are found by what changed, for every Odoo.

use interplant_domain::identifier::ExternalId;
use interplant_odoo::{ChangedOrder, Changes, OrderState, Version, model};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::targets::Target;

fn xid(text: String) -> ExternalId {
    ExternalId::configured(text)
}

/// A company and an operation type of this run's own, so that nobody else's orders are found.
pub(crate) struct Scope {
    company: i64,
    receipt_type: i64,
}

impl Scope {
    async fn new(at: &Target) -> Self {
        let name = xid(format!("interplant.{}_receipts", at.run));
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
            name.as_str(),
            "Receipts of a test",
            "incoming",
            // Odoo numbers receipts by it, and a number exists once.
            at.run.as_str(),
            "base.main_company",
            "stock.warehouse0",
            "stock.stock_location_suppliers",
            "stock.stock_location_stock",
        ];
        let row = row.map(str::to_owned).to_vec();
        let made = at.client.load(model::PICKING_TYPE, &columns, vec![row]);
        let made = made.await.unwrap()[0];
        let company = xid("base.main_company".to_owned());
        let (company, receipt_type) = at.client.place_of(&company, &name).await.unwrap();
        assert_eq!(receipt_type, Some(made));
        let nothing = xid("interplant.no_such_type".to_owned());
        let other = at.client.place_of(&nothing, &nothing).await.unwrap();
        assert_eq!(other, (None, None));
        Self {
            company: company.unwrap(),
            receipt_type: made,
        }
    }

    async fn read(&self, at: &Target, since: Timestamp, again: &[i64]) -> Vec<ChangedOrder> {
        self.page(at, since, again, 0, 100).await
    }

    async fn page(
        &self,
        at: &Target,
        since: Timestamp,
        again: &[i64],
        after: i64,
        most: u32,
    ) -> Vec<ChangedOrder> {
        let of = Changes {
            company: self.company,
            receipt_type: self.receipt_type,
            since,
            again,
            after,
            most,
        };
        at.client.changed_orders(&of).await.unwrap()
    }
}

fn ids(orders: &[ChangedOrder]) -> Vec<i64> {
    orders.iter().map(|order| order.id).collect()
}

/// An order of a person, with a heading, is found with its lines; a change of a line alone finds it again;
/// nothing is found twice for being paged, and nothing that did not change.
pub(crate) async fn made_by_people(at: &Target) {
    let scope = Scope::new(at).await;
    let find = async |model, name: &str| {
        let name = xid(format!("interplant.{}_{name}", at.run));
        at.client.find(model, &name).await.unwrap().unwrap()
    };
    let partner = find(model::PARTNER, "partner").await;
    let item = find(model::ITEM, "bolt").await;
    let values = |quantity: u32| {
        json!({
            "partner_id": partner, "picking_type_id": scope.receipt_type, "order_line": [
                [0, 0, {"display_type": "line_section", "name": "Fasteners", "product_qty": 0}],
                [0, 0, {"product_id": item, "product_qty": quantity, "price_unit": 2.5, "date_planned": "2026-12-01 09:00:00"}]
            ]
        })
    };
    let order = at.create(model::ORDER, values(5)).await;
    let other = at.create(model::ORDER, values(7)).await;
    let ever = Timestamp::UNIX_EPOCH;
    let found = scope.read(at, ever, &[]).await;
    assert_eq!(ids(&found), [order, other]);
    assert_eq!(
        (found[0].state, found[0].confirmed_at),
        (OrderState::Draft, None)
    );

    at.press(model::ORDER, "button_confirm", order).await;
    let found = scope.read(at, ever, &[]).await;
    let confirmed = &found[0];
    assert_eq!(
        (confirmed.state, confirmed.currency.as_str()),
        (OrderState::Confirmed, "USD")
    );
    assert_eq!(
        (confirmed.partner.id, confirmed.partner.code.as_deref()),
        (partner, Some("ACME"))
    );
    assert!(confirmed.name.starts_with('P') && confirmed.confirmed_at.is_some());
    let [line] = confirmed.lines.as_slice() else {
        panic!("the heading is not a line: {:?}", confirmed.lines);
    };
    assert_eq!(
        (line.quantity.to_string(), line.price.to_string()),
        ("5".to_owned(), "2.5".to_owned())
    );
    assert_eq!(
        line.planned.unwrap().to_string(),
        "2026-12-01T09:00:00Z".to_owned()
    );
    let named = line.item.as_ref().unwrap();
    assert_eq!(named.id, item);
    assert_eq!(
        named.code.as_deref(),
        Some(format!("{}-bolt", at.run).as_str())
    );

    // Pages go by ids, and what is asked for again is found whenever it was changed.
    let first = scope.page(at, ever, &[], 0, 1).await;
    let second = scope.page(at, ever, &[], order, 1).await;
    assert_eq!([ids(&first), ids(&second)].concat(), [order, other]);
    let later = confirmed.written_at.max(found[1].written_at) + SignedDuration::from_hours(1);
    assert_eq!(ids(&scope.read(at, later, &[]).await), Vec::<i64>::new());
    assert_eq!(ids(&scope.read(at, later, &[other]).await), [other]);

    // The moment itself counts, on every version.
    let same = scope.read(at, confirmed.written_at, &[]).await;
    assert!(ids(&same).contains(&order));

    // A line's description is none of its order's fields: the order's own stamp stays.
    at.write(
        model::ORDER_LINE,
        line.id,
        json!({"name": "bolt, hexagonal"}),
    )
    .await;
    let touched = scope.read(at, ever, &[]).await;
    assert!(touched[0].written_at >= confirmed.written_at);
    let since = touched[0].written_at;
    assert!(ids(&scope.read(at, since, &[]).await).contains(&order));

    // External ids: those that there are, of any record.
    let names = at.client.external_ids(model::ORDER, &[order, other]).await;
    assert!(names.unwrap().is_empty());
    let names = at.client.external_ids(model::ITEM, &[item]).await.unwrap();
    assert_eq!(
        names[&item],
        [xid(format!("interplant.{}_bolt", at.run))],
        "{names:?}"
    );

    at.press(model::ORDER, "button_cancel", order).await;
    let gone = scope.read(at, ever, &[]).await;
    assert_eq!(gone[0].state, OrderState::Cancelled);
    // 17 and 18 lock by a state of their own.
    at.press(model::ORDER, "button_confirm", other).await;
    let lock = match at.client.version() {
        Version::V17 | Version::V18 => "button_done",
        Version::V19 => "button_lock",
    };
    at.press(model::ORDER, lock, other).await;
    assert_eq!(scope.read(at, ever, &[]).await[1].state, OrderState::Locked);
}
