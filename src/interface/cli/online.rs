//! Runs in the broker's own paper world, with records and mail in folders.

use jiff::ToSpan;

use crate::application::ports::Clock;
use crate::domain::run::{RunAction, RunRequest};
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::interrupt::run_or_leave;
use crate::interface::cli::{Doing, Trouble, offline};
use crate::interface::settings::{Settings, StorePlace};
use crate::interface::wiring::{Invocation, Outside};

/// Time that a run from the command line may take, as long as the function's.
const RUN_SECONDS: i64 = 300;

/// One run or preview now.
pub(super) async fn run_now(doing: &Doing, action: RunAction) -> Result<offline::Done, Trouble> {
    let outbox = doing.place.store.with_file_name("mail");
    let settings = Settings {
        store: StorePlace::Folder(doing.place.store.clone()),
        outbox,
        secret_file: doing.secret.clone(),
        broker_url: None,
        mail_from: None,
        mail_to: None,
    };
    let mut outside = Outside::from_settings(&settings, doing.place.mode)
        .map_err(|incident| Trouble::setting(incident.what, &incident.action))?;
    outside.policy_text = offline::policy_text(doing)?;
    let now = MachineClock.now();
    let deadline = now.saturating_add(RUN_SECONDS.seconds()).unwrap_or(now);
    let writer = format!("cli-{}-{}", std::process::id(), now.as_millisecond());
    let site = outside
        .furnish(doing.place.mode, &doing.place.account, Invocation { writer, deadline })
        .await
        .map_err(|incident| Trouble::setting(incident.what, &incident.action))?;
    let request = RunRequest {
        action,
        mode: doing.place.mode,
        account: doing.place.account.clone(),
        slot: doing.slot.clone(),
        scheduled_for: now,
        force: None,
    };
    let ended = run_or_leave(&request, &site.house()).await?;
    Ok(offline::Done::of(ended, &doing.place.store))
}

/// One run or preview now, told on the terminal.
pub(super) async fn run(doing: &Doing, action: RunAction, json: bool) -> Result<u8, Trouble> {
    let done = run_now(doing, action).await?;
    done.tell(json)
}
