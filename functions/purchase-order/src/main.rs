//! The purchase order's steps: one binary, one Lambda per step, chosen by SAM's `Handler: <step>`.

mod acknowledge;
mod cancel;
mod change;
mod close;
mod create;
mod effects;
mod match_invoice;
mod post_invoice;
mod receive;
mod record;
mod release_quality;
mod reverse_receipt;

fn main() -> Result<(), lambda_runtime::Error> {
    interplant_runtime::step::steps()
        .step("create", create::handle)
        .step("acknowledge", acknowledge::handle)
        .step("change", change::handle)
        .step("cancel", cancel::handle)
        .step("record", record::handle)
        .step("receive", receive::handle)
        .step("reverse-receipt", reverse_receipt::handle)
        .step("release-quality", release_quality::handle)
        .step("match-invoice", match_invoice::handle)
        .step("post-invoice", post_invoice::handle)
        .step("close", close::handle)
        .run()
}
