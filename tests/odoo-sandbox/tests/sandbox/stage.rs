//! What the tests start from: a vendor, a product, orders.

use interplant_odoo_sandbox::{Clock, Sandbox, SandboxOptions, Version};
use serde_json::{Value as Json, json};

use crate::client::Client;

/// Create-once: what exists is left as it is.
pub(crate) fn once() -> Json {
    json!({"mode": "update", "noupdate": true})
}

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) odoo: Client,
    pub(crate) version: Version,
}

impl Stage {
    pub(crate) fn new(version: Version) -> Self {
        Self::with(version, SandboxOptions::default())
    }

    /// A sandbox on 23 November 2026, 09:00 UTC.
    pub(crate) fn in_november(version: Version) -> Self {
        Self::with(
            version,
            SandboxOptions {
                clock: Clock::Fixed(jiff::civil::date(2026, 11, 23).at(9, 0, 0, 0)),
                ..SandboxOptions::default()
            },
        )
    }

    pub(crate) fn with(version: Version, options: SandboxOptions) -> Self {
        let sandbox = Sandbox::start(version, options).unwrap();
        let odoo = Client::integration(&sandbox);
        let stage = Self {
            sandbox,
            odoo,
            version,
        };
        stage.load(
            "res.partner",
            &["id", "name"],
            &json!([["t.vendor", "Steel Ltd."]]),
        );
        stage.load(
            "product.product",
            &[
                "id",
                "name",
                "default_code",
                stage.by_version("detailed_type", "is_storable"),
            ],
            &json!([
                ["t.bolt", "Bolt", "BOLT", stage.storable()],
                ["t.nut", "Nut", "NUT", stage.storable()]
            ]),
        );
        stage
    }

    fn storable(&self) -> &'static str {
        self.by_version("product", "1")
    }

    fn by_version(&self, seventeen: &'static str, later: &'static str) -> &'static str {
        if self.version == Version::V17 {
            seventeen
        } else {
            later
        }
    }

    /// The name of a purchase line's taxes.
    pub(crate) fn taxes(&self) -> &'static str {
        if self.version == Version::V19 {
            "tax_ids"
        } else {
            "taxes_id"
        }
    }

    /// Loads rows create-once and answers the ids.
    pub(crate) fn load(&self, model: &str, columns: &[&str], rows: &Json) -> Vec<i64> {
        let answer = self.odoo.ok(
            model,
            "load",
            json!({"fields": columns, "data": rows, "context": once()}),
        );
        let ids = answer["ids"]
            .as_array()
            .unwrap_or_else(|| panic!("{model}: {answer}"));
        ids.iter().filter_map(Json::as_i64).collect()
    }

    /// An order of bolts and nuts without tax, not confirmed.
    pub(crate) fn draft(&self, name: &str, bolts: &str, nuts: &str) -> i64 {
        let tax = format!("order_line/{}/id", self.taxes());
        let columns = [
            "id",
            "partner_id/id",
            "order_line/id",
            "order_line/product_id/id",
            "order_line/product_qty",
            "order_line/price_unit",
            "order_line/date_planned",
            &tax,
        ];
        let day = "2026-12-01 10:00:00";
        let rows = json!([
            [
                format!("t.{name}"),
                "t.vendor",
                format!("t.{name}_1"),
                "t.bolt",
                bolts,
                "2.5",
                day,
                ""
            ],
            ["", "", format!("t.{name}_2"), "t.nut", nuts, "1", day, ""],
        ]);
        self.load("purchase.order", &columns, &rows)[0]
    }

    /// A confirmed order of 10 bolts and 4 nuts.
    pub(crate) fn order(&self, name: &str) -> Order {
        let id = self.draft(name, "10", "4");
        assert_eq!(
            self.odoo
                .ok("purchase.order", "button_confirm", json!({"ids": [id]})),
            json!(true)
        );
        self.opened(id)
    }

    /// What a confirmed order consists of.
    pub(crate) fn opened(&self, id: i64) -> Order {
        let read = self.read("purchase.order", id, &["order_line", "picking_ids"]);
        let ids = |list: &Json| {
            list.as_array()
                .unwrap()
                .iter()
                .filter_map(Json::as_i64)
                .collect::<Vec<_>>()
        };
        let picking = ids(&read["picking_ids"])[0];
        let moves = ids(&self.read("stock.picking", picking, &["move_ids"])["move_ids"]);
        Order {
            id,
            lines: ids(&read["order_line"]),
            picking,
            moves,
        }
    }

    pub(crate) fn read(&self, model: &str, id: i64, fields: &[&str]) -> Json {
        self.odoo
            .ok(model, "read", json!({"ids": [id], "fields": fields}))[0]
            .clone()
    }

    pub(crate) fn validate(&self, picking: i64, context: &Json) -> Json {
        self.odoo.ok(
            "stock.picking",
            "button_validate",
            json!({"ids": [picking], "context": context}),
        )
    }

    /// Sets quantities on a transfer: move, quantity.
    pub(crate) fn pick(&self, picking: i64, quantities: &[(i64, i64)]) {
        let commands: Vec<Json> = quantities
            .iter()
            .map(|(id, quantity)| json!([1, id, {"quantity": quantity, "picked": true}]))
            .collect();
        self.odoo.ok("stock.picking", "web_save", json!({"ids": [picking], "vals": {"move_ids": commands}, "specification": {"state": {}}}));
    }

    /// What each line of an order received.
    pub(crate) fn received(&self, order: &Order) -> Vec<Json> {
        order
            .lines
            .iter()
            .map(|line| {
                self.read("purchase.order.line", *line, &["qty_received"])["qty_received"].clone()
            })
            .collect()
    }

    /// A bill over some bolts of an order.
    pub(crate) fn bill(&self, name: &str, order: &Order, quantity: &str, date: &str) -> i64 {
        let columns = [
            "id",
            "move_type",
            "partner_id/id",
            "ref",
            "invoice_date",
            "invoice_line_ids/id",
            "invoice_line_ids/purchase_line_id/.id",
            "invoice_line_ids/product_id/id",
            "invoice_line_ids/quantity",
            "invoice_line_ids/price_unit",
            "invoice_line_ids/tax_ids/id",
        ];
        let row = json!([[
            format!("t.{name}"),
            "in_invoice",
            "t.vendor",
            name,
            date,
            format!("t.{name}_1"),
            order.lines[0].to_string(),
            "t.bolt",
            quantity,
            "2.5",
            ""
        ]]);
        self.load("account.move", &columns, &row)[0]
    }
}

pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) lines: Vec<i64>,
    pub(crate) picking: i64,
    pub(crate) moves: Vec<i64>,
}
