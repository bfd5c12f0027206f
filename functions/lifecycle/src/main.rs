//! What every lifecycle needs: one binary, one Lambda per step, chosen by SAM's `Handler: <step>`.

mod hold;
mod park;
mod route;
mod sweep;

fn main() -> Result<(), lambda_runtime::Error> {
    interplant_runtime::step::steps()
        .step("route", route::handle)
        .step("park", park::handle)
        .step("hold", hold::handle)
        .step("sweep", sweep::handle)
        .run()
}
