//! What a plant sends, as canonical events: by the plant's configuration, with no plant's name in the code.

mod charset;
pub mod contract;
mod control;
mod delimited;
pub mod document;
pub mod edi;
pub mod edifact;
pub mod event;
mod exact;
mod expression;
pub mod extract;
pub mod feed;
mod fixed;
mod format;
mod json;
pub mod lines;
mod lookup;
pub mod mapper;
pub mod out;
pub mod place;
mod sheet;
mod x12;
mod xml;
