//! What every model can do: create, write, unlink, read, search.

pub(crate) mod convert;
pub(crate) mod describe;
pub(crate) mod read;
pub(crate) mod search;
pub(crate) mod write;
