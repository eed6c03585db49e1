//! What simulated days of trouble found, as the scenes they shrank to.

use std::time::Duration;

use alchemiser::application::tell::Mailed;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::interface::cli::simulate::battery::judged;
use alchemiser::simulator::exchange::{Fills, OrderTrouble};
use alchemiser::simulator::faults::{Effect, Fault, On, Trouble};
use alchemiser::simulator::trial::draw::script;
use alchemiser::simulator::trial::lifeline::{Edge, Fate};
use alchemiser::simulator::trial::script::{
    Day, Delivery, Engines, Happening, Script, Setting, Task, Turn, What, Wish,
};
use alchemiser::simulator::trial::shelf::{ShelfCall, ShelfFault, ShelfTrouble};
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::Stage;

/// Dies while it waits for news of its two orders, one of which look-ups do not show so many times.
async fn dies_with_an_order_unseen(stage: &Stage, lookups: u32) {
    stage.troubles("GLD", 1, OrderTrouble::Hidden { lookups });
    let away = Trouble::Status { status: 502, effect: Effect::None };
    stage.world.fault(Fault::request(On::new(Method::Get, "/v2/orders*").after(2).always(), away));
    assert!(killed_at(stage, 28, Cut::After).await.is_none(), "the run was to be killed");
    stage.world.advance(Duration::from_mins(1));
    stage.world.clear_faults();
    assert_eq!(stage.world.orders().len(), 2, "{:?}", stage.orders());
    stage.world.advance(LEASE_OVER);
}

/// Found by seed 1713: the next morning's settling believed a list of orders that lagged behind, and
/// closed the books without an order that had been executed.
#[tokio::test(flavor = "current_thread")]
async fn an_order_that_lists_do_not_show_yet_is_looked_up_before_its_run_is_closed_without_it() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, GLD 0.5");
    dies_with_an_order_unseen(&stage, 2).await;
    stage.next_session();
    let told = stage.run().await;
    let errors = told.errors();
    assert!(errors.iter().all(|error| !error.contains("position-mismatch")), "{errors:?}");
    assert_eq!(told.verdict(), Verdict::NothingToDo, "{errors:?}");
}

/// Found by seed 20029: a resumed run that the operator had halted took an order that no list showed
/// for one that was never sent, and was closed without its execution.
#[tokio::test(flavor = "current_thread")]
async fn a_halted_run_looks_up_an_executed_order_that_lists_do_not_show_yet() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, GLD 0.5");
    dies_with_an_order_unseen(&stage, 3).await;
    stage.permits("halt-all");
    let told = stage.run().await;
    assert_eq!(told.outcomes(), ["buy GLD 245 of 245", "buy SPY 98 of 98"]);
    let errors = told.errors();
    assert!(errors.iter().all(|error| !error.contains("position-mismatch")), "{errors:?}");
}

/// The same while the order still works: nobody would have cancelled it.
#[tokio::test(flavor = "current_thread")]
async fn a_halted_run_cancels_a_working_order_that_lists_do_not_show_yet() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let stage = stage.plays("a", "1", "SPY 0.5, GLD 0.5");
    dies_with_an_order_unseen(&stage, 3).await;
    stage.permits("halt-all");
    let told = stage.run().await;
    assert_eq!(told.outcomes(), ["buy GLD 0 of 245", "buy SPY 0 of 98"]);
    assert_eq!(stage.orders(), ["buy GLD 245 #1 canceled 0", "buy SPY 98 #1 canceled 0"]);
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

/// Found by seeds 21714 and 32052: a preview and a run that failed for the same reason in the same
/// second had one message id.
#[tokio::test(flavor = "current_thread")]
async fn a_preview_and_a_run_that_fail_alike_in_one_second_are_two_letters() {
    let stage = Stage::new().plays("a", "1", "SPY");
    let away = Trouble::Status { status: 500, effect: Effect::None };
    stage.world.fault(Fault::request(On::new(Method::Get, "/v2/clock").always(), away));
    tokio::join!(stage.invoke(RunAction::Preview), stage.run());
    let letters = stage.post.letters();
    let subjects = stage.post.subjects();
    assert!(subjects.len() == 2 && subjects[0] == subjects[1], "{subjects:?}");
    let ids: Vec<String> = letters
        .iter()
        .map(|letter| String::from_utf8_lossy(&letter.raw).into_owned())
        .map(|raw| raw.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned())
        .collect();
    assert_ne!(ids[0], ids[1]);
}

