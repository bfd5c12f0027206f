//! Suppliers and items, for the demo, for tests and for a first set-up.

use interplant_domain::identifier::ExternalId;

use crate::client::Client;
use crate::dialect::model;
use crate::error::Error;
use crate::load::cell;

/// A supplier to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartner {
    /// How it is found again.
    pub external_id: ExternalId,
    /// What people call it.
    pub name: String,
    /// Its code, which Odoo shows as its reference.
    pub code: String,
}

/// How an item is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ItemKind {
    /// In stock, by quantity.
    #[default]
    Stored,
    /// In stock, by lot.
    Lot,
    /// In stock, piece by piece, by serial number.
    Serial,
    /// Not at all: a service, or what a charge is booked by.
    Service,
}

impl ItemKind {
    fn tracking(self) -> &'static str {
        match self {
            Self::Stored | Self::Service => "none",
            Self::Lot => "lot",
            Self::Serial => "serial",
        }
    }
}

/// An item to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// How it is found again.
    pub external_id: ExternalId,
    /// What people call it.
    pub name: String,
    /// Its code.
    pub code: String,
    /// The unit in which it is kept.
    pub unit: ExternalId,
    /// How it is kept.
    pub kind: ItemKind,
}

impl Client {
    /// Creates suppliers that do not exist yet, all in one call.
    ///
    /// # Errors
    /// What [`Client::load`] can meet.
    pub async fn create_partners(&self, partners: &[NewPartner]) -> Result<Vec<i64>, Error> {
        let row = |partner: &NewPartner| {
            Ok(vec![
                cell(&partner.external_id)?,
                partner.name.clone(),
                partner.code.clone(),
                "1".to_owned(),
            ])
        };
        let rows = partners.iter().map(row).collect::<Result<_, Error>>()?;
        self.load(model::PARTNER, &["id", "name", "ref", "is_company"], rows)
            .await
    }

    /// Creates items that do not exist yet, all in one call. They are billed as received.
    ///
    /// # Errors
    /// What [`Client::load`] can meet.
    pub async fn create_items(&self, items: &[NewItem]) -> Result<Vec<i64>, Error> {
        let (storable, units) = (
            self.version().storable_item(),
            self.version().item_unit_columns(),
        );
        let mut columns = vec!["id", "name", "default_code", "purchase_method", "tracking"];
        columns.extend(storable.iter().map(|(column, _)| *column));
        columns.extend(units);
        let row = |item: &NewItem| {
            let mut cells = vec![
                cell(&item.external_id)?,
                item.name.clone(),
                item.code.clone(),
                // What does not come in is billed as ordered.
                if item.kind == ItemKind::Service {
                    "purchase"
                } else {
                    "receive"
                }
                .to_owned(),
                item.kind.tracking().to_owned(),
            ];
            cells.extend(
                storable
                    .iter()
                    .map(|(column, cell)| match (item.kind, *column) {
                        (ItemKind::Service, "type" | "detailed_type") => "service".to_owned(),
                        (ItemKind::Service, _) => String::new(),
                        (ItemKind::Stored | ItemKind::Lot | ItemKind::Serial, _) => {
                            (*cell).to_owned()
                        }
                    }),
            );
            for _ in units {
                cells.push(cell(&item.unit)?);
            }
            Ok(cells)
        };
        let rows = items.iter().map(row).collect::<Result<_, Error>>()?;
        self.load(model::ITEM, &columns, rows).await
    }
}
