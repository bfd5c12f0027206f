//! Files of plants: read by their feeds, taken in fact by fact.

mod read;

fn main() -> Result<(), lambda_runtime::Error> {
    interplant_runtime::step::steps()
        .step("read", read::handle)
        .run()
}
