//! What plants are told: sent to their webhooks, in order, until they have taken it.

mod push;

fn main() -> Result<(), lambda_runtime::Error> {
    interplant_runtime::step::steps()
        .step("push", push::handle)
        .run()
}
