//! What a plant sends, as canonical events: by the plant's configuration, with no plant's name in the code.

pub mod contract;
mod delimited;
pub mod document;
pub mod event;
mod exact;
mod expression;
pub mod feed;
mod lookup;
pub mod mapper;
pub mod place;
