//! What is not replayed, and why.

use interplant_odoo_sandbox::{Sandbox, Version};
use serde_json::Value as Json;

use super::has_model;
use super::translate::Recorded;

const NOT_IN_USE: &str = "model or method not in use";
const SUMMARY: &str = "a summary, not an exchange";
const OTHER_USER: &str = "a user with fewer rights than the integration user";
const EARLIER: &str = "depends on records from before the flow";
const TWO_STEPS: &str = "receipts in two steps, quality hold";
const SERVER_ACTION: &str = "server actions, and what they did";

/// Why a recorded line is not replayed; `None` when it is.
pub(super) fn reason(
    sandbox: &Sandbox,
    version: Version,
    flow: &str,
    line: &Json,
) -> Option<&'static str> {
    if line.get("request").is_none() {
        return Some(SUMMARY);
    }
    let step = line["step"].as_str().unwrap_or_default();
    let call = Recorded::new(line);
    if step.contains("limited user") || logs_in_limited(line) {
        return Some(OTHER_USER);
    }
    if line["request"]["path"]
        .as_str()
        .is_some_and(|path| path.starts_with("/doc"))
    {
        return Some(NOT_IN_USE);
    }
    if !call.model.is_empty() && call.model != "no.such.model" && !has_model(sandbox, &call.model) {
        return Some(NOT_IN_USE);
    }
    match flow {
        "b_load" if step == "context: name after the three loads" => Some(EARLIER),
        // Counts over all flows that ran before.
        "b_load"
            if version == Version::V19
                && step == "product.supplierinfo: count with line external ids" =>
        {
            Some(EARLIER)
        }
        "c_purchase" if step.starts_with("quality:") => Some(TWO_STEPS),
        "j_idempotency" if step.starts_with("server action") => Some(SERVER_ACTION),
        "l_misc_read_shapes"
            if matches!(
                step,
                "search: search_count" | "search: search (ids only) with offset/limit"
            ) =>
        {
            Some(EARLIER)
        }
        _ => None,
    }
}

fn logs_in_limited(line: &Json) -> bool {
    line["request"]["body"]["params"]["args"][1] == "limited"
}
