//! How exactly an Odoo keeps numbers.

use interplant_domain::decimal::{Quantity, UnitPrice};
use interplant_domain::exception::{Code, Exception};
use rust_decimal::Decimal;

/// Digits after the point that this Odoo keeps; more it rounds without a word.
///
/// On 17 and 18 a unit of measure may round more coarsely than this; what is ordered in fractions of a
/// unit is compared with the unit when the order is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accuracy {
    /// Digits of a unit price.
    pub price: u32,
    /// Digits of a quantity.
    pub quantity: u32,
}

impl Accuracy {
    /// Whether Odoo keeps this price as it is.
    ///
    /// # Errors
    /// `AMOUNT_PRECISION` when it would be rounded.
    pub fn check_price(&self, price: UnitPrice) -> Result<(), Exception> {
        fits("price", price.decimal(), self.price)
    }

    /// Whether Odoo keeps this quantity as it is.
    ///
    /// # Errors
    /// `AMOUNT_PRECISION` when it would be rounded.
    pub fn check_quantity(&self, quantity: Quantity) -> Result<(), Exception> {
        fits("quantity", quantity.decimal(), self.quantity)
    }
}

/// Odoo computes in binary floats, which hold so many decimal digits for certain.
const SIGNIFICANT_DIGITS: usize = 15;

fn fits(what: &str, value: Decimal, kept: u32) -> Result<(), Exception> {
    let value = value.normalize();
    let digits = value.mantissa().unsigned_abs().to_string().len();
    if digits > SIGNIFICANT_DIGITS {
        return Err(Exception::new(
            Code::AmountPrecision,
            format!(
                "the {what} {value} has {digits} digits; Odoo keeps {SIGNIFICANT_DIGITS} exactly: send a smaller or a rounder number"
            ),
        ));
    }
    let has = value.scale();
    if has <= kept {
        return Ok(());
    }
    Err(Exception::new(
        Code::AmountPrecision,
        format!(
            "the {what} {value} has {has} decimal places, this Odoo keeps {kept} and would round it"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_odoo_would_round_is_refused() {
        let two = Accuracy {
            price: 2,
            quantity: 3,
        };
        assert!(two.check_price("38.2900".parse().unwrap()).is_ok());
        assert!(two.check_quantity("0.125".parse().unwrap()).is_ok());
        let refused = two.check_price("38.2935".parse().unwrap()).unwrap_err();
        assert_eq!(refused.code, Code::AmountPrecision);
        assert!(
            refused.message.contains("38.2935") && refused.message.contains('4'),
            "{refused}"
        );
    }

    #[test]
    fn what_odoo_would_round_is_an_exception_also_before_the_point() {
        let accuracy = Accuracy {
            price: 2,
            quantity: 6,
        };
        let price = |text: &str| {
            accuracy
                .check_price(text.parse().unwrap())
                .map_err(|exception| exception.code)
        };
        assert_eq!(price("38.29"), Ok(()));
        assert_eq!(price("38.2935"), Err(Code::AmountPrecision));
        let quantity = |text: &str| {
            accuracy
                .check_quantity(text.parse().unwrap())
                .map_err(|exception| exception.code)
        };
        assert_eq!(quantity("999999999.999999"), Ok(()));
        assert_eq!(quantity("9999999999.999999"), Err(Code::AmountPrecision));
    }
}
