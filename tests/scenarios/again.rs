//! Runs that are cut off anywhere, and invocations that meet.

use std::time::Duration;

use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::{Fills, OrderTrouble};
use alchemiser::simulator::faults::{Effect, Fault, On, Trouble};

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::Stage;
use crate::told::sleeves;

/// A flip of everything with a sell that needs a second attempt.
async fn flip() -> Stage {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ");
    stage.wants("b", "GLD 0.5, SPY 0.5");
    stage.troubles("BIL", 1, OrderTrouble::PartialThenStop { part: "0.3".parse().unwrap() });
    stage
}

/// A first run from cash.
async fn first() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// A flip on an exchange that meets nothing inside the spread: every rung of the ladder is climbed.
async fn ladder() -> Stage {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let mut stage = stage.plays("a", "1", "SPY").limit("[timing]\nattempt_seconds = 2");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ");
    stage
}

/// Cuts the run off at every request in turn; the next invocation finishes it as if nothing had
/// happened. `same` says how far the end must equal the undisturbed twin's.
async fn survives_everywhere(
    stage: impl AsyncFn() -> Stage,
    cut: Cut,
    same: impl Fn(&Stage, &Stage),
) {
    let twin = stage().await;
    let requests = twin.world.requests();
    let whole = twin.run().await;
    assert_eq!(whole.verdict(), Verdict::Done);
    let count = i64::try_from(twin.world.requests() - requests).unwrap();
    assert!(count > 15, "{count}");
    for request in 1..=count {
        let stage = stage().await;
        let before = stage.orders().len();
        let died = killed_at(&stage, request, cut).await;
        assert!(died.is_none(), "request {request} of {count}");
        stage.world.advance(LEASE_OVER);
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Done, "{cut:?} {request}: {:?}", told.report().summary);
        assert_eq!(told.errors(), [""; 0], "{cut:?} {request}");
        assert_eq!(told.sleeves(), whole.sleeves(), "{cut:?} {request}");
        same(&stage, &twin);
        let ours = stage.orders()[before..].to_vec();
        let mut names: Vec<String> = ours.iter().map(|line| name(line)).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), ours.len(), "{cut:?} {request}: one order per attempt: {ours:?}");
        let again = stage.run().await;
        assert!(again.is_repeated(), "{cut:?} {request}");
        assert_eq!(stage.orders().len(), before + ours.len(), "{cut:?} {request}");
    }
}

/// Side, symbol and attempt of an order line.
fn name(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    format!("{} {} {}", words[0], words[1], words[3])
}

fn same_account(stage: &Stage, twin: &Stage) {
    assert_eq!(stage.account(), twin.account());
    let (mut one, mut other) = (stage.orders(), twin.orders());
    one.sort();
    other.sort();
    assert_eq!(one, other);
}

fn same_positions(stage: &Stage, twin: &Stage) {
    assert_eq!(stage.world.positions(), twin.world.positions());
}

