//! Runs in the broker's own paper world, with mail in a folder.

use std::path::Path;

use jiff::ToSpan;

use crate::application::ports::Clock;
use crate::application::run::Ended;
use crate::domain::incident::Incident;
use crate::domain::run::{RunAction, RunRequest, Slot};
use crate::infrastructure::clock::MachineClock;
use crate::infrastructure::https::Trust;
use crate::interface::cli::forcing::Wish;
use crate::interface::cli::interrupt::run_or_leave;
use crate::interface::cli::{Doing, Place, Trouble, offline};
use crate::interface::connections::Connections;
use crate::interface::settings::{Settings, StorePlace};
use crate::interface::wiring::{Invocation, Outside};

/// Time that a run from the command line may take, as long as the function's.
const RUN_SECONDS: i64 = 300;

/// The broker's world of an account, or that of an exchange on this machine, with mail in a folder.
pub(super) async fn outside(
    place: &Place,
    secret: &Path,
    broker_url: Option<String>,
) -> Result<Outside, Trouble> {
    let outbox = match &place.store {
        StorePlace::Folder(folder) => folder.with_file_name("mail"),
        StorePlace::Bucket(bucket) => Path::new("out").join(bucket).join("mail"),
    };
    let settings = Settings {
        store: place.store.clone(),
        outbox: Some(outbox),
        secret_file: Some(secret.to_owned()),
        broker_url,
        mail_from: None,
        mail_to: None,
        prefetch: None,
        function: None,
        trust: Trust::default(),
    };
    let wrong = |incident: Box<Incident>| Trouble::setting(incident.what, &incident.action);
    let connections = Connections::open(&settings).await.map_err(wrong)?;
    connections.outside(place.mode, &place.account).map_err(wrong)
}

/// One run or preview now.
pub(super) async fn run_now(
    doing: &Doing,
    action: RunAction,
    wish: Option<Wish>,
) -> Result<offline::Done, Trouble> {
    let mut outside = outside(&doing.place, &doing.secret, None).await?;
    outside.policy_text = offline::policy_text(doing)?;
    let (slot, place) = (&doing.slot, &doing.place);
    let ended = once(outside, place, (slot, action), wish).await?;
    Ok(offline::Done::of(ended, place.store.clone()))
}

/// One run or preview of an account in a world, now.
pub(super) async fn once(
    outside: Outside,
    place: &Place,
    (slot, action): (&Slot, RunAction),
    wish: Option<Wish>,
) -> Result<Ended, Trouble> {
    let now = MachineClock.now();
    let deadline = now.saturating_add(RUN_SECONDS.seconds()).unwrap_or(now);
    let writer = format!("cli-{}-{}", std::process::id(), now.as_millisecond());
    let site = outside
        .furnish(place.mode, &place.account, Invocation { writer, deadline })
        .await
        .map_err(|incident| Trouble::setting(incident.what, &incident.action))?;
    let mut request = RunRequest {
        action,
        mode: place.mode,
        account: place.account.clone(),
        slot: slot.clone(),
        scheduled_for: now,
        force: None,
    };
    if let Some(wish) = wish {
        request.force = Some(wish.force(&request, site.house().store, now).await?);
    }
    run_or_leave(&request, &site.house()).await
}

/// One run or preview now, told on the terminal.
pub(super) async fn run(
    doing: &Doing,
    action: RunAction,
    wish: Option<Wish>,
    json: bool,
) -> Result<u8, Trouble> {
    let done = run_now(doing, action, wish).await?;
    done.tell(json)
}
