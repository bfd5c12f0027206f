//! Bills and journal entries, journals, accounts, taxes.

use super::{
    Declared, boolean, char, date, discount, float, html, integer, many2many, many2one, model,
    monetary, one2many, price, quantity, selection,
};
use crate::version::Options;
use crate::version::Version::{V17, V18};

const STATES: Options = &[
    ("draft", "Draft"),
    ("posted", "Posted"),
    ("cancel", "Cancelled"),
];

pub(super) const MODELS: &[Declared] = &[
    // Only what bills carry: there the record that an attachment belongs to is always a bill.
    model(
        "ir.attachment",
        "Attachment",
        "id desc",
        &[
            char("name", "Name").required(),
            char("res_model", "Resource Model"),
            many2one("res_id", "Resource ID", "account.move"),
            char("datas", "File Content (base64)"),
        ],
    ),
    model(
        "account.move",
        "Journal Entry",
        "date desc, name desc, invoice_date desc, id desc",
        &[
            char("name", "Number"),
            char("ref", "Reference"),
            selection("state", "Status", STATES).required(),
            selection(
                "move_type",
                "Type",
                &[
                    ("entry", "Journal Entry"),
                    ("out_invoice", "Customer Invoice"),
                    ("out_refund", "Customer Credit Note"),
                    ("in_invoice", "Vendor Bill"),
                    ("in_refund", "Vendor Credit Note"),
                    ("out_receipt", "Sales Receipt"),
                    ("in_receipt", "Purchase Receipt"),
                ],
            )
            .required(),
            many2one("partner_id", "Partner", "res.partner"),
            date("invoice_date", "Invoice/Bill Date"),
            date("date", "Date").required(),
            date("invoice_date_due", "Due Date"),
            many2one("journal_id", "Journal", "account.journal").required(),
            many2one("currency_id", "Currency", "res.currency").required(),
            many2one("company_id", "Company", "res.company"),
            many2one("reversed_entry_id", "Reversal of", "account.move"),
            one2many("attachment_ids", "Attachments", "ir.attachment", "res_id"),
            char("invoice_origin", "Origin"),
            one2many(
                "invoice_line_ids",
                "Invoice lines",
                "account.move.line",
                "move_id",
            ),
            one2many("line_ids", "Journal Items", "account.move.line", "move_id"),
            monetary("amount_untaxed", "Untaxed Amount").computed(),
            monetary("amount_tax", "Tax").computed(),
            monetary("amount_total", "Total").computed(),
            monetary("amount_residual", "Amount Due").computed(),
            selection(
                "payment_state",
                "Payment Status",
                &[
                    ("not_paid", "Not Paid"),
                    ("in_payment", "In Payment"),
                    ("paid", "Paid"),
                    ("partial", "Partially Paid"),
                    ("reversed", "Reversed"),
                    ("invoicing_legacy", "Invoicing App Legacy"),
                ],
            )
            .computed(),
            char("payment_reference", "Payment Reference"),
            html("narration", "Terms and Conditions"),
            many2one(
                "fiscal_position_id",
                "Fiscal Position",
                "account.fiscal.position",
            ),
            many2one(
                "invoice_payment_term_id",
                "Payment Terms",
                "account.payment.term",
            ),
            many2one("invoice_user_id", "Salesperson", "res.users"),
            boolean("posted_before", "Posted Before"),
        ],
    ),
    model(
        "account.move.line",
        "Journal Item",
        "date desc, move_name desc, id",
        &[
            many2one("move_id", "Journal Entry", "account.move").required(),
            char("name", "Label"),
            integer("sequence", "Sequence"),
            many2one("product_id", "Product", "product.product"),
            many2one("product_uom_id", "Unit", "uom.uom"),
            quantity("quantity", "Quantity"),
            price("price_unit", "Unit Price"),
            discount("discount", "Discount (%)"),
            monetary("price_subtotal", "Subtotal").computed(),
            monetary("price_total", "Total").computed(),
            many2many("tax_ids", "Taxes", "account.tax"),
            many2one("tax_line_id", "Originator Tax", "account.tax"),
            many2one("account_id", "Account", "account.account"),
            many2one("partner_id", "Partner", "res.partner").through("move_id"),
            monetary("debit", "Debit"),
            monetary("credit", "Credit"),
            monetary("balance", "Balance").computed(),
            monetary("amount_currency", "Amount in Currency").computed(),
            many2one("currency_id", "Currency", "res.currency").through("move_id"),
            many2one("company_id", "Company", "res.company").through("move_id"),
            many2one("journal_id", "Journal", "account.journal").through("move_id"),
            date("date", "Date").through("move_id"),
            char("ref", "Reference").through("move_id"),
            char("move_name", "Number").computed(),
            selection("parent_state", "Status", STATES).computed(),
            selection(
                "display_type",
                "Display Type",
                &[
                    ("product", "Product"),
                    ("cogs", "Cost of Goods Sold"),
                    ("tax", "Tax"),
                    ("rounding", "Rounding"),
                    ("payment_term", "Payment Term"),
                    ("line_section", "Section"),
                    ("line_note", "Note"),
                ],
            )
            .required(),
            many2one(
                "purchase_line_id",
                "Purchase Order Line",
                "purchase.order.line",
            ),
            many2one("purchase_order_id", "Purchase Order", "purchase.order").computed(),
            date("date_maturity", "Due Date"),
        ],
    ),
    model(
        "account.journal",
        "Journal",
        "sequence, type, code",
        &[
            char("name", "Journal Name").required(),
            char("code", "Sequence Prefix").required(),
            selection(
                "type",
                "Type",
                &[
                    ("sale", "Sales"),
                    ("purchase", "Purchase"),
                    ("cash", "Cash"),
                    ("bank", "Bank"),
                    ("general", "Miscellaneous"),
                ],
            )
            .required(),
            boolean("active", "Active"),
            integer("sequence", "Sequence"),
            many2one("company_id", "Company", "res.company").required(),
            many2one("default_account_id", "Default Account", "account.account"),
            many2one("currency_id", "Currency", "res.currency"),
        ],
    ),
    model(
        "account.account",
        "Account",
        "code",
        &[
            char("name", "Account Name").required(),
            char("code", "Code"),
            selection(
                "account_type",
                "Type",
                &[
                    ("asset_receivable", "Receivable"),
                    ("asset_cash", "Bank and Cash"),
                    ("asset_current", "Current Assets"),
                    ("liability_payable", "Payable"),
                    ("liability_current", "Current Liabilities"),
                    ("income", "Income"),
                    ("expense", "Expenses"),
                    ("expense_direct_cost", "Cost of Revenue"),
                ],
            )
            .required(),
            many2many("company_ids", "Companies", "res.company").since(V18),
            many2one("company_id", "Company", "res.company").until(V17),
            boolean("reconcile", "Allow Reconciliation"),
        ],
    ),
    model(
        "account.tax",
        "Tax",
        "sequence, id",
        &[
            char("name", "Tax Name").required(),
            float("amount", "Amount").required(),
            selection(
                "amount_type",
                "Tax Computation",
                &[
                    ("group", "Group of Taxes"),
                    ("fixed", "Fixed"),
                    ("percent", "Percentage"),
                    ("division", "Percentage Tax Included"),
                ],
            )
            .required(),
            selection(
                "type_tax_use",
                "Tax Type",
                &[
                    ("sale", "Sales"),
                    ("purchase", "Purchases"),
                    ("none", "None"),
                ],
            )
            .required(),
            boolean("price_include", "Price Include"),
            boolean("active", "Active"),
            integer("sequence", "Sequence"),
            many2one("company_id", "Company", "res.company").required(),
            html("description", "Description"),
        ],
    ),
];
