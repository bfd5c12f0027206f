//! Purchase orders and their lines.

use super::{
    Declared, boolean, char, datetime, discount, float, html, integer, many2many, many2one, model,
    monetary, one2many, price, quantity, selection, text,
};
use crate::version::Options;
use crate::version::Version::{V18, V19};

const STATES: Options = &[
    ("draft", "RFQ"),
    ("sent", "RFQ Sent"),
    ("to approve", "To Approve"),
    ("purchase", "Purchase Order"),
    ("cancel", "Cancelled"),
];

pub(super) const MODELS: &[Declared] = &[
    model(
        "purchase.order",
        "Purchase Order",
        "priority desc, id desc",
        &[
            char("name", "Order Reference").required(),
            many2one("partner_id", "Vendor", "res.partner").required(),
            char("partner_ref", "Vendor Reference"),
            char("origin", "Source"),
            selection("state", "Status", STATES),
            datetime("date_order", "Order Deadline").required(),
            datetime("date_approve", "Confirmation Date"),
            datetime("date_planned", "Expected Arrival"),
            datetime("date_calendar_start", "Date Calendar Start").computed(),
            one2many(
                "order_line",
                "Order Lines",
                "purchase.order.line",
                "order_id",
            ),
            many2one("currency_id", "Currency", "res.currency").required(),
            many2one("company_id", "Company", "res.company").required(),
            many2one("user_id", "Buyer", "res.users"),
            many2one("picking_type_id", "Deliver To", "stock.picking.type").required(),
            many2one(
                "fiscal_position_id",
                "Fiscal Position",
                "account.fiscal.position",
            ),
            many2one("payment_term_id", "Payment Terms", "account.payment.term"),
            many2one("incoterm_id", "Incoterm", "account.incoterms"),
            html("note", "Terms and Conditions"),
            monetary("amount_untaxed", "Untaxed Amount").computed(),
            monetary("amount_tax", "Taxes").computed(),
            monetary("amount_total", "Total").computed(),
            many2many("invoice_ids", "Bills", "account.move").computed(),
            integer("invoice_count", "Bill Count").computed(),
            selection(
                "invoice_status",
                "Billing Status",
                &[
                    ("no", "Nothing to Bill"),
                    ("to invoice", "Waiting Bills"),
                    ("invoiced", "Fully Billed"),
                ],
            )
            .computed(),
            many2many("picking_ids", "Receptions", "stock.picking").computed(),
            integer("incoming_picking_count", "Incoming Shipment count").computed(),
            selection(
                "receipt_status",
                "Receipt Status",
                &[
                    ("pending", "Not Received"),
                    ("partial", "Partially Received"),
                    ("full", "Fully Received"),
                ],
            )
            .computed(),
            boolean("acknowledged", "Acknowledged"),
            boolean("locked", "Locked").since(V19),
            datetime("effective_date", "Arrival").computed(),
            selection("priority", "Priority", &[("0", "Normal"), ("1", "Urgent")]),
            many2one("dest_address_id", "Dropship Address", "res.partner"),
            boolean("mail_reminder_confirmed", "Reminder Confirmed").until(V18),
            many2one("product_id", "Product", "product.product").computed(),
        ],
    ),
    model(
        "purchase.order.line",
        "Purchase Order Line",
        "order_id, sequence, id",
        &[
            many2one("order_id", "Order Reference", "purchase.order").required(),
            text("name", "Description").required(),
            integer("sequence", "Sequence"),
            many2one("product_id", "Product", "product.product"),
            quantity("product_qty", "Quantity").required(),
            quantity("product_uom_qty", "Total Quantity").computed(),
            many2one("product_uom_id", "Unit", "uom.uom"),
            price("price_unit", "Unit Price").required(),
            discount("discount", "Discount (%)"),
            monetary("price_subtotal", "Subtotal").computed(),
            float("price_tax", "Tax").computed(),
            monetary("price_total", "Total").computed(),
            many2many("tax_ids", "Taxes", "account.tax"),
            datetime("date_planned", "Expected Arrival"),
            quantity("qty_received", "Received Qty").computed(),
            quantity("qty_received_manual", "Manual Received Qty"),
            selection(
                "qty_received_method",
                "Received Qty Method",
                &[("manual", "Manual"), ("stock_moves", "Stock Moves")],
            )
            .computed(),
            quantity("qty_invoiced", "Billed Qty").computed(),
            quantity("qty_to_invoice", "To Invoice Quantity").computed(),
            one2many("move_ids", "Reservation", "stock.move", "purchase_line_id"),
            one2many(
                "invoice_lines",
                "Bill Lines",
                "account.move.line",
                "purchase_line_id",
            ),
            many2one("partner_id", "Partner", "res.partner").through("order_id"),
            many2one("company_id", "Company", "res.company").through("order_id"),
            many2one("currency_id", "Currency", "res.currency").through("order_id"),
            selection("state", "Status", STATES).through("order_id"),
            selection(
                "display_type",
                "Display Type",
                &[
                    ("line_section", "Section"),
                    ("line_subsection", "Subsection"),
                    ("line_note", "Note"),
                ],
            ),
            datetime("date_order", "Order Date").through("order_id"),
            datetime("date_approve", "Confirmation Date").through("order_id"),
        ],
    ),
];
