//! Transfers of our own: goods that are held, released, scrapped, returned, or come in beside the receipt
//! that Odoo has prepared.
//!
//! Each is one picking, created once under an external id and validated by its state. Odoo's own documents
//! for scrap and returns are not used: validating a scrap a second time scraps a second time.

use std::collections::BTreeMap;

use interplant_domain::decimal::Quantity;
use interplant_domain::identifier::ExternalId;

use crate::answer::{self, Record, as_html};
use crate::body::Body;
use crate::client::{Call, Client};
use crate::dialect::model;
use crate::error::{Error, RefusedKind};
use crate::load::{Sheet, cell};
use crate::receipt::{self, Picking};

/// A transfer to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTransfer {
    /// How it is found again.
    pub external_id: ExternalId,
    /// What it is for.
    pub purpose: Purpose,
    /// The operation type: of receipts for what comes in or goes back, else the internal one.
    pub operation_type: ExternalId,
    /// The supplier, of what comes in or goes back.
    pub partner: Option<ExternalId>,
    /// Where stock lies.
    pub stock: ExternalId,
    /// Where goods lie that wait for an inspection or were rejected.
    pub hold: ExternalId,
    /// Our number for it; Odoo shows it as the source document.
    pub reference: String,
    /// What it moves; at least one line.
    pub lines: Vec<TransferLine>,
}

/// What a transfer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Goods come in from the supplier.
    Receive,
    /// Goods go from stock to where they wait for an inspection.
    Hold,
    /// Goods go to stock.
    Release,
    /// Goods are thrown away.
    Scrap,
    /// Goods go back to the supplier: the order counts them as not received.
    Return,
}

/// A line of a [`NewTransfer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferLine {
    /// How it is found again.
    pub external_id: ExternalId,
    /// The item.
    pub item: ExternalId,
    /// The unit.
    pub unit: ExternalId,
    /// Odoo's id of the order line, of what comes in or goes back.
    pub order_line: Option<i64>,
    /// How much.
    pub quantity: Quantity,
    /// From where it goes; what comes in comes from the supplier.
    pub from: Place,
}

/// Where goods lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In stock.
    Stock,
    /// Beside it.
    Hold,
}

/// The location of suppliers, which every database has.
const SUPPLIERS: &str = "stock.stock_location_suppliers";

impl Client {
    /// Creates a transfer with all its lines in one create-once call; what it moves is declared with it,
    /// except for lots.
    ///
    /// # Errors
    /// [`Error::Refused`] with the kind of what Odoo does not know; and what a call can always meet.
    pub async fn create_transfer(&self, transfer: &NewTransfer) -> Result<i64, Error> {
        for line in &transfer.lines {
            let exact = self.accuracy().check_quantity(line.quantity);
            exact.map_err(|exception| Error::refused(RefusedKind::Precision, exception.message))?;
        }
        let place = |place| match place {
            Place::Stock => cell(&transfer.stock),
            Place::Hold => cell(&transfer.hold),
        };
        let scrap = if transfer.purpose == Purpose::Scrap {
            self.scrap_location().await?.to_string()
        } else {
            String::new()
        };
        // The header's own places are only what its lines begin with.
        let first = transfer
            .lines
            .first()
            .map_or(Place::Stock, |line| line.from);
        let ends = |from: Place| -> Result<(String, String), Error> {
            Ok(match transfer.purpose {
                Purpose::Receive => (SUPPLIERS.to_owned(), cell(&transfer.stock)?),
                Purpose::Hold => (cell(&transfer.stock)?, cell(&transfer.hold)?),
                Purpose::Release => (place(from)?, cell(&transfer.stock)?),
                Purpose::Scrap => (place(from)?, scrap.clone()),
                Purpose::Return => (place(from)?, SUPPLIERS.to_owned()),
            })
        };
        let (to_column, move_to_column) = if transfer.purpose == Purpose::Scrap {
            ("location_dest_id/.id", "move_ids/location_dest_id/.id")
        } else {
            ("location_dest_id/id", "move_ids/location_dest_id/id")
        };
        let (from, to) = ends(first)?;
        let mut sheet = Sheet::new(vec![
            ("id", cell(&transfer.external_id)?),
            ("picking_type_id/id", cell(&transfer.operation_type)?),
            (
                "partner_id/id",
                transfer
                    .partner
                    .as_ref()
                    .map(cell)
                    .transpose()?
                    .unwrap_or_default(),
            ),
            ("location_id/id", from),
            (to_column, to),
            ("origin", transfer.reference.clone()),
            // By its note it is told from receipts that Odoo has prepared.
            ("note", as_html(&transfer.reference)),
        ]);
        for line in &transfer.lines {
            let (from, to) = ends(line.from)?;
            let mut cells = vec![
                ("move_ids/id", cell(&line.external_id)?),
                ("move_ids/product_id/id", cell(&line.item)?),
                ("move_ids/product_uom_qty", line.quantity.to_string()),
                ("move_ids/product_uom/id", cell(&line.unit)?),
                ("move_ids/location_id/id", from),
                (move_to_column, to),
                ("move_ids/quantity", line.quantity.to_string()),
                ("move_ids/picked", "1".to_owned()),
                (
                    "move_ids/purchase_line_id/.id",
                    line.order_line
                        .map_or_else(String::new, |id| id.to_string()),
                ),
                (
                    "move_ids/to_refund",
                    if transfer.purpose == Purpose::Return {
                        "1"
                    } else {
                        ""
                    }
                    .to_owned(),
                ),
            ];
            cells.extend(
                self.version()
                    .move_name_column()
                    .map(|column| (column, transfer.reference.clone())),
            );
            sheet.line(cells);
        }
        self.load_sheet(model::PICKING, sheet).await
    }

