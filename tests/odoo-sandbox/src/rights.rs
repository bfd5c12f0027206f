//! Who may do what, and who belongs to which group: as on a real server with the groups that the connector's user needs.

use serde_json::{Value as Json, json};

use crate::error::{Class, Error, Result};
use crate::schema::Model;
use crate::seed::{ADMINISTRATOR, INTEGRATION};
use crate::transaction::Transaction;
use crate::version::Version;

/// A group that the integration user is not in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Settings,
    Users,
    Accounting,
}

/// What Odoo asks about a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Read,
    Create,
    Write,
    Unlink,
}

impl Operation {
    fn named(name: &Json) -> Result<Self> {
        match name.as_str() {
            Some("read") => Ok(Self::Read),
            Some("create") => Ok(Self::Create),
            Some("write") => Ok(Self::Write),
            Some("unlink") => Ok(Self::Unlink),
            _ => Err(Error::new(Class::AssertionError, "Invalid access mode")),
        }
    }

    /// What a method needs; `None` when it asks for nothing.
    fn of(method: &str) -> Option<Self> {
        match method {
            "fields_get"
            | "precision_get"
            | "has_access"
            | "check_access_rights"
            | "has_group"
            | "context_get" => None,
            "create" | "load" => Some(Self::Create),
            "write" | "web_save" => Some(Self::Write),
            "unlink" => Some(Self::Unlink),
            _ => Some(Self::Read),
        }
    }

    const fn verb(self) -> &'static str {
        match self {
            Self::Read => "access",
            Self::Create => "create",
            Self::Write => "modify",
            Self::Unlink => "delete",
        }
    }
}

/// The groups that alone may do something; `None` when the integration user may as well.
fn keepers(model: &str, operation: Operation) -> Option<&'static [Group]> {
    let changes = operation != Operation::Read;
    match (model, operation) {
        ("decimal.precision", Operation::Create | Operation::Unlink)
        | ("stock.return.picking", Operation::Unlink) => Some(&[]),
        ("decimal.precision", _) => Some(&[Group::Settings]),
        ("ir.model.data", _) => Some(&[Group::Users]),
        ("res.company" | "res.users", _) if changes => Some(&[Group::Users]),
        ("res.country", _) if changes => Some(&[Group::Settings]),
        ("res.currency", _) if changes => Some(&[Group::Settings, Group::Accounting]),
        (
            "account.account"
            | "account.fiscal.position"
            | "account.incoterms"
            | "account.journal"
            | "account.payment.term"
            | "account.tax",
            _,
        ) if changes => Some(&[Group::Accounting]),
        _ => None,
    }
}

fn check(tx: &Transaction, model: &Model, operation: Operation) -> Result<()> {
    let Some(keepers) = keepers(model.name, operation) else {
        return Ok(());
    };
    if tx.env.user != INTEGRATION && !keepers.is_empty() {
        return Ok(());
    }
    let mut groups: Vec<&str> = keepers
        .iter()
        .map(|group| tx.version.group(*group))
        .collect();
    groups.sort_unstable();
    let who = if groups.is_empty() {
        "No group currently allows this operation.".to_owned()
    } else {
        format!(
            "This operation is allowed for the following groups:\n\t- {}",
            groups.join("\n\t- ")
        )
    };
    Err(Error::new(
        Class::Access,
        format!(
            "You are not allowed to {} '{}' ({}) records.\n\n{who}\n\nContact your administrator to request access if necessary.",
            operation.verb(),
            model.label,
            model.name
        ),
    ))
}

/// Whether the user may call a method of a model at all.
///
/// # Errors
/// `AccessError`, as Odoo words it.
pub(crate) fn check_call(tx: &Transaction, model: &Model, method: &str) -> Result<()> {
    Operation::of(method).map_or(Ok(()), |operation| check(tx, model, operation))
}

/// Since 18: may this user do this, with the model and with these records?
///
/// # Errors
/// `AssertionError` for an unknown operation, `MissingError` for an unknown record.
pub(crate) fn has_access(
    tx: &Transaction,
    model: &Model,
    ids: &[i64],
    operation: &Json,
) -> Result<Json> {
    if check(tx, model, Operation::named(operation)?).is_err() {
        return Ok(json!(false));
    }
    for id in ids {
        tx.require(model.name, *id)?;
    }
    Ok(json!(true))
}

/// May this user do this with the model? Raises instead of answering `false` unless told not to.
///
/// # Errors
/// `AssertionError` for an unknown operation, `AccessError` when it may not.
pub(crate) fn check_access_rights(
    tx: &Transaction,
    model: &Model,
    operation: &Json,
    raise: Option<&Json>,
) -> Result<Json> {
    let allowed = check(tx, model, Operation::named(operation)?);
    let raises = raise.is_none_or(|raise| !matches!(raise, Json::Bool(false) | Json::Null));
    if raises {
        allowed?;
        return Ok(tx.version.answer_of_raising_check());
    }
    Ok(json!(allowed.is_ok()))
}

/// What both users are in.
const OF_BOTH: [&str; 12] = [
    "account.group_account_invoice",
    "base.group_multi_currency",
    "base.group_partner_manager",
    "base.group_user",
    "product.group_product_pricelist",
    "purchase.group_purchase_user",
    "purchase.group_send_reminder",
    "stock.group_production_lot",
    "stock.group_stock_manager",
    "stock.group_stock_multi_locations",
    "stock.group_stock_user",
    "uom.group_uom",
];

/// What only the administrator is in.
const OF_ADMINISTRATOR: [&str; 7] = [
    "account.group_account_manager",
    "account.group_validate_bank_account",
    "base.group_allow_export",
    "base.group_erp_manager",
    "base.group_sanitize_override",
    "base.group_system",
    "purchase.group_purchase_manager",
];

fn belongs(version: Version, user: i64, group: &str) -> bool {
    match user {
        _ if user > INTEGRATION => group == "base.group_user",
        _ if OF_BOTH.contains(&group) || version.extra_group() == group => true,
        _ => user <= ADMINISTRATOR && OF_ADMINISTRATOR.contains(&group),
    }
}

/// Whether a user belongs to a group. 17 asks it of the caller, later versions of one record.
///
/// # Errors
/// On 17 `AssertionError` for a name without module; since 18 `ValueError` unless there is exactly one record.
pub(crate) fn has_group(tx: &Transaction, ids: &[i64], group: &Json) -> Result<Json> {
    let group = group.as_str().unwrap_or_default();
    if !tx.version.asks_groups_of_records() {
        if !group.contains('.') {
            let text = format!("External ID '{group}' must be fully qualified");
            return Err(Error::new(Class::AssertionError, text));
        }
        return Ok(json!(belongs(tx.version, tx.env.user, group)));
    }
    let [user] = ids else {
        let list: Vec<String> = ids.iter().map(i64::to_string).collect();
        return Err(Error::value(format!(
            "Expected singleton: res.users({})",
            list.join(", ")
        )));
    };
    if !tx.exists("res.users", *user) {
        if tx.version.unknown_user_has_no_group() {
            return Ok(json!(false));
        }
        return Err(Error::missing("res.users", *user, tx.env.user));
    }
    Ok(json!(belongs(tx.version, *user, group)))
}
