//! A process that dies in the middle of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::{Request, Response, Transport, TransportError};
use async_trait::async_trait;
use tokio::sync::Notify;

use crate::stage::Stage;
use crate::told::Told;

/// When a lease that nobody gave back has run out.
pub(crate) const LEASE_OVER: Duration = Duration::from_secs(306);

/// Where a run is cut off, seen from the request at which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before the request left.
    Before,
    /// After the exchange answered, before the answer is read.
    After,
}

/// Carries so many requests, then nothing moves any more.
struct Cable {
    inner: Arc<dyn Transport>,
    left: AtomicI64,
    cut: Cut,
    gone: Notify,
}

#[async_trait]
impl Transport for Cable {
    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        let last = self.left.fetch_sub(1, Ordering::Relaxed) == 1;
        if last && self.cut == Cut::Before {
            self.gone.notify_one();
            return std::future::pending().await;
        }
        let answer = self.inner.carry(request).await;
        if last {
            self.gone.notify_one();
            return std::future::pending().await;
        }
        answer
    }
}

/// Runs until the k-th request, where the process dies; `None` when it died.
pub(crate) async fn killed_at(stage: &Stage, request: i64, cut: Cut) -> Option<Told> {
    let (inner, gone) = (stage.world.transport(), Notify::new());
    let cable = Arc::new(Cable { inner, left: AtomicI64::new(request), cut, gone });
    tokio::select! {
        biased;
        () = cable.gone.notified() => None,
        told = stage.invoke_over(cable.clone(), RunAction::Trade) => Some(told),
    }
}
