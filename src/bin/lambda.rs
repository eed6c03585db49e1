//! The scheduled function: connects once, then carries events to [`invoke`] and its answers back.

use alchemiser::interface::lambda::{Failure, connect, invoke};
use alchemiser::interface::{settings, telemetry};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::for_function(settings::log_level().as_deref());
    telemetry::log_panics();
    let connections = &connect(settings::Settings::from_environment()).await;
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        let LambdaEvent { payload, context } = event;
        let answer = invoke(payload, context.request_id, context.deadline, connections.as_ref());
        Box::pin(answer).await.map_err(diagnostic)
    }))
    .await
}

fn diagnostic(failure: Failure) -> Diagnostic {
    Diagnostic { error_type: failure.kind.to_owned(), error_message: failure.message }
}
