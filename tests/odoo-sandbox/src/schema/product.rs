//! Products, their vendors' prices, units of measure.

use super::{
    Declared, boolean, char, date, discount, float, html, integer, many2many, many2one, model,
    one2many, price, quantity, selection, text,
};
use crate::version::Options;
use crate::version::Version::{V17, V18, V19};

const TYPES: Options = &[
    ("consu", "Goods"),
    ("service", "Service"),
    ("combo", "Combo"),
];
const DETAILED_TYPES: Options = &[
    ("consu", "Consumable"),
    ("service", "Service"),
    ("product", "Storable Product"),
];
pub(super) const TRACKING: Options = &[
    ("serial", "By Unique Serial Number"),
    ("lot", "By Lots"),
    ("none", "By Quantity"),
];
const CONTROL: Options = &[
    ("purchase", "On ordered quantities"),
    ("receive", "On received quantities"),
];

pub(super) const MODELS: &[Declared] = &[
    model(
        "product.template",
        "Product",
        "name, id",
        &[
            char("name", "Name").required(),
            boolean("active", "Active"),
            char("default_code", "Internal Reference").computed(),
            char("barcode", "Barcode").computed(),
            selection("type", "Product Type", TYPES).required(),
            selection("detailed_type", "Product Type", DETAILED_TYPES)
                .required()
                .until(V17),
            boolean("is_storable", "Track Inventory").since(V18),
            selection("tracking", "Tracking", TRACKING).required(),
            boolean("sale_ok", "Sales"),
            boolean("purchase_ok", "Purchase"),
            price("list_price", "Sales Price"),
            price("standard_price", "Cost").computed(),
            html("description", "Description"),
            text("description_purchase", "Purchase Description"),
            many2one("categ_id", "Product Category", "product.category"),
            many2one("uom_id", "Unit", "uom.uom").required(),
            many2one("uom_po_id", "Purchase Unit", "uom.uom")
                .required()
                .until(V18),
            many2many("uom_ids", "Packagings", "uom.uom").since(V19),
            many2one("currency_id", "Currency", "res.currency").computed(),
            many2one("company_id", "Company", "res.company"),
            selection("purchase_method", "Control Policy", CONTROL),
            one2many(
                "seller_ids",
                "Vendors",
                "product.supplierinfo",
                "product_tmpl_id",
            ),
            many2many("supplier_taxes_id", "Purchase Taxes", "account.tax"),
            many2many("taxes_id", "Sales Taxes", "account.tax"),
            many2one("product_variant_id", "Product", "product.product").computed(),
            one2many(
                "product_variant_ids",
                "Products",
                "product.product",
                "product_tmpl_id",
            ),
            integer("product_variant_count", "# Product Variants").computed(),
            float("weight", "Weight"),
            float("volume", "Volume"),
            integer("sequence", "Sequence"),
        ],
    ),
    model(
        "product.product",
        "Product Variant",
        "default_code, name, id",
        &[
            many2one("product_tmpl_id", "Product Template", "product.template").required(),
            char("name", "Name").through("product_tmpl_id"),
            boolean("active", "Active"),
            char("default_code", "Internal Reference"),
            char("barcode", "Barcode"),
            char("code", "Reference").computed(),
            selection("type", "Product Type", TYPES).through("product_tmpl_id"),
            selection("detailed_type", "Product Type", DETAILED_TYPES)
                .through("product_tmpl_id")
                .until(V17),
            boolean("is_storable", "Track Inventory")
                .through("product_tmpl_id")
                .since(V18),
            selection("tracking", "Tracking", TRACKING).through("product_tmpl_id"),
            boolean("sale_ok", "Sales").through("product_tmpl_id"),
            boolean("purchase_ok", "Purchase").through("product_tmpl_id"),
            price("list_price", "Sales Price").through("product_tmpl_id"),
            price("lst_price", "Sales Price").computed(),
            price("standard_price", "Cost"),
            html("description", "Description").through("product_tmpl_id"),
            text("description_purchase", "Purchase Description").through("product_tmpl_id"),
            many2one("categ_id", "Product Category", "product.category").through("product_tmpl_id"),
            many2one("uom_id", "Unit", "uom.uom").through("product_tmpl_id"),
            many2one("uom_po_id", "Purchase Unit", "uom.uom")
                .through("product_tmpl_id")
                .until(V18),
            many2many("uom_ids", "Packagings", "uom.uom")
                .through("product_tmpl_id")
                .since(V19),
            many2one("currency_id", "Currency", "res.currency").computed(),
            many2one("company_id", "Company", "res.company").through("product_tmpl_id"),
            selection("purchase_method", "Control Policy", CONTROL).through("product_tmpl_id"),
            one2many(
                "seller_ids",
                "Vendors",
                "product.supplierinfo",
                "product_tmpl_id",
            )
            .through("product_tmpl_id"),
            many2many("supplier_taxes_id", "Purchase Taxes", "account.tax")
                .through("product_tmpl_id"),
            many2many("taxes_id", "Sales Taxes", "account.tax").through("product_tmpl_id"),
            float("weight", "Weight"),
            float("volume", "Volume"),
            integer("sequence", "Sequence").through("product_tmpl_id"),
            quantity("qty_available", "Quantity On Hand").computed(),
        ],
    ),
    model(
        "product.category",
        "Product Category",
        "complete_name",
        &[
            char("name", "Name").required(),
            char("complete_name", "Complete Name").computed(),
            many2one("parent_id", "Parent Category", "product.category"),
            char("property_cost_method", "Costing Method").computed(),
            char("property_valuation", "Inventory Valuation").computed(),
        ],
    ),
    model(
        "product.supplierinfo",
        "Supplier Pricelist",
        "sequence, min_qty desc, price, id",
        &[
            many2one("partner_id", "Vendor", "res.partner").required(),
            char("product_name", "Vendor Product Name"),
            char("product_code", "Vendor Product Code"),
            price("price", "Unit Price"),
            quantity("min_qty", "Quantity").required(),
            integer("delay", "Lead Time").required(),
            many2one("product_tmpl_id", "Product Template", "product.template"),
            many2one("product_id", "Product Variant", "product.product"),
            many2one("product_uom_id", "Unit", "uom.uom"),
            many2one("currency_id", "Currency", "res.currency").required(),
            many2one("company_id", "Company", "res.company"),
            integer("sequence", "Sequence"),
            date("date_start", "Start Date"),
            date("date_end", "End Date"),
            discount("discount", "Discount (%)"),
        ],
    ),
    model(
        "uom.uom",
        "Product Unit of Measure",
        "sequence, id",
        &[
            char("name", "Unit Name").required(),
            boolean("active", "Active"),
            float("rounding", "Rounding Precision").computed(),
            float("relative_factor", "Contains").required().since(V19),
            many2one("relative_uom_id", "Reference Unit", "uom.uom").since(V19),
            float("factor", "Absolute Quantity").computed(),
            float("factor_inv", "Bigger Ratio").until(V18),
            many2one("category_id", "Category", "uom.category")
                .required()
                .until(V18),
            selection(
                "uom_type",
                "Type",
                &[
                    ("bigger", "Bigger than the reference Unit of Measure"),
                    ("reference", "Reference Unit of Measure for this category"),
                    ("smaller", "Smaller than the reference Unit of Measure"),
                ],
            )
            .required()
            .until(V18),
            integer("sequence", "Sequence"),
        ],
    ),
    model(
        "uom.category",
        "Product UoM Categories",
        "name, id",
        &[char("name", "Unit of Measure Category").required()],
    ),
];
