//! What people make and change in Odoo itself: read, and taken in as facts.

mod hint;
mod poll;

fn main() -> Result<(), lambda_runtime::Error> {
    interplant_runtime::step::steps()
        .step("poll", poll::handle)
        .step("hint", hint::handle)
        .run()
}