    /// A transfer with what it moves; none when Odoo does not have it.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn picking(&self, picking: i64) -> Result<Option<Picking>, Error> {
        let call = Call::new(model::PICKING, "web_read")
            .on(picking)
            .named("specification", Body::Object(receipt::fields()));
        let answer = self.call(call).await?;
        answer::only(model::PICKING, &answer)?
            .map(receipt::read)
            .transpose()
    }

    /// Lots and serial numbers of items, by item and name.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn lots(
        &self,
        products: &[i64],
        names: &[String],
    ) -> Result<BTreeMap<(i64, String), i64>, Error> {
        let domain = serde_json::json!([["product_id", "in", products], ["name", "in", names]]);
        let found = self
            .search_read(model::LOT, domain, &["name", "product_id"])
            .await?;
        let mut lots = BTreeMap::new();
        for record in &found {
            let record = Record::new(model::LOT, record);
            let key = (
                record.linked("product_id")?,
                record.word("name")?.to_owned(),
            );
            lots.insert(key, record.id()?);
        }
        Ok(lots)
    }

    /// How much of items lies in locations, by item, location and lot. Odoo moves more than there is without
    /// a word, and counts less than nothing then: ask before.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn stock_on_hand(
        &self,
        products: &[i64],
        locations: &[i64],
    ) -> Result<BTreeMap<(i64, i64, Option<i64>), Quantity>, Error> {
        let domain = serde_json::json!([
            ["product_id", "in", products],
            ["location_id", "in", locations]
        ]);
        let fields = ["product_id", "location_id", "lot_id", "quantity"];
        let mut on_hand = BTreeMap::new();
        for record in &self.search_read(model::QUANT, domain, &fields).await? {
            let record = Record::new(model::QUANT, record);
            let key = (
                record.linked("product_id")?,
                record.linked("location_id")?,
                record.link("lot_id")?,
            );
            let quantity = Quantity::from_decimal(record.decimal("quantity")?);
            // Odoo keeps several records of one lot while they were not merged.
            let sum: &mut Quantity = on_hand.entry(key).or_default();
            *sum = *sum + quantity;
        }
        Ok(on_hand)
    }

    /// Whether Odoo counts where this item lies.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn is_stored(&self, product: i64) -> Result<bool, Error> {
        let mut domain = vec![serde_json::json!(["id", "=", product])];
        domain.push(self.version().stored_items());
        let found = self
            .search_read(model::ITEM, serde_json::Value::Array(domain), &["id"])
            .await?;
        Ok(!found.is_empty())
    }

    /// Where things go that are thrown away; it has no external id.
    async fn scrap_location(&self) -> Result<i64, Error> {
        let found = self
            .search_read(model::LOCATION, self.version().scrap_locations(), &["name"])
            .await?;
        let first = found.first().ok_or_else(|| {
            Error::refused(RefusedKind::UnknownCode, "Odoo has no location for scrap")
        })?;
        Record::new(model::LOCATION, first).id()
    }

    /// Creates the location where goods wait for an inspection: beside stock, for what lies below stock is
    /// reserved by sales and production.
    ///
    /// # Errors
    /// What [`Client::load`] can meet.
    pub async fn create_hold_location(
        &self,
        hold: &ExternalId,
        stock: &ExternalId,
    ) -> Result<i64, Error> {
        let stock = self.find(model::LOCATION, stock).await?.ok_or_else(|| {
            Error::refused(
                RefusedKind::UnknownCode,
                format!("Odoo has no location {stock}"),
            )
        })?;
        let found = self
            .search_read(
                model::LOCATION,
                serde_json::json!([["id", "=", stock]]),
                &["location_id"],
            )
            .await?;
        let view = found
            .first()
            .map(|record| Record::new(model::LOCATION, record).linked("location_id"))
            .transpose()?
            .ok_or_else(|| Error::unexpected("a location came and went"))?;
        let ids = self
            .load(
                model::LOCATION,
                &["id", "name", "location_id/.id", "usage"],
                vec![vec![
                    cell(hold)?,
                    "Quality hold".to_owned(),
                    view.to_string(),
                    "internal".to_owned(),
                ]],
            )
            .await?;
        ids.first()
            .copied()
            .ok_or_else(|| Error::unexpected("load answered no id"))
    }
}
