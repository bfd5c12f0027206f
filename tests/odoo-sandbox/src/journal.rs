//! The calls that came in, for tests to look at. Keys are never kept.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// One call that came in.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Call {
    /// Counted from 1 since the start; a reset does not set it back.
    pub seq: u64,
    /// When it came in, UTC.
    pub at: String,
    /// The model, or `common` for `/jsonrpc` calls without one.
    pub model: String,
    /// The method.
    pub method: String,
    /// The records it was for.
    pub ids: Vec<i64>,
    /// The HTTP status of the answer; 0 when the connection was closed without one.
    pub status: u16,
    /// What Odoo raised, or the fault that hit the call.
    pub outcome: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<(u64, Vec<Call>)>);

impl Journal {
    /// Notes a call as it comes in; [`Self::ended`] adds how it ended.
    pub(crate) fn began(&self, at: String, model: &str, method: &str, ids: &[i64]) -> u64 {
        let mut journal = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        journal.0 += 1;
        let seq = journal.0;
        journal.1.push(Call {
            seq,
            at,
            model: model.to_owned(),
            method: method.to_owned(),
            ids: ids.to_vec(),
            status: 0,
            outcome: None,
        });
        seq
    }

    pub(crate) fn ended(&self, seq: u64, status: u16, outcome: Option<String>) {
        let mut journal = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(call) = journal.1.iter_mut().find(|call| call.seq == seq) {
            call.status = status;
            call.outcome = outcome;
        }
    }

    pub(crate) fn list(&self) -> Vec<Call> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .clone()
    }

    pub(crate) fn reset(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .clear();
    }
}