#[tokio::test(flavor = "current_thread")]
async fn a_first_run_cut_off_before_any_request_is_finished_by_the_next_invocation() {
    survives_everywhere(first, Cut::Before, same_account).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_first_run_cut_off_after_any_answer_is_finished_by_the_next_invocation() {
    survives_everywhere(first, Cut::After, same_account).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_flip_cut_off_before_any_request_is_finished_by_the_next_invocation() {
    survives_everywhere(flip, Cut::Before, same_positions).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_flip_cut_off_after_any_answer_is_finished_by_the_next_invocation() {
    survives_everywhere(flip, Cut::After, same_positions).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_ladder_cut_off_after_any_answer_is_finished_by_the_next_invocation() {
    survives_everywhere(ladder, Cut::After, same_positions).await;
}

/// However late a cut-off run is taken up, the books are right and the next run trades.
#[tokio::test(flavor = "current_thread")]
async fn a_run_cut_off_anywhere_and_left_over_night_is_concluded_by_the_next_days_run() {
    let twin = flip().await;
    let requests = twin.world.requests();
    twin.run().await;
    let count = i64::try_from(twin.world.requests() - requests).unwrap();
    for request in 1..=count {
        let mut stage = flip().await;
        killed_at(&stage, request, Cut::After).await;
        let cut_off = stage.record();
        assert_eq!(cut_off, None, "{request}");
        stage.next_session();
        let told = stage.run().await;
        assert_eq!(told.errors(), [""; 0], "{request}: {}", told.report().summary);
        assert!(told.verdict().is_good(), "{request}: {:?}", told.verdict());
        assert_eq!(names_of(&told.sleeves()), names_of("a: QQQ 1 | b: GLD 1, SPY 1"), "{request}");
    }
}

/// Sleeves with their symbols alone.
fn names_of(sleeves: &str) -> Vec<String> {
    sleeves.split(' ').filter(|word| word.parse::<f64>().is_err()).map(trimmed).collect()
}

fn trimmed(word: &str) -> String {
    word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',').to_owned()
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_taken_up_when_its_plan_is_too_old_books_what_happened_and_sends_nothing() {
    let twin = flip().await;
    let requests = twin.world.requests();
    twin.run().await;
    let count = i64::try_from(twin.world.requests() - requests).unwrap();
    for request in 1..=count {
        let stage = flip().await;
        killed_at(&stage, request, Cut::After).await;
        stage.world.advance(Duration::from_mins(30));
        let orders = stage.orders().len();
        let told = stage.invoke(RunAction::Resume).await;
        assert!(told.is_kept(), "{request}");
        assert_eq!(stage.orders().len(), orders, "{request}: no order leaves");
    }
}

/// A flip that died with both sells at the exchange, when its lease is over.
async fn half_done() -> Stage {
    let stage = flip().await;
    let sent = async {
        while stage.orders_today().len() < 2 {
            stage.world.clock().sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        biased;
        () = sent => {}
        told = stage.run() => panic!("{:?} before it could die", told.verdict()),
    }
    stage.world.advance(LEASE_OVER);
    stage
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_that_cannot_read_the_orders_does_not_close_the_books() {
    let mut stage = half_done().await;
    stage.world.advance(Duration::from_mins(15));
    let on = On::any("/v2/orders*").containing("status=all").always();
    stage.world.fault(Fault::request(on, Trouble::NoConnection));
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.errors(), ["CRITICAL broker-unreachable"]);
    assert_eq!(stage.record(), None, "it stays open");
    stage.world.clear_faults();
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.verdict(), Verdict::Partial);
    assert_eq!(told.sleeves(), "b: BIL 343, SPY 49");
    stage.next_session();
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors().len()), (Verdict::Done, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_that_cannot_read_a_record_does_not_close_the_books() {
    for nth in 0.. {
        let mut stage = half_done().await;
        stage.world.advance(Duration::from_mins(15));
        stage.shelf.fails_to_read(nth);
        let _ = stage.try_invoke(RunAction::Resume).await;
        if !stage.shelf.has_failed_to_read() {
            assert!(nth > 8, "{nth}");
            return;
        }
        stage.world.advance(LEASE_OVER);
        stage.invoke(RunAction::Resume).await;
        let sleeves = stage.record().unwrap().ledger.map(|ledger| sleeves(&ledger));
        assert_eq!(sleeves.unwrap(), "b: BIL 343, SPY 49", "read {nth}");
        stage.next_session();
        let told = stage.run().await;
        assert_eq!((told.verdict(), told.errors().len()), (Verdict::Done, 0), "read {nth}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_that_cannot_be_read_for_a_moment_costs_at_most_time() {
    for nth in 0.. {
        let stage = flip().await;
        stage.shelf.fails_to_read(nth);
        let told = stage.try_invoke(RunAction::Trade).await;
        if !stage.shelf.has_failed_to_read() {
            assert!(nth > 7, "{nth}");
            return;
        }
        let open = stage.record().is_none();
        assert!(!open || told.is_none_or(|told| !told.verdict().is_good()), "read {nth}");
        if open {
            stage.world.advance(LEASE_OVER);
            let told = stage.invoke(RunAction::Trade).await;
            assert_eq!((told.verdict(), told.errors().len()), (Verdict::Done, 0), "read {nth}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn of_two_invocations_at_once_one_trades_and_the_other_steps_back() {
    let stage = flip().await;
    let (one, other) = tokio::join!(stage.run(), stage.run());
    let (done, back) = if one.is_in_progress() { (other, one) } else { (one, other) };
    assert!(back.is_in_progress());
    assert_eq!(done.verdict(), Verdict::Done);
    let twin = flip().await;
    twin.run().await;
    same_account(&stage, &twin);
    assert_eq!(stage.post.subjects().len(), 2, "one for each session");
}

#[tokio::test(flavor = "current_thread")]
async fn an_invocation_during_a_run_steps_back_whenever_it_comes() {
    for millis in [0, 5, 40, 100, 400, 1500, 5000, 11_000] {
        let stage = flip().await;
        let later = async {
            stage.world.clock().sleep(Duration::from_millis(millis)).await;
            stage.run().await
        };
        let (one, other) = tokio::join!(stage.run(), later);
        let steps = [&one, &other].into_iter().filter(|told| !told.is_in_progress());
        assert_eq!(steps.count(), 1, "{millis}");
        let twin = flip().await;
        twin.run().await;
        same_positions(&stage, &twin);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn sells_that_ended_before_a_kept_buy_plan_are_not_sent_again() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ");
    stage.wants("b", "GLD");
    let on = On::new(Method::Post, "/v2/orders").containing("SPY");
    let refusal = Trouble::Status { status: 422, effect: Effect::None };
    stage.world.fault(Fault::request(on, refusal));
    let first = stage.run().await;
    assert_eq!(first.sleeves(), "a: SPY 98 | b: GLD 245");
    let folder = stage.shelf.keys("runs/").pop().unwrap();
    let folder = folder.split("/open/").next().unwrap().to_owned();
    for record in ["sells.json", "buys.json", "final.json", "mail/run.json"] {
        stage.shelf.lose(&format!("{folder}/open/g0/{record}"));
    }
    let orders = stage.orders().len();
    stage.world.advance(LEASE_OVER);
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!((told.sleeves(), stage.orders().len()), (first.sleeves(), orders));
}
