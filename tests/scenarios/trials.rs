//! What simulated days of trouble found, as the scenes they shrank to.

use std::time::Duration;

use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::OrderTrouble;
use alchemiser::simulator::faults::{Effect, Fault, On, Trouble};

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::Stage;

/// Found by seed 1713: the next morning's settling believed a list of orders that lagged behind, and
/// closed the books without an order that had been executed.
#[tokio::test(flavor = "current_thread")]
async fn an_order_that_lists_do_not_show_yet_is_looked_up_before_its_run_is_closed_without_it() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, GLD 0.5");
    stage.troubles("GLD", 1, OrderTrouble::Hidden { lookups: 2 });
    let away = Trouble::Status { status: 502, effect: Effect::None };
    stage.world.fault(Fault::request(On::new(Method::Get, "/v2/orders*").after(2).always(), away));
    // Dies while it waits for news of its two orders.
    assert!(killed_at(&stage, 28, Cut::After).await.is_none(), "the run was to be killed");
    stage.world.advance(Duration::from_mins(1));
    stage.world.clear_faults();
    assert_eq!(stage.world.orders().len(), 2, "{:?}", stage.orders());
    stage.world.advance(LEASE_OVER);
    stage.next_session();
    let told = stage.run().await;
    let errors = told.errors();
    assert!(errors.iter().all(|error| !error.contains("position-mismatch")), "{errors:?}");
    assert_eq!(told.verdict(), Verdict::NothingToDo, "{errors:?}");
}

/// Found by seed 2834: a preview and a run that ended in the same second had one message id, and mail
/// programs show only one of two letters under one id.
#[tokio::test(flavor = "current_thread")]
async fn two_letters_of_one_second_have_ids_of_their_own() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, GLD 0.5");
    let (preview, _) =
        tokio::join!(stage.invoke(RunAction::Preview), stage.invoke(RunAction::Preview));
    assert_eq!(preview.verdict(), Verdict::Preview);
    stage.run().await;
    let ids: Vec<String> = stage
        .post
        .letters()
        .iter()
        .map(|letter| {
            let raw = String::from_utf8_lossy(&letter.raw).into_owned();
            let id = raw.lines().find(|line| line.starts_with("Message-ID:"));
            format!("{} {}", letter.subject, id.unwrap_or_default())
        })
        .collect();
    let (previews, runs): (Vec<&String>, Vec<&String>) =
        ids.iter().partition(|id| id.contains("PREVIEW"));
    assert!(!previews.is_empty() && !runs.is_empty(), "{ids:?}");
    let name = |id: &str| id.rsplit(' ').next().unwrap_or_default().to_owned();
    assert!(previews.iter().all(|p| runs.iter().all(|r| name(p) != name(r))), "{ids:?}");
}
