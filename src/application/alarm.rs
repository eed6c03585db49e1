//! The alarm: what cannot wait for the run's end is mailed while orders are still being settled.
//!
//! At most once in a run, however often it is resumed: `mail/alert.json` says that it was. What
//! was there at the end of the run before is no news, and waits for the run's own mail, which also
//! tells of what comes up in the last moment. Acting never waits for the mail.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::{join, select};
use tracing::{info, warn};

use crate::application::journal::Journal;
use crate::application::run::House;
use crate::application::tell::send_alert;
use crate::domain::incident::Incident;
use crate::domain::report::Standing;
use crate::presentation::push;

/// Record of the alert.
const ALERT: &str = "mail/alert.json";
/// How long the end of a run waits for an alert that is on its way.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where acting says what cannot wait.
#[derive(Debug, Default)]
pub struct Alarm {
    standing: Vec<Incident>,
    raised: Mutex<Option<Incident>>,
    bell: Notify,
}

impl Alarm {
    /// An alarm that knows what was wrong before.
    pub fn new(before: Option<&Standing>) -> Self {
        let standing = before.map(|before| before.incidents.clone()).unwrap_or_default();
        Self { standing, ..Self::default() }
    }

    /// Rings for the first incident that cannot wait.
    pub fn raise(&self, incident: &Incident) {
        let is_known = self.standing.iter().any(|known| known.is_same(incident));
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        if incident.category.is_immediate() && !is_known && raised.is_none() {
            *raised = Some(incident.clone());
            self.bell.notify_one();
        }
    }

    /// Acts, and tells the operator beside it when the alarm rings.
    pub(super) async fn beside<T>(
        &self,
        acting: impl Future<Output = T>,
        house: &House<'_>,
        journal: &Journal<'_>,
    ) -> T {
        let (mut acting, mut alert) = (pin!(acting), pin!(self.alert(house, journal)));
        let done = select! {
            biased;
            done = &mut acting => done,
            () = &mut alert => return acting.await,
        };
        let is_raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_raised {
            select! {
                biased;
                () = &mut alert => {}
                () = house.desk.clock.sleep(PATIENCE) => warn!("the alert is not taken yet"),
            }
        }
        done
    }

    async fn alert(&self, house: &House<'_>, journal: &Journal<'_>) {
        self.bell.notified().await;
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(mut incident) = raised else { return };
        incident.at = Some(house.desk.clock.now());
        if matches!(journal.read::<String>(ALERT).await, Ok(Some(_))) {
            return; // by an earlier invocation
        }
        let note = push(&incident, journal.key(), None);
        let alerted = [incident];
        let alert = send_alert(&alerted, house, journal.key());
        let (sent, ()) = join!(alert, house.begin_push(note, Some(journal)));
        match sent {
            Ok(id) => {
                info!(run = %journal.key(), "alert sent");
                if let Err(error) = journal.keep(ALERT, None, &id).await {
                    warn!(%error, "alert not recorded; a resume may send it again");
                }
            }
            Err(why) => warn!(%why, "alert not sent; the run's mail says the same"),
        }
    }
}
