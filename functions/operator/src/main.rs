//! The operators' API: who is asked, what is open, what people decide; and decisions about many at once.

mod api;
mod job;

fn main() -> Result<(), lambda_runtime::Error> {
    interplant_runtime::step::steps()
        .step("api", api::handle)
        .step("job", job::handle)
        .run()
}
