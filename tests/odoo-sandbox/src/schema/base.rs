//! Partners, companies, currencies, users, external ids, settings.

use super::{
    Declared, boolean, char, date, discount, float, html, integer, many2one, model, monetary,
    one2many, selection,
};
use crate::version::Version::{V17, V18};

pub(super) const MODELS: &[Declared] = &[
    model(
        "res.partner",
        "Contact",
        "name, id",
        &[
            char("name", "Name"),
            char("complete_name", "Complete Name").computed(),
            char("email", "Email"),
            char("phone", "Phone"),
            char("mobile", "Mobile").until(V18),
            char("vat", "Tax ID"),
            char("company_registry", "Company ID"),
            char("ref", "Reference"),
            boolean("active", "Active"),
            boolean("is_company", "Is a Company"),
            selection(
                "company_type",
                "Company Type",
                &[("person", "Person"), ("company", "Company")],
            )
            .computed(),
            many2one("parent_id", "Related Company", "res.partner"),
            one2many("child_ids", "Contact", "res.partner", "parent_id"),
            selection(
                "type",
                "Address Type",
                &[
                    ("contact", "Contact"),
                    ("invoice", "Invoice"),
                    ("delivery", "Delivery"),
                    ("other", "Other"),
                ],
            ),
            char("street", "Street"),
            char("street2", "Street2"),
            char("zip", "Zip"),
            char("city", "City"),
            many2one("state_id", "State", "res.country.state"),
            many2one("country_id", "Country", "res.country"),
            char("lang", "Language"),
            char("tz", "Timezone"),
            html("comment", "Notes"),
            integer("color", "Color Index"),
            char("website", "Website Link"),
            char("function", "Job Position"),
            integer("supplier_rank", "Supplier Rank"),
            integer("customer_rank", "Customer Rank"),
            many2one("company_id", "Company", "res.company"),
            many2one("user_id", "Salesperson", "res.users"),
            many2one("currency_id", "Currency", "res.currency").computed(),
            many2one(
                "property_supplier_payment_term_id",
                "Vendor Payment Terms",
                "account.payment.term",
            ),
            many2one(
                "property_payment_term_id",
                "Customer Payment Terms",
                "account.payment.term",
            ),
            many2one(
                "property_purchase_currency_id",
                "Supplier Currency",
                "res.currency",
            ),
            many2one("commercial_partner_id", "Commercial Entity", "res.partner").computed(),
        ],
    ),
    model(
        "res.company",
        "Companies",
        "sequence, name",
        &[
            char("name", "Company Name").required(),
            many2one("partner_id", "Partner", "res.partner").required(),
            many2one("currency_id", "Currency", "res.currency").required(),
            char("email", "Email"),
            char("phone", "Phone"),
            char("vat", "Tax ID"),
            many2one("country_id", "Country", "res.country"),
            integer("sequence", "Sequence"),
            boolean("active", "Active"),
            selection(
                "po_double_validation",
                "Levels of Approvals",
                &[
                    ("one_step", "Confirm purchase orders in one step"),
                    (
                        "two_step",
                        "Get 2 levels of approvals to confirm a purchase order",
                    ),
                ],
            ),
            monetary("po_double_validation_amount", "Double validation amount"),
            selection(
                "po_lock",
                "Purchase Order Modification",
                &[
                    ("edit", "Allow to edit purchase orders"),
                    ("lock", "Confirmed purchase orders are not editable"),
                ],
            ),
            date("fiscalyear_lock_date", "Global Lock Date"),
            date("period_lock_date", "Journals Entries Lock Date").until(V17),
            date("purchase_lock_date", "Purchase Lock date").since(V18),
            date("sale_lock_date", "Sales Lock Date").since(V18),
            date("tax_lock_date", "Tax Return Lock Date"),
            date("user_fiscalyear_lock_date", "User Fiscalyear Lock Date")
                .computed()
                .since(V18),
            date("user_tax_lock_date", "User Tax Lock Date")
                .computed()
                .since(V18),
            date("user_sale_lock_date", "User Sale Lock Date")
                .computed()
                .since(V18),
            date("user_purchase_lock_date", "User Purchase Lock Date")
                .computed()
                .since(V18),
            date("user_hard_lock_date", "User Hard Lock Date")
                .computed()
                .since(V18),
            date("max_tax_lock_date", "Max Tax Lock Date")
                .computed()
                .until(V17),
            date("hard_lock_date", "Hard Lock Date").since(V18),
            many2one(
                "account_purchase_tax_id",
                "Default Purchase Tax",
                "account.tax",
            ),
            many2one("account_sale_tax_id", "Default Sale Tax", "account.tax"),
        ],
    ),
    model(
        "res.users",
        "User",
        "name, login",
        &[
            char("login", "Login").required(),
            char("name", "Name").required(),
            many2one("partner_id", "Related Partner", "res.partner").required(),
            many2one("company_id", "Company", "res.company").required(),
            char("lang", "Language"),
            char("tz", "Timezone"),
            boolean("active", "Active"),
            char("password", "Password").computed(),
        ],
    ),
    model(
        "res.currency",
        "Currency",
        "active desc, name",
        &[
            char("name", "Currency").required(),
            char("symbol", "Symbol").required(),
            char("full_name", "Name"),
            boolean("active", "Active"),
            float("rounding", "Rounding Factor"),
            integer("decimal_places", "Decimal Places"),
            selection(
                "position",
                "Symbol Position",
                &[("after", "After Amount"), ("before", "Before Amount")],
            ),
            float("rate", "Current Rate").computed(),
        ],
    ),
    model(
        "res.country",
        "Country",
        "name, id",
        &[
            char("name", "Country Name").required(),
            char("code", "Country Code").required(),
        ],
    ),
    model(
        "res.country.state",
        "Country state",
        "code, id",
        &[
            char("name", "State Name").required(),
            char("code", "State Code").required(),
            many2one("country_id", "Country", "res.country").required(),
        ],
    ),
    model(
        "ir.model.data",
        "Model Data",
        "module, model, name",
        &[
            char("name", "External Identifier").required(),
            char("module", "Module").required(),
            char("model", "Model Name").required(),
            integer("res_id", "Record ID"),
            boolean("noupdate", "Non Updatable"),
            char("complete_name", "Complete ID").computed(),
            char("reference", "Reference").computed(),
        ],
    ),
    model(
        "decimal.precision",
        "Decimal Precision",
        "id",
        &[
            char("name", "Usage").required(),
            integer("digits", "Digits").required(),
        ],
    ),
    model(
        "account.payment.term",
        "Payment Terms",
        "sequence, id",
        &[
            char("name", "Payment Terms").required(),
            boolean("active", "Active"),
            integer("sequence", "Sequence").required(),
            integer("days", "Days"),
            discount("discount_percentage", "Discount %"),
        ],
    ),
    model(
        "account.fiscal.position",
        "Fiscal Position",
        "sequence",
        &[
            char("name", "Fiscal Position").required(),
            integer("sequence", "Sequence"),
        ],
    ),
    model(
        "account.incoterms",
        "Incoterms",
        "id",
        &[
            char("name", "Name").required(),
            char("code", "Code").required(),
        ],
    ),
    model(
        "mail.message",
        "Message",
        "id desc",
        &[
            char("model", "Related Document Model"),
            integer("res_id", "Related Document ID"),
            html("body", "Contents"),
            super::datetime("date", "Date"),
        ],
    ),
];
