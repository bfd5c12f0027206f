//! What a database must be like before a plant's orders come: for `interplant odoo prepare`.

use interplant_domain::decimal::{Quantity, UnitPrice};
use interplant_domain::json::Json;
use rust_decimal::Decimal;

use crate::answer::{PLACES, Record};
use crate::client::{Call, Client};
use crate::dialect::{Asked, model};
use crate::error::Error;

/// Something about an Odoo that Interplant looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What it is called.
    pub name: String,
    /// How it is.
    pub is: String,
    /// How it should be.
    pub should_be: String,
    /// What a person does about it.
    pub how: String,
    /// Whether it is as it should be.
    pub met: bool,
}

/// What the connector does: model, operation, and what it is for.
const NEEDED: [(&str, &str, &str); 10] = [
    (model::ORDER, "create", "create purchase orders"),
    (
        model::ORDER,
        "write",
        "confirm and acknowledge purchase orders",
    ),
    (model::ORDER_LINE, "create", "create order lines"),
    (model::PICKING, "write", "declare and book receipts"),
    (model::MOVE, "write", "declare received quantities"),
    (model::BILL, "create", "create bills"),
    (model::BILL, "write", "change bills"),
    (model::BILL_LINE, "create", "create bill lines"),
    (model::ITEM, "read", "find items"),
    (model::TAX, "read", "find taxes"),
];

/// The group without which Odoo refuses to post, whatever the rights on the model say.
const MAY_POST: &str = "account.group_account_invoice";

impl Client {
    /// Everything that Interplant wants of this Odoo, met or not: digits, rights, approval.
    ///
    /// Changes nothing: rights are asked for, not tried out.
    ///
    /// # Errors
    /// What a call can always meet.
    pub async fn wanted_settings(&self) -> Result<Vec<Setting>, Error> {
        let mut settings = self.digits().await?;
        for (model, operation, what) in NEEDED {
            let allowed = self.ask(model, self.version().may(operation)).await?;
            settings.push(right(
                &format!("may {what}"),
                &format!("{operation} on {model}"),
                allowed,
            ));
        }
        let user = self.user().await?;
        let allowed = self
            .ask(model::USER, self.version().belongs_to(user, MAY_POST))
            .await?;
        settings.push(right(
            "may post bills",
            &format!("group {MAY_POST}"),
            allowed,
        ));
        settings.extend(self.approval().await?);
        Ok(settings)
    }

    async fn digits(&self) -> Result<Vec<Setting>, Error> {
        let kept = self.read_accuracy().await?;
        let digits = |name: &str, has: u32, wants: usize| Setting {
            name: format!("decimal accuracy `{name}`"),
            // 19 keeps every digit of a price and only shows fewer.
            is: if has >= PLACES {
                "every digit is kept".to_owned()
            } else {
                format!("{has} digits")
            },
            should_be: format!("{wants} digits or more"),
            how: format!(
                "as administrator, in developer mode: Settings > Technical > Database Structure > Decimal Accuracy, set `{name}` to {wants}"
            ),
            met: usize::try_from(has).is_ok_and(|has| has >= wants),
        };
        // As many as a fact may bring, so that no order ever has to wait because of its digits.
        let mut settings = vec![
            digits("Product Price", kept.price, UnitPrice::PLACES),
            digits(
                self.version().quantity_setting(),
                kept.quantity,
                Quantity::PLACES,
            ),
        ];
        if self.version().units_round() {
            settings.push(self.unit_rounding().await?);
        }
        Ok(settings)
    }

    /// 17 and 18 keep 5.125 in the order and expect 5.13 at the dock when the unit rounds to 0.01.
    async fn unit_rounding(&self) -> Result<Setting, Error> {
        let finest = Decimal::new(1, u32::try_from(Quantity::PLACES).unwrap_or(0));
        let mut coarse = Vec::new();
        for unit in self
            .search_read(model::UNIT, serde_json::json!([]), &["name", "rounding"])
            .await?
        {
            let unit = Record::new(model::UNIT, &unit);
            let rounding = unit.decimal("rounding")?;
            if rounding > finest {
                coarse.push(format!("{} {rounding}", unit.word("name")?));
            }
        }
        let met = coarse.is_empty();
        Ok(Setting {
            name: "rounding of units of measure".to_owned(),
            is: if met { "fine enough".to_owned() } else { coarse.join(", ") },
            should_be: format!("{finest} for every unit in which a plant sends fractions; units of whole pieces may stay"),
            how: "as administrator: Inventory > Configuration > Units of Measure, set the rounding precision of the unit; orders in finer fractions are refused until then"
                .to_owned(),
            met,
        })
    }

    /// An approval limit is not a mistake, but whoever sets up a plant should know of it.
    async fn approval(&self) -> Result<Vec<Setting>, Error> {
        let fields = [
            "name",
            "po_double_validation",
            "po_double_validation_amount",
        ];
        let companies = self
            .search_read(model::COMPANY, serde_json::json!([]), &fields)
            .await?;
        let mut settings = Vec::new();
        for company in &companies {
            let company = Record::new(model::COMPANY, company);
            if company.word("po_double_validation")? == "two_step" {
                settings.push(Setting {
                    name: format!("order approval in {}", company.word("name")?),
                    is: format!("orders from {} wait for an approval", company.decimal("po_double_validation_amount")?),
                    should_be: "as your company wants it: each such order becomes an exception ORDER_NEEDS_APPROVAL".to_owned(),
                    how: "Purchase > Configuration > Settings > Purchase Order Approval".to_owned(),
                    met: true,
                });
            }
        }
        Ok(settings)
    }

    /// Who we are: JSON-2 knows it from the key alone.
    async fn user(&self) -> Result<i64, Error> {
        if let Some(user) = self.signed_in() {
            return Ok(user);
        }
        let answer = self.call(Call::new(model::USER, "context_get")).await?;
        answer
            .get("uid")
            .and_then(Json::as_i64)
            .ok_or_else(|| Error::unexpected("context_get does not say who we are"))
    }

    async fn ask(&self, model: &str, asked: Asked) -> Result<bool, Error> {
        let Asked {
            method,
            ids,
            positional,
            named,
        } = asked;
        let call = Call {
            ids,
            positional,
            named,
            ..Call::new(model, method)
        };
        self.call(call)
            .await?
            .as_bool()
            .ok_or_else(|| Error::unexpected(format!("{method} did not answer yes or no")))
    }
}

fn right(name: &str, what: &str, allowed: bool) -> Setting {
    Setting {
        name: name.to_owned(),
        is: if allowed {
            "allowed".to_owned()
        } else {
            "not allowed".to_owned()
        },
        should_be: "allowed".to_owned(),
        how: format!(
            "as administrator: Settings > Users, give Interplant's user a group with {what}"
        ),
        met: allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_right_names_a_model_that_may_be_called() {
        assert!(
            NEEDED
                .iter()
                .all(|(model, _, _)| model::ALL.contains(model))
        );
    }
}
