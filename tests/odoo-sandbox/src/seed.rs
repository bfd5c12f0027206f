//! What a new database holds: one company with its warehouse, units, currencies, journals and taxes.

use std::sync::Arc;

use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde_json::Map;

use crate::store::{Record, Store};
use crate::transaction::{Environment, Transaction};
use crate::value::{Value, parse_decimal};
use crate::version::Version;

/// The user who sets things up. May approve, and may see external ids.
pub(crate) const ADMINISTRATOR: i64 = 2;
/// The user whose key is handed out.
pub(crate) const INTEGRATION: i64 = 3;

struct Seed {
    tx: Transaction,
}

impl Seed {
    fn add<const N: usize>(
        &mut self,
        external_id: &str,
        model: &'static str,
        values: [(&'static str, Value); N],
    ) -> i64 {
        let mut record = Record::from(values);
        if self
            .tx
            .schema
            .model(model)
            .is_some_and(|of| of.by_key("active").is_some())
        {
            record.entry("active").or_insert(Value::Flag(true));
        }
        let id = self.tx.insert(model, record);
        if !external_id.is_empty() {
            self.tx.name_externally(external_id, model, id, true);
        }
        id
    }
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn number(text: &str) -> Value {
    Value::Dec(parse_decimal(text).unwrap_or_default())
}

/// Fills an empty store.
pub(crate) fn seed(version: Version, store: &Arc<Store>, now: DateTime, login: &str) {
    let env = Environment {
        user: ADMINISTRATOR,
        context: Map::new(),
        now,
    };
    let mut seed = Seed {
        tx: Transaction::begin(version, store, env),
    };
    base(&mut seed, version, login);
    units(&mut seed, version);
    stock(&mut seed, version);
    account(&mut seed, version);
    let (base, changes) = seed.tx.finish();
    // Nobody else works on the store yet, so nothing can be in the way.
    drop(store.commit(base, changes, "seed"));
}

fn base(seed: &mut Seed, version: Version, login: &str) {
    for (code, name) in COUNTRIES {
        seed.add(
            &format!("base.{}", code.to_lowercase()),
            "res.country",
            [("code", text(code)), ("name", text(name))],
        );
    }
    for (code, name, symbol, active) in CURRENCIES {
        let places = if *code == "JPY" { 0 } else { 2 };
        seed.add(
            &format!("base.{code}"),
            "res.currency",
            [
                ("name", text(code)),
                ("full_name", text(name)),
                ("symbol", text(symbol)),
                ("active", Value::Flag(*active)),
                ("rounding", Value::Dec(Decimal::new(1, places))),
                ("decimal_places", Value::Int(i64::from(places))),
                ("position", text("after")),
            ],
        );
    }
    let partner = |name: &str, company| {
        [
            ("name", text(name)),
            ("type", text("contact")),
            ("is_company", Value::Flag(company)),
        ]
    };
    let company_partner = seed.add(
        "base.main_partner",
        "res.partner",
        partner("My Company", true),
    );
    seed.add(
        "base.main_company",
        "res.company",
        [
            ("name", text("My Company")),
            ("partner_id", Value::One(company_partner)),
            ("currency_id", Value::One(1)),
            ("sequence", Value::Int(0)),
            ("po_double_validation", text("one_step")),
            ("po_double_validation_amount", number("5000")),
            ("po_lock", text("edit")),
        ],
    );
    for (external_id, name, login, active) in [
        ("base.user_root", "OdooBot", "__system__", false),
        ("base.user_admin", "Administrator", "admin", true),
        ("", "Interplant", login, true),
    ] {
        let partner = seed.add("", "res.partner", partner(name, false));
        seed.add(
            external_id,
            "res.users",
            [
                ("login", text(login)),
                ("name", text(name)),
                ("partner_id", Value::One(partner)),
                ("company_id", Value::One(1)),
                ("lang", text("en_US")),
                ("tz", text("UTC")),
                ("active", Value::Flag(active)),
            ],
        );
    }
    for (usage, digits) in version.precisions() {
        seed.add(
            "",
            "decimal.precision",
            [("name", text(usage)), ("digits", Value::Int(*digits))],
        );
    }
    for (id, name, days) in [
        ("immediate", "Immediate Payment", 0),
        ("15days", "15 Days", 15),
        ("30days", "30 Days", 30),
        ("45days", "45 Days", 45),
    ] {
        let external_id = format!("account.account_payment_term_{id}");
        seed.add(
            &external_id,
            "account.payment.term",
            [
                ("name", text(name)),
                ("days", Value::Int(days)),
                ("sequence", Value::Int(10)),
            ],
        );
    }
    for (name, parent) in version.categories() {
        let parent = Value::one((*parent > 0).then_some(*parent));
        seed.add(
            "",
            "product.category",
            [("name", text(name)), ("parent_id", parent)],
        );
    }
}

fn units(seed: &mut Seed, version: Version) {
    let mut roots: Vec<(&str, i64)> = Vec::new();
    for (number_in_list, (name, external_id, category, ratio)) in (0..).zip(UNITS) {
        let root = roots
            .iter()
            .find(|(of, _)| of == category)
            .map(|(_, id)| *id);
        let group = if version == Version::V19 {
            None
        } else {
            let known = seed
                .tx
                .ids("uom.category")
                .into_iter()
                .find(|id| seed.tx.text("uom.category", *id, "name") == *category);
            Some(known.unwrap_or_else(|| {
                let external_id = UNIT_CATEGORIES
                    .iter()
                    .find(|(of, _)| of == category)
                    .map_or("", |(_, id)| id);
                seed.add(
                    &format!("uom.{external_id}"),
                    "uom.category",
                    [("name", text(category))],
                )
            }))
        };
        let ratio = parse_decimal(ratio).unwrap_or(Decimal::ONE);
        let kind = if root.is_none() {
            "reference"
        } else if ratio > Decimal::ONE {
            "bigger"
        } else {
            "smaller"
        };
        let id = seed.add(
            &format!("uom.{external_id}"),
            "uom.uom",
            [
                ("name", text(name)),
                ("rounding", number("0.01")),
                ("relative_factor", Value::Dec(ratio)),
                ("relative_uom_id", Value::one(root)),
                ("factor_inv", Value::Dec(ratio)),
                ("category_id", Value::one(group)),
                ("uom_type", text(kind)),
                ("sequence", Value::Int(number_in_list)),
            ],
        );
        if root.is_none() {
            roots.push((category, id));
        }
    }
}

fn stock(seed: &mut Seed, version: Version) {
    let location = |name: &str, usage: &str, parent: Option<i64>| {
        [
            ("name", text(name)),
            ("usage", text(usage)),
            ("location_id", Value::one(parent)),
        ]
    };
    let partners = version.partner_locations_have_parent().then(|| {
        seed.add(
            "stock.stock_location_locations",
            "stock.location",
            location("Physical Locations", "view", None),
        );
        seed.add(
            "stock.stock_location_locations_partner",
            "stock.location",
            location("Partners", "view", None),
        )
    });
    let vendors = seed.add(
        "stock.stock_location_suppliers",
        "stock.location",
        location("Vendors", "supplier", partners),
    );
    let customers = seed.add(
        "stock.stock_location_customers",
        "stock.location",
        location("Customers", "customer", partners),
    );
    seed.add(
        "",
        "stock.location",
        location("Inventory adjustment", "inventory", None),
    );
    if version != Version::V19 {
        seed.add(
            "",
            "stock.location",
            [
                ("name", text("Scrap")),
                ("usage", text("inventory")),
                ("location_id", Value::Null),
                ("scrap_location", Value::Flag(true)),
            ],
        );
    }
    let view = seed.add("", "stock.location", location("WH", "view", None));
    let main = seed.add(
        "stock.stock_location_stock",
        "stock.location",
        location("Stock", "internal", Some(view)),
    );
    let input = seed.add(
        "stock.stock_location_company",
        "stock.location",
        location("Input", "internal", Some(view)),
    );
    let quality = seed.add(
        "",
        "stock.location",
        location("Quality Control", "internal", Some(view)),
    );
    let warehouse = seed.add(
        "stock.warehouse0",
        "stock.warehouse",
        [
            ("name", text("My Company")),
            ("code", text("WH")),
            ("company_id", Value::One(1)),
            ("partner_id", Value::One(1)),
            ("lot_stock_id", Value::One(main)),
            ("view_location_id", Value::One(view)),
            ("wh_input_stock_loc_id", Value::One(input)),
            ("wh_qc_stock_loc_id", Value::One(quality)),
            ("reception_steps", text("one_step")),
            ("delivery_steps", text("ship_only")),
            ("manufacture_steps", text("mrp_one_step")),
            ("sequence", Value::Int(10)),
        ],
    );
    for (field, external_id, name, code, prefix, from, to, sequence) in [
        (
            "in_type_id",
            "stock.picking_type_in",
            "Receipts",
            "incoming",
            "IN",
            vendors,
            main,
            1,
        ),
        (
            "out_type_id",
            "stock.picking_type_out",
            "Delivery Orders",
            "outgoing",
            "OUT",
            main,
            customers,
            5,
        ),
        (
            "int_type_id",
            "stock.picking_type_internal",
            "Internal Transfers",
            "internal",
            "INT",
            main,
            main,
            4,
        ),
        (
            "manu_type_id",
            "",
            "Manufacturing",
            "mrp_operation",
            "MO",
            main,
            main,
            6,
        ),
    ] {
        let kind = seed.add(
            external_id,
            "stock.picking.type",
            [
                ("name", text(name)),
                ("code", text(code)),
                ("sequence_code", text(prefix)),
                ("company_id", Value::One(1)),
                ("warehouse_id", Value::One(warehouse)),
                ("default_location_src_id", Value::One(from)),
                ("default_location_dest_id", Value::One(to)),
                ("create_backorder", text("ask")),
                ("sequence", Value::Int(sequence)),
            ],
        );
        seed.tx
            .put("stock.warehouse", warehouse, field, Value::One(kind));
    }
}

fn account(seed: &mut Seed, version: Version) {
    for (code, name, kind) in ACCOUNTS {
        seed.add(
            "",
            "account.account",
            [
                ("code", text(code)),
                ("name", text(name)),
                ("account_type", text(kind)),
                ("company_id", Value::One(1)),
                ("company_ids", Value::Many(vec![1])),
            ],
        );
    }
    for (external_id, code, name, kind, sequence) in [
        ("sale", "INV", "Sales", "sale", 5),
        (
            "purchase",
            "BILL",
            version.purchase_journal(),
            "purchase",
            6,
        ),
        ("bank", "BNK1", "Bank", "bank", 7),
    ] {
        journal(seed, external_id, code, name, kind, sequence);
    }
    for (code, name, sequence) in version.general_journals() {
        journal(seed, &code.to_lowercase(), code, name, "general", *sequence);
    }
    let mut taxes = Vec::new();
    for (external_id, name, amount, usage) in [
        ("account.1_sale_tax_template", "15%", "15", "sale"),
        ("account.1_purchase_tax_template", "15%", "15", "purchase"),
        ("account.1_purchase_tax_template_0", "0%", "0", "purchase"),
        (
            "account.1_purchase_tax_template_21",
            "21%",
            "21",
            "purchase",
        ),
    ] {
        taxes.push(seed.add(
            external_id,
            "account.tax",
            [
                ("name", text(name)),
                ("amount", number(amount)),
                ("amount_type", text("percent")),
                ("type_tax_use", text(usage)),
                ("price_include", Value::Flag(false)),
                ("sequence", Value::Int(1)),
                ("company_id", Value::One(1)),
            ],
        ));
    }
    if let [sale, purchase, ..] = taxes.as_slice() {
        seed.tx.put_all(
            "res.company",
            1,
            [
                ("account_sale_tax_id", Value::One(*sale)),
                ("account_purchase_tax_id", Value::One(*purchase)),
            ],
        );
    }
}

fn journal(seed: &mut Seed, external_id: &str, code: &str, name: &str, kind: &str, sequence: i64) {
    seed.add(
        &format!("account.1_{external_id}"),
        "account.journal",
        [
            ("code", text(code)),
            ("name", text(name)),
            ("type", text(kind)),
            ("company_id", Value::One(1)),
            ("sequence", Value::Int(sequence)),
        ],
    );
}

const COUNTRIES: &[(&str, &str)] = &[
    ("US", "United States"),
    ("AT", "Austria"),
    ("BE", "Belgium"),
    ("BR", "Brazil"),
    ("CA", "Canada"),
    ("CH", "Switzerland"),
    ("CN", "China"),
    ("CZ", "Czech Republic"),
    ("DE", "Germany"),
    ("DK", "Denmark"),
    ("ES", "Spain"),
    ("FI", "Finland"),
    ("FR", "France"),
    ("GB", "United Kingdom"),
    ("HU", "Hungary"),
    ("IE", "Ireland"),
    ("IN", "India"),
    ("IT", "Italy"),
    ("JP", "Japan"),
    ("KR", "South Korea"),
    ("MX", "Mexico"),
    ("NL", "Netherlands"),
    ("NO", "Norway"),
    ("PL", "Poland"),
    ("PT", "Portugal"),
    ("RO", "Romania"),
    ("SE", "Sweden"),
    ("SI", "Slovenia"),
    ("SK", "Slovakia"),
    ("TR", "T\u{fc}rkiye"),
    ("TW", "Taiwan"),
];

/// Code, name, symbol, and whether it is switched on.
const CURRENCIES: &[(&str, &str, &str, bool)] = &[
    ("USD", "United States dollar", "$", true),
    ("EUR", "Euro", "\u{20ac}", true),
    ("CHF", "Swiss franc", "CHF", false),
    ("CNY", "Chinese yuan", "\u{a5}", false),
    ("CZK", "Czech koruna", "K\u{10d}", false),
    ("GBP", "Pound sterling", "\u{a3}", false),
    ("HUF", "Hungarian forint", "Ft", false),
    ("JPY", "Japanese yen", "\u{a5}", false),
    ("MXN", "Mexican peso", "$", false),
    ("PLN", "Polish zloty", "z\u{142}", false),
    ("SEK", "Swedish krona", "kr", false),
];

/// Name, external id, category, how many of the category's first unit.
const UNITS: &[(&str, &str, &str, &str)] = &[
    ("Units", "product_uom_unit", "Unit", "1"),
    ("Dozens", "product_uom_dozen", "Unit", "12"),
    ("kg", "product_uom_kgm", "Weight", "1"),
    ("g", "product_uom_gram", "Weight", "0.001"),
    ("t", "product_uom_ton", "Weight", "1000"),
    ("lb", "product_uom_lb", "Weight", "0.45359237"),
    ("oz", "product_uom_oz", "Weight", "0.0283495231"),
    ("m", "product_uom_meter", "Length / Distance", "1"),
    ("mm", "product_uom_millimeter", "Length / Distance", "0.001"),
    ("cm", "product_uom_cm", "Length / Distance", "0.01"),
    ("km", "product_uom_km", "Length / Distance", "1000"),
    ("in", "product_uom_inch", "Length / Distance", "0.0254"),
    ("ft", "product_uom_foot", "Length / Distance", "0.3048"),
    ("L", "product_uom_litre", "Volume", "1"),
    ("m\u{b3}", "product_uom_cubic_meter", "Volume", "1000"),
    ("gal (US)", "product_uom_gal", "Volume", "3.785411784"),
    ("Hours", "product_uom_hour", "Working Time", "1"),
    ("Days", "product_uom_day", "Working Time", "8"),
    ("m\u{b2}", "uom_square_meter", "Surface", "1"),
];

const UNIT_CATEGORIES: &[(&str, &str)] = &[
    ("Unit", "product_uom_categ_unit"),
    ("Weight", "product_uom_categ_kgm"),
    ("Working Time", "uom_categ_wtime"),
    ("Length / Distance", "uom_categ_length"),
    ("Surface", "uom_categ_surface"),
    ("Volume", "product_uom_categ_vol"),
];

const ACCOUNTS: &[(&str, &str, &str)] = &[
    ("101401", "Bank", "asset_cash"),
    ("121000", "Account Receivable", "asset_receivable"),
    ("131000", "Tax Paid", "asset_current"),
    ("201000", "Current Liabilities", "liability_current"),
    ("211000", "Account Payable", "liability_payable"),
    ("251000", "Tax Received", "liability_current"),
    ("400000", "Product Sales", "income"),
    ("443000", "Cash Discount Loss", "expense"),
    ("500000", "Cost of Goods Sold", "expense_direct_cost"),
    ("600000", "Expenses", "expense"),
];
