//! The purchase order's steps: one binary, one Lambda per step, chosen by SAM's `Handler: <step>`.

mod acknowledge;
mod close;
mod create;
mod match_invoice;
mod post_invoice;
mod receive;

fn main() -> Result<(), lambda_runtime::Error> {
    interplant_runtime::step::steps()
        .step("create", create::handle)
        .step("acknowledge", acknowledge::handle)
        .step("receive", receive::handle)
        .step("match-invoice", match_invoice::handle)
        .step("post-invoice", post_invoice::handle)
        .step("close", close::handle)
        .run()
}
