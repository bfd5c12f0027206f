//! What several steps do in Odoo.

pub(crate) mod amend;
pub(crate) mod goods;
pub(crate) mod told;
