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
}

/// An item to be created; one that is kept in stock.
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
                "1".to_owned(),
            ])
        };
        let rows = partners.iter().map(row).collect::<Result<_, Error>>()?;
        self.load(model::PARTNER, &["id", "name", "is_company"], rows)
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
        let mut columns = vec!["id", "name", "default_code", "purchase_method"];
        columns.extend(storable.iter().map(|(column, _)| *column));
        columns.extend(units);
        let row = |item: &NewItem| {
            let mut cells = vec![
                cell(&item.external_id)?,
                item.name.clone(),
                item.code.clone(),
                "receive".to_owned(),
            ];
            cells.extend(storable.iter().map(|(_, cell)| (*cell).to_owned()));
            for _ in units {
                cells.push(cell(&item.unit)?);
            }
            Ok(cells)
        };
        let rows = items.iter().map(row).collect::<Result<_, Error>>()?;
        self.load(model::ITEM, &columns, rows).await
    }
}