/// Found by seed 42688: a run whose letter was turned away waited to offer it again, a second delivery
/// found it still owed and sent it, and the first sent it once more.
#[tokio::test(flavor = "current_thread")]
async fn a_letter_that_is_being_offered_again_is_left_to_the_run_that_does() {
    let stage = Stage::new().plays("a", "1", "SPY");
    stage.post.turns_away(2);
    let again = async {
        let clock = stage.world.clock();
        while stage.record().is_none() {
            clock.sleep(Duration::from_millis(100)).await;
        }
        clock.sleep(Duration::from_millis(900)).await; // after the second try, before the third
        stage.run().await
    };
    let (first, second) = tokio::join!(stage.run(), again);
    assert!(second.is_repeated() && !first.is_repeated());
    assert_eq!(stage.post.subjects().len(), 1, "{:?}", stage.post.subjects());
    assert!(matches!(first.mailed(), Mailed::Sent(_)));
    assert_eq!(second.mailed(), &Mailed::Elsewhere);
}

/// The first session of a trial written by hand.
const FIRST: Date = date(2026, 11, 17);

fn trial(days: Vec<Day>) -> Script {
    let setting = Setting {
        first: FIRST,
        cash: Decimal::from(100_000),
        fills: Fills { inside_spread: 1.0, ..Fills::plain() },
        round_trip: Duration::from_millis(10),
        strategies: vec![("a", "1")],
        engines: Engines::Tables,
        whole: None,
        policy: "",
        timing: "",
    };
    Script { seed: 1, setting, days }
}

/// A session with its run, which wants all in one symbol.
fn session(weights: &'static [(&'static str, &'static str)], others: &[(u64, What)]) -> Day {
    let run = (0, What::Delivery(Delivery::of(Task::Trade)));
    let happenings = [&run].into_iter().chain(others).map(|(after, what)| Happening {
        after: Duration::from_millis(*after),
        what: what.clone(),
    });
    Day {
        wishes: vec![Wish::Weights(weights)],
        moves: Vec::new(),
        happenings: happenings.collect(),
    }
}

/// Orders of each session, as the exchange has them; nothing of the trial may be wrong.
fn orders_of_a_good_trial(days: Vec<Day>) -> Vec<Vec<String>> {
    let (truth, violations) = judged(&trial(days));
    assert_eq!(violations, []);
    let truth = truth.unwrap();
    let orders = truth.world.orders();
    let of_day = |day: usize| {
        let from = truth.days[day].due;
        let until = truth.days.get(day + 1).map_or(jiff::Timestamp::MAX, |next| next.due);
        let of_day = orders.iter().filter(move |o| from <= o.created_at && o.created_at < until);
        let mut lines: Vec<String> =
            of_day.map(|order| format!("{} {}", order.asked.side, order.symbol())).collect();
        lines.dedup();
        lines
    };
    (0..truth.days.len()).map(of_day).collect()
}

const SPY: &[(&str, &str)] = &[("SPY", "1")];
const GLD: &[(&str, &str)] = &[("GLD", "1")];
const TLT: &[(&str, &str)] = &[("TLT", "1")];

/// Found by seed 23911: the judge took shares that had been split and sold for shares still held, and
/// a purchase on the day of another split for one in the middle of it.
#[test]
fn a_symbol_that_was_split_and_sold_may_be_bought_on_the_day_of_its_next_split() {
    let split = |after, position| {
        let turn = Turn::Splits { symbol: "TLT", ratio: 2, announced: true, position };
        (after, What::Market(turn))
    };
    // Quotes and closes agree on that day, so only shares in the account could be in the way.
    let next = Day { moves: vec![("TLT", 1.0)], ..session(TLT, &[split(0, false)]) };
    let orders = orders_of_a_good_trial(vec![
        session(TLT, &[split(600_000, true)]),
        session(SPY, &[]),
        next,
    ]);
    assert_eq!(orders[1], ["sell TLT", "buy SPY"]);
    assert_eq!(orders[2], ["sell SPY", "buy TLT"]);
}

fn wiped(after: u64) -> (u64, What) {
    let (call, containing, what) = (ShelfCall::Any, "", ShelfFault::Wiped);
    (after, What::Shelf(ShelfTrouble { call, containing, skip: 0, times: 1, what }))
}

/// A request that nobody answers keeps the session's run from planning for some seconds.
fn plans_late() -> (u64, What) {
    let on = On::new(Method::Get, "/v2/positions");
    (0, What::Request(on, Trouble::NoAnswer { effect: Effect::None }))
}

/// Found by seed 46627: a run that had read the last ledger before the records were lost made its plan
/// after that, traded and wrote down the next ledger. The judge took the session after it for one that
/// began anew.
#[test]
fn a_run_that_knew_its_past_before_the_records_were_lost_hands_its_ledger_on() {
    let orders = orders_of_a_good_trial(vec![
        session(SPY, &[]),
        session(GLD, &[plans_late(), wiped(1_000)]),
        session(SPY, &[]),
    ]);
    assert_eq!(orders[1..3], [["sell SPY", "buy GLD"], ["sell GLD", "buy SPY"]]);
}

