//! Processes that sleep, letters that are lost, and everything at once.

use std::pin::pin;
use std::time::Duration;

use alchemiser::application::tell::Mailed;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::{Fills, OrderTrouble};
use alchemiser::simulator::faults::{Effect, Fault, On, StreamTrouble, Trouble};

use crate::cut::LEASE_OVER;
use crate::stage::Stage;

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

#[tokio::test(flavor = "current_thread")]
async fn a_process_that_wakes_up_after_ten_minutes_sends_nothing_that_is_over() {
    for orders in [1, 2] {
        let mut stage = stage();
        stage.run().await;
        stage.next_session();
        stage.wants("a", "QQQ 0.5, GLD 0.5");
        stage.troubles("SPY", u32::MAX, OrderTrouble::NeverFilled);
        let before = {
            let mut work = pin!(stage.run());
            let sent = async {
                while stage.orders_today().len() < orders {
                    stage.world.clock().sleep(Duration::from_millis(50)).await;
                }
            };
            tokio::select! {
                biased;
                () = sent => {}
                told = &mut work => panic!("{:?} before it could sleep", told.verdict()),
            }
            // Nobody attends to the process any more, and time goes by.
            stage.world.advance(LEASE_OVER + LEASE_OVER);
            let before = stage.orders_today().len();
            let told = work.await;
            assert!(!told.verdict().is_good(), "{orders}: {:?}", told.verdict());
            before
        };
        assert_eq!(stage.orders_today().len(), before, "{orders}: {:?}", stage.orders_today());
        stage.world.clear_faults();
        stage.next_session();
        assert!(stage.run().await.verdict().is_good(), "{orders}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_letter_whose_answer_is_lost_is_at_worst_sent_again_and_changes_nothing() {
    let stage = stage();
    stage.post.answers_nothing();
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert!(matches!(told.mailed(), Mailed::Failed(_)));
    let sent = stage.post.subjects().len();
    assert!((1..=3).contains(&sent), "{sent}");
    stage.post.refuses(false);
    let again = stage.invoke(RunAction::Resume).await;
    assert!(again.is_repeated() && matches!(again.mailed(), Mailed::Sent(_)));
    let subjects = stage.post.subjects();
    assert_eq!(subjects.len(), sent + 1);
    assert!(subjects.iter().all(|subject| *subject == subjects[0]), "{subjects:?}");
    assert_eq!(stage.orders().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_storm_of_errors_is_one_letter() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let stage = stage.plays("a", "1", "SPY 0.2, BIL 0.2, QQQ 0.2, GLD 0.2, TLT 0.2");
    for symbol in ["BIL", "GLD", "QQQ", "SPY", "TLT"] {
        stage.troubles(symbol, u32::MAX, OrderTrouble::CancelStuck);
    }
    stage.world.fault(Fault::Stream(StreamTrouble::Refused));
    let cancels = On::new(Method::Delete, "/v2/orders*").always();
    stage.world.fault(Fault::request(cancels, Trouble::NoAnswer { effect: Effect::None }));
    let told = stage.run().await;
    assert!(told.incidents().len() > 4, "{:?}", told.incidents());
    assert_eq!(stage.post.subjects().len(), 1, "{:?}", stage.post.subjects());
    stage.run().await;
    assert_eq!(stage.post.subjects().len(), 1, "and said once");
}
