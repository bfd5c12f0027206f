//! What the versions say otherwise.

use super::{Version, Writing};
use crate::error::{Class, Missing};
use crate::rights::Group;

impl Version {
    pub(crate) const fn nothing_to_validate(self) -> &'static str {
        if self.since(Self::V19) {
            "Transfer trouble alert! Validating a zero quantity transfer? You're not moving invisible goods around are you?\n\
             Set some quantities and let's get moving!"
        } else {
            "You cannot validate a transfer if no quantities are reserved. To force the transfer, encode quantities."
        }
    }

    pub(crate) const fn no_positional_argument(self) -> &'static str {
        if self.since(Self::V19) {
            "list index out of range"
        } else {
            "tuple index out of range"
        }
    }

    /// How Python names a method in a complaint about its arguments.
    pub(crate) fn qualified(self, method: &str) -> String {
        match method {
            "has_access" | "check_access_rights" => format!("BaseModel.{method}"),
            "has_group" if self.since(Self::V19) => format!("ResUsers.{method}"),
            "has_group" => format!("Users.{method}"),
            _ => method.to_owned(),
        }
    }

    pub(crate) fn unknown_method(self, model: &str, method: &str) -> String {
        if self.since(Self::V19) {
            format!("The method '{model}.{method}' does not exist")
        } else {
            format!("The method '{method}' does not exist on the model '{model}'")
        }
    }

    pub(crate) fn unit_of_other_kind(self, product: &str, own: &str, unit: &str) -> String {
        let head = if self == Self::V17 {
            "You cannot perform the move because the unit of measure has a different category as the product unit of measure."
        } else {
            "You cannot perform moves because their unit of measure has a different category from their product unit of measure."
        };
        format!(
            "{head}\n\n{product} --> Product UoM is {own} - Move UoM is {unit}\n\nBlocking: {product}"
        )
    }

    pub(crate) fn units_do_not_convert(self, from: &str, to: &str) -> String {
        let end = if self == Self::V17 {
            ", they should"
        } else {
            ". They should"
        };
        format!(
            "The unit of measure {from} defined on the order line doesn't belong to the same category as the unit of measure {to} defined on \
             the product. Please correct the unit of measure defined on the order line or on the product{end} belong to the same category."
        )
    }

    /// What a group is called in the text of a refusal.
    pub(crate) const fn group(self, group: Group) -> &'static str {
        match (self, group) {
            (Self::V17 | Self::V18, Group::Settings) => "Administration/Settings",
            (Self::V19, Group::Settings) => "Role / Administrator",
            (Self::V17 | Self::V18, Group::Users) => "Administration/Access Rights",
            (Self::V19, Group::Users) => "Access Rights",
            (Self::V17, Group::Accounting) => "Invoicing/Billing Administrator",
            (Self::V18, Group::Accounting) => "Invoicing/Administrator",
            (Self::V19, Group::Accounting) => "Accounting/Administrator",
        }
    }

    pub(crate) fn unknown_field(
        self,
        field: &str,
        model: &str,
        writing: Writing,
    ) -> (Class, String) {
        match (self, writing) {
            (Self::V19, Writing::Update) => (Class::KeyError, field.to_owned()),
            (Self::V19, Writing::Create) => (
                Class::ValueError,
                format!("Invalid field '{field}' in '{model}'"),
            ),
            (Self::V19, Writing::No) => (
                Class::ValueError,
                format!("Invalid field '{field}' on '{model}'"),
            ),
            (Self::V17 | Self::V18, _) => (
                Class::ValueError,
                format!("Invalid field '{field}' on model '{model}'"),
            ),
        }
    }

    pub(crate) fn unknown_column(self, column: &str) -> (Class, String) {
        match self {
            Self::V17 => (Class::KeyError, column.to_owned()),
            Self::V18 | Self::V19 => (Class::ValueError, format!("Invalid field name '{column}'")),
        }
    }

    pub(crate) fn unknown_field_in_domain(self, model: &str, path: &str, leaf: &str) -> String {
        let word = if self.since(Self::V19) {
            "condition"
        } else {
            "leaf"
        };
        format!("Invalid field {model}.{path} in {word} {leaf}")
    }

    pub(crate) fn bad_operator(self, leaf: &str) -> String {
        if self.since(Self::V19) {
            format!("Invalid operator in condition {leaf}")
        } else {
            format!("Invalid leaf {leaf}")
        }
    }

    pub(crate) fn private_method(self, model: &str, method: &str) -> String {
        if self.since(Self::V19) {
            format!("Private methods (such as '{model}.{method}') cannot be called remotely.")
        } else {
            format!("Private methods (such as {method}) cannot be called remotely.")
        }
    }

    pub(crate) fn mandatory_field(
        self,
        label: &str,
        field: &str,
        model_label: &str,
        model: &str,
    ) -> String {
        if self.since(Self::V19) {
            format!(
                "The operation cannot be completed: Missing required value for the field '{label}' ({field}).\nModel: '{model_label}' ({model})\n\
                 - create/update: a mandatory field is not set\n- delete: another model requires the record being deleted, you can archive it instead\n"
            )
        } else {
            format!(
                "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n- Delete: another model requires the record \
                 being deleted. If possible, archive it instead.\n\nModel: {model_label} ({model})\nField: {label} ({field})\n"
            )
        }
    }

    /// How `load` reports a mandatory field without value: of the loaded model, or of one that hangs on it.
    pub(crate) fn mandatory_in_load(self, missing: &Missing, own: bool) -> String {
        let Missing {
            model,
            model_label,
            field,
            label,
        } = missing;
        match (self, own) {
            (Self::V17 | Self::V18, true) => {
                format!("Missing required value for the field '{label}' ({field})")
            }
            (Self::V17, false) => format!("Missing required value for the field '{field}'"),
            (Self::V18, false) => format!(
                "Missing required value for the field '{field}' on a linked model [{}]",
                model.replace('.', "_")
            ),
            (Self::V19, _) => {
                let shown = if own {
                    format!("'{model_label}' ({model})")
                } else {
                    "Unknown".to_owned()
                };
                format!(
                    "Missing required value for the field '{label}' ({field}).\nModel: {shown}\n- create/update: a mandatory field is not set\n\
                     - delete: another model requires the record being deleted, you can archive it instead\n"
                )
            }
        }
    }

    pub(crate) fn still_used(
        self,
        by_label: &str,
        by: &str,
        field_label: &str,
        field: &str,
    ) -> String {
        if self.since(Self::V19) {
            format!(
                "The operation cannot be completed: Another model is using the record you are trying to delete.\n\nThe troublemaker is: \
                 '{by_label}' ({by})\nThanks to the following constraint: '{field_label}' ({field})\nHow about archiving the record instead?"
            )
        } else {
            let constraint = format!("{}_{field}_fkey", by.replace('.', "_"));
            format!(
                "The operation cannot be completed: another model requires the record being deleted. If possible, archive it instead.\n\nModel: \
                 {by_label} ({by})\nConstraint: {constraint}\n"
            )
        }
    }

    /// A check constraint of the database, as a `load` message.
    pub(crate) fn check_violation_in_load(self, text: &str) -> String {
        if self.since(Self::V19) {
            text.to_owned()
        } else {
            format!("'{text}'")
        }
    }

    pub(crate) fn cannot_delete_line(self) -> &'static str {
        match self {
            Self::V17 => "Cannot delete a purchase order line which is in state 'Purchase Order'.",
            Self::V18 | Self::V19 => {
                "Cannot delete a purchase order line which is in state \u{201c}Purchase Order\u{201d}."
            }
        }
    }

    pub(crate) fn lots_missing(self, products: &[String]) -> String {
        let (head, item) = match self {
            Self::V17 => (
                "You need to supply a Lot/Serial Number for product: ",
                "\n - ",
            ),
            Self::V18 | Self::V19 => (
                "You need to supply a Lot/Serial Number for product:",
                "\n- ",
            ),
        };
        let mut text = head.to_owned();
        for product in products {
            text.push_str(item);
            text.push_str(product);
        }
        text
    }

    pub(crate) fn lot_exists(self, product: &str, lot: &str) -> String {
        if self == Self::V17 {
            format!(
                "The combination of serial number and product must be unique across a company.\nFollowing combination contains duplicates:\n \
                 - Product: {product}, Serial Number: {lot}"
            )
        } else {
            format!(
                "The combination of lot/serial number and product must be unique within a company including when no company is \
                 defined.\nThe following combinations contain duplicates:\n - Product: {product}, Lot/Serial Number: {lot}"
            )
        }
    }

    pub(crate) fn barcode_used(self, barcode: &str, old: &str, new: &str) -> String {
        let products = match self {
            Self::V17 => format!("{new}, {old}"),
            Self::V18 => format!("{new} and {old}"),
            Self::V19 => format!("{old} and {new}"),
        };
        format!(
            "Barcode(s) already assigned:\n\n- Barcode \"{barcode}\" already assigned to product(s): {products}\n\nNote: products that you \
             don't have access to will not be shown above."
        )
    }

    /// Why an order with receipts or bills cannot be cancelled; `None` when this version allows it.
    pub(crate) fn cancel_refusal(
        self,
        order: &str,
        display: &str,
        received: bool,
        billed: bool,
    ) -> Option<String> {
        match self {
            Self::V17 if received => Some(format!("Unable to cancel purchase order {order} as some receptions have already been done.")),
            Self::V18 if received => {
                Some(format!("Unable to cancel purchase order(s): {display} since they have receipts that are already done."))
            }
            Self::V17 if billed => {
                Some("Unable to cancel this purchase order. You must first cancel the related vendor bills.".to_owned())
            }
            Self::V18 | Self::V19 if billed => {
                Some(format!("Unable to cancel purchase order(s): {display}. You must first cancel their related vendor bills."))
            }
            Self::V17 | Self::V18 | Self::V19 => None,
        }
    }

    pub(crate) fn unbalanced(
        self,
        id: i64,
        reference: &str,
        debit: &str,
        credit: &str,
        journal: &str,
    ) -> String {
        let number = match self {
            Self::V19 => return "The entry is not balanced.".to_owned(),
            Self::V18 => String::new(),
            Self::V17 => format!("(* {id})"),
        };
        format!(
            "An error has occurred.\n\nThe move (Draft Entry {number} ({reference})) is not balanced.\nThe total of debits equals \
             $\u{a0}{debit} and the total of credits equals $\u{a0}{credit}.\nYou might want to specify a default account on journal \
             \"{journal}\" to automatically balance each move."
        )
    }
}
