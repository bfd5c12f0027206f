//! Faults, switched on by request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Barrier;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The connection is closed before the call has an effect.
    Refuse,
    /// The answer comes late. With [`Effect::Late`] the effect does too, even when the client has gone.
    Delay,
    /// The effect is there, then the connection is reset without an answer.
    DropAnswer,
    /// An HTTP status with a text body, without effect.
    Status,
    /// A login page with status 200, without effect.
    Html,
    /// The effect is there, the JSON of the answer is cut in the middle.
    Truncate,
    /// The next `calls` matching calls all start before one of them commits: a race that is lost every time by all but one.
    /// When fewer come within 10 seconds they go on.
    Overlap,
}

/// When the effect of a delayed call is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// At once; only the answer is late.
    #[default]
    Now,
    /// After the delay.
    Late,
}

/// A fault and the calls it is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Only calls of this model; any when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only calls of this method; any when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How many matching calls it hits; until cleared when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Length of a delay in milliseconds; 0 when missing.
    #[serde(default)]
    pub milliseconds: u64,
    /// HTTP status of [`FaultKind::Status`]; 502 when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When the effect of a [`FaultKind::Delay`] is there.
    #[serde(default)]
    pub effect: Effect,
    /// How many calls meet in a [`FaultKind::Overlap`]; 2 when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<usize>,
}

impl Fault {
    /// A fault for every call, until cleared.
    #[must_use]
    pub const fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            model: None,
            method: None,
            times: None,
            milliseconds: 0,
            status: None,
            effect: Effect::Now,
            calls: None,
        }
    }

    /// Only for calls of one method of one model.
    #[must_use]
    pub fn on(mut self, model: &str, method: &str) -> Self {
        self.model = Some(model.to_owned());
        self.method = Some(method.to_owned());
        self
    }

    /// Only for the next `times` matching calls.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Length of a delay.
    #[must_use]
    pub const fn milliseconds(mut self, milliseconds: u64) -> Self {
        self.milliseconds = milliseconds;
        self
    }

    /// HTTP status of [`FaultKind::Status`].
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// When the effect of a delayed call is there.
    #[must_use]
    pub const fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// How many calls meet in a [`FaultKind::Overlap`].
    #[must_use]
    pub const fn calls(mut self, calls: usize) -> Self {
        self.calls = Some(calls);
        self
    }

    fn matches(&self, model: &str, method: &str) -> bool {
        let fits = |wanted: &Option<String>, got: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == got)
        };
        fits(&self.model, model) && fits(&self.method, method) && self.times != Some(0)
    }

    pub(crate) const fn delay(&self) -> Duration {
        Duration::from_millis(self.milliseconds)
    }
}

/// A fault that hits a call.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) fault: Fault,
    /// Where overlapping calls wait for one another.
    pub(crate) meeting: Option<Arc<Barrier>>,
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    meeting: Option<Arc<Barrier>>,
}

/// The faults that are switched on.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Active>>);

impl Faults {
    pub(crate) fn add(&self, mut fault: Fault) {
        let mut meeting = None;
        if fault.kind == FaultKind::Overlap {
            let calls = fault.calls.unwrap_or(2).max(1);
            fault.times = Some(u32::try_from(calls).unwrap_or(u32::MAX));
            meeting = Some(Arc::new(Barrier::new(calls)));
        }
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Active { fault, meeting });
    }

    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|active| active.fault.clone())
            .collect()
    }

    /// The first fault for this call; it counts as used.
    pub(crate) fn hit(&self, model: &str, method: &str) -> Option<Hit> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let active = faults
            .iter_mut()
            .find(|active| active.fault.matches(model, method))?;
        let hit = Hit {
            fault: active.fault.clone(),
            meeting: active.meeting.clone(),
        };
        if let Some(times) = &mut active.fault.times {
            *times -= 1;
        }
        faults.retain(|active| active.fault.times != Some(0));
        Some(hit)
    }
}