/// The contrary: what the final record was made from is lost.
#[test]
fn a_run_whose_plan_is_lost_among_its_orders_stops_every_session_after() {
    let orders = orders_of_a_good_trial(vec![
        session(SPY, &[]),
        session(GLD, &[wiped(500)]),
        session(SPY, &[]),
    ]);
    assert_eq!(orders[1], ["sell SPY", "buy GLD"]);
    assert_eq!(orders[2], Vec::<String>::new());
}

/// The contrary: nobody was at work, so nobody knows.
#[test]
fn records_lost_between_two_runs_stop_every_session_after() {
    let orders = orders_of_a_good_trial(vec![session(SPY, &[wiped(60_000)]), session(GLD, &[])]);
    assert_eq!(orders[0], ["buy SPY"]);
    assert_eq!(orders[1], Vec::<String>::new());
}

/// Found by seeds 104638, 105527 and 135058: a sale that nobody could see reached the exchange just
/// before its end was given up, and the purchases went out. The judge counted the patience from that
/// arrival, and then from the moment its second attempt left.
#[test]
fn a_sale_is_waited_for_from_the_moment_it_first_left() {
    for seed in [104_638, 105_527, 135_058] {
        assert_eq!(judged(&script(seed, None)).1, [], "seed {seed}");
    }
}

/// Found by seed 158917: a resume stood still for minutes with an order in hand, which left when its
/// plan was no longer good. The judge excused that for the close of the session, not for the plan.
#[test]
fn an_order_in_the_hand_of_a_process_that_stands_still_may_leave_after_its_plan() {
    assert_eq!(judged(&script(158_917, None)).1, []);
}

/// Found by seeds 158370 and 242450: a market that executes in ever smaller parts outlasted the last
/// attempt on a calm day. The judge expected the whole.
#[test]
fn the_last_attempt_may_end_before_the_last_part_is_executed() {
    for seed in [158_370, 242_450] {
        assert_eq!(judged(&script(seed, None)).1, [], "seed {seed}");
    }
}

/// Found by seeds 282705 and 301169: a run died with its plan, all records were lost, and another made
/// a plan of its own and sent that. The judge held it against the code and the age of the lost one.
#[test]
fn an_order_is_judged_by_the_plan_that_stood_when_it_left() {
    for seed in [282_705, 301_169] {
        assert_eq!(judged(&script(seed, None)).1, [], "seed {seed}");
    }
}

/// Found by seeds 251215 and 280568: a run stood still between its letter and the letter's record, and a second
/// delivery of its event saw a final record without a letter and sent it again. Whoever wrote the
/// final record a moment ago is now taken to be sending.
#[test]
fn a_letter_is_left_to_the_run_that_has_just_ended() {
    for seed in [251_215, 280_568] {
        assert_eq!(judged(&script(seed, None)).1, [], "seed {seed}");
    }
}

/// Found by seed 135226: two deliveries of one moment, both with too little time left to begin, each
/// mailed that nothing was done. Whoever comes second now leaves it to the first; where that one dies
/// before it has sent, the next does.
#[test]
fn a_letter_is_begun_by_one_of_two_deliveries_and_sent_by_a_later_one_if_that_dies() {
    let hurried = |after: u64, fate| {
        let lasts = Duration::from_secs(20);
        let delivery = Delivery { lasts, fate, ..Delivery::of(Task::Trade) };
        (after, What::Delivery(delivery))
    };
    let letters = |happenings: &[(u64, What)]| {
        let mut day = session(SPY, happenings);
        day.happenings.remove(0);
        let (truth, violations) = judged(&trial(vec![day]));
        assert_eq!(violations, []);
        let truth = truth.unwrap();
        truth.letters.iter().map(|sent| sent.letter.subject.clone()).collect::<Vec<String>>()
    };
    let said = "[PAPER BLOCKED] 17 Nov open: no orders, deadline";
    let both = letters(&[hurried(0, Fate::Lives), hurried(0, Fate::Lives)]);
    assert_eq!(both.iter().filter(|subject| *subject == said).count(), 1, "{both:?}");
    for call in 1..=12 {
        let killed = hurried(0, Fate::Killed { call, edge: Edge::After });
        for (later, at_most) in [(1_000, 1), (125_000, 2)] {
            let all = letters(&[killed.clone(), hurried(later, Fate::Lives)]);
            let count = all.iter().filter(|subject| *subject == said).count();
            let owed = usize::from(later > 120_000);
            assert!((owed..=at_most).contains(&count), "{call} {later}: {all:?}");
        }
    }
}

