//! The API: takes facts, tells their fate.

mod files;
mod openapi;
mod outbox;
mod problem;
mod read;
mod request;
mod routes;

use interplant_runtime::{Context, Settings, step};
use lambda_http::{Request, service_fn};

fn main() -> Result<(), lambda_http::Error> {
    step::start_telemetry();
    let settings = Settings::from_env()?;
    let runtime = lambda_runtime_builder()?;
    runtime.block_on(async {
        let api = routes::Api::new(Context::new(settings).await)?;
        lambda_http::run(service_fn(async |request: Request| {
            Ok::<_, std::convert::Infallible>(api.answer(request).await)
        }))
        .await
    })
}

fn lambda_runtime_builder() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
