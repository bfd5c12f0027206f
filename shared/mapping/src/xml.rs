//! Xml.

use std::io::Read;

use serde::Deserialize;

use crate::format::{Fault, Take};

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Xml {}

/// Reads document by document.
pub(crate) fn read(_bytes: impl Read, _format: &Xml, _take: &mut Take<'_>) -> Result<(), Fault> {
    Ok(())
}