/// Found by seeds 125467 and 133834: two strategies were to enter what a surer one leaves. Their money stays cash,
/// as the policy says, and the judge took that for cash that nobody asked for.
#[test]
fn the_less_sure_side_of_a_conflict_waits_in_cash() {
    const HELD: &[(&str, &str)] = &[("UPRO", "0.6"), ("TLT", "0.4")];
    const BILLS: &[(&str, &str)] = &[("BIL", "1")];
    assert_eq!(judged(&script(133_834, None)).1, []);
    let day = |of: [&'static [(&'static str, &'static str)]; 3]| {
        let mut day = session(SPY, &[]);
        day.wishes = of.map(Wish::Weights).to_vec();
        day
    };
    let mut trial = trial(vec![day([SPY, HELD, HELD]), day([BILLS, SPY, SPY])]);
    trial.setting.strategies = vec![("a", "0.4"), ("b", "0.35"), ("c", "0.25")];
    trial.setting.policy = "conflict = \"highest-confidence\"\n";
    let (truth, violations) = judged(&trial);
    assert_eq!(violations, []);
    let truth = truth.unwrap();
    let second = truth.days[1].due;
    let orders = truth.world.orders();
    let of_second = orders.iter().filter(|order| order.created_at >= second);
    let lines: std::collections::BTreeSet<String> =
        of_second.map(|order| format!("{} {}", order.asked.side, order.symbol())).collect();
    assert_eq!(Vec::from_iter(lines), ["buy BIL", "sell SPY", "sell TLT", "sell UPRO"]);
}

/// Found by seed 109969: a process whose clock was 42 s behind stood still for 55 s while it asked the
/// broker for the time, and found its clock 13 s ahead.
#[test]
fn a_process_that_stands_still_while_it_asks_for_the_time_asks_again() {
    let mut planned = 0;
    for call in 1..=40 {
        for (skew, lasts) in [(42, 55), (-42, 55), (0, 28), (0, 55)] {
            let delivery = Delivery {
                fate: Fate::Frozen { call, lasts: Duration::from_secs(lasts) },
                skew: SignedDuration::from_secs(skew),
                ..Delivery::of(Task::Trade)
            };
            let mut day = session(SPY, &[]);
            day.happenings[0].what = What::Delivery(delivery);
            let (truth, violations) = judged(&trial(vec![day]));
            assert_eq!(violations, [], "{skew} s, call {call} {lasts} s");
            let traded = truth.is_some_and(|truth| !truth.world.orders().is_empty());
            assert!(!traded || skew == 0, "{skew} s, call {call}");
            planned += u32::from(traded);
        }
    }
    assert_eq!(planned, 80, "a clock that is right is enough, whenever the process stood still");
}

/// Found by seed 352003: the session was to close in two minutes, and a process whose clock was 21 s
/// behind still sent its orders.
#[test]
fn a_slow_clock_brings_no_order_nearer_to_the_close() {
    for (skew, seconds, trades) in
        [(-21, 120, false), (-29, 145, false), (0, 145, false), (29, 145, false), (-29, 200, true)]
    {
        let mut day = session(SPY, &[]);
        let skew = SignedDuration::from_secs(skew);
        day.happenings[0].what = What::Delivery(Delivery { skew, ..Delivery::of(Task::Trade) });
        let closes = What::Market(Turn::ClosesIn(Duration::from_secs(seconds)));
        day.happenings.insert(0, Happening { after: Duration::ZERO, what: closes });
        let (truth, violations) = judged(&trial(vec![day]));
        assert_eq!(violations, [], "{skew} off, {seconds} s");
        let traded = truth.is_some_and(|truth| !truth.world.orders().is_empty());
        assert_eq!(traded, trades, "{skew} off, {seconds} s");
    }
}

/// Found by seed 567088: two deliveries a second apart, by clocks that were a second more apart, were
/// refused in the same second of theirs, and their letters had one message id.
#[test]
fn two_that_are_refused_in_one_second_of_their_clocks_are_two_letters() {
    assert_eq!(judged(&script(567_088, None)).1, []);
    let delivery = |late: u64, skew: i64| Happening {
        after: Duration::from_secs(late),
        what: What::Delivery(Delivery {
            skew: SignedDuration::from_secs(skew),
            ..Delivery::of(Task::Trade)
        }),
    };
    let mut day = session(SPY, &[]);
    day.happenings = vec![delivery(0, -62), delivery(1, -63)];
    let (truth, violations) = judged(&trial(vec![day]));
    assert_eq!(violations, []);
    assert_eq!(truth.unwrap().letters.len(), 2);
}
