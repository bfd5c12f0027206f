//! The audit chains of plants.

mod chain;

fn main() -> Result<(), lambda_runtime::Error> {
    interplant_runtime::step::steps()
        .step("chain", chain::handle)
        .run()
}
