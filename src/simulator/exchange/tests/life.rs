//! From submission to the end.

use super::*;

#[test]
fn an_order_in_session_is_pending_then_new_then_filled_at_the_touch() {
    let mut floor = Floor::at(SESSION);
    let at = floor.submit(buy("2", "601")).unwrap();
    assert_eq!(floor.status(at), Status::PendingNew);
    floor.pass(20);
    assert_eq!(floor.status(at), Status::New);
    floor.pass(500);
    assert_eq!(floor.status(at), Status::Filled);
    assert_eq!(floor.order(at).average(), Some(decimal("600.12")));
    assert_eq!(floor.exchange.book().cash, decimal("8799.76"));
    assert_eq!(floor.events(), ["pending_new", "new", "fill"]);
    let codes: Vec<&str> = floor.exchange.activities().iter().map(Activity::code).collect();
    assert_eq!(codes, ["FILL"]);
}

#[test]
fn a_limit_below_the_bid_rests_until_the_price_comes_to_it() {
    let mut floor = Floor::at(SESSION);
    let at = floor.submit(buy("1", "590")).unwrap();
    floor.pass(60_000);
    assert_eq!(floor.status(at), Status::New);
    floor.move_to("SPY", 588.0);
    floor.pass(1_000);
    assert_eq!(floor.status(at), Status::Filled);
    assert!(floor.order(at).average().unwrap() < decimal("588.5"), "price improvement");
}

#[test]
fn a_limit_inside_the_spread_is_met_sooner_or_later_by_the_seed() {
    let fills = Fills { inside_spread: 0.2, ..Fills::plain() };
    let mut floor = Floor::with(Rules { fills, ..plain() }, SESSION);
    let placed: Vec<usize> = (0..8).map(|_| floor.submit(buy("1", "600")).unwrap()).collect();
    floor.pass(3_000);
    let met = placed.iter().filter(|at| floor.status(**at) == Status::Filled).count();
    assert!((1..8).contains(&met), "{met} of 8 within three seconds");
    floor.pass(120_000);
    assert!(placed.iter().all(|at| floor.status(*at) == Status::Filled));
    assert_eq!(floor.order(placed[0]).average(), Some(decimal("600")), "at its own limit");
}

#[test]
fn with_no_chance_inside_the_spread_a_limit_there_waits_for_the_touch() {
    let mut floor = Floor::at(SESSION);
    let at = floor.submit(buy("1", "600")).unwrap();
    floor.pass(600_000);
    assert_eq!(floor.status(at), Status::New);
}

#[test]
fn partial_fills_add_up_to_the_order_and_carry_its_running_totals() {
    let fills = Fills { partial: 1.0, ..Fills::plain() };
    let mut floor = Floor::with(Rules { fills, ..plain() }, SESSION);
    let at = floor.submit(buy("10", "601")).unwrap();
    floor.pass(20_000);
    assert_eq!((floor.status(at), floor.order(at).filled), (Status::Filled, decimal("10")));
    let executed: Vec<Decimal> =
        floor.exchange.updates().iter().filter_map(|u| Some(u.execution.as_ref()?.qty)).collect();
    assert!(executed.len() > 1 && executed.iter().all(|qty| qty.fract().is_zero()));
    assert_eq!(executed.iter().sum::<Decimal>(), decimal("10"));
    let last = floor.exchange.activities().last().unwrap();
    assert!(matches!(&last.entry, Entry::Fill(fill) if fill.leaves.is_zero()));
}

#[test]
fn a_cancellation_takes_a_moment_and_leaves_what_was_filled() {
    let mut floor = Floor::at(SESSION);
    let at =
        floor.troubled(buy("10", "601"), OrderTrouble::PartialThenStop { part: decimal("0.4") });
    floor.pass(2_000);
    assert_eq!((floor.status(at), floor.order(at).filled), (Status::PartiallyFilled, decimal("4")));
    floor.cancel(at).unwrap();
    assert_eq!(floor.status(at), Status::PendingCancel);
    floor.cancel(at).unwrap();
    floor.pass(100);
    assert_eq!((floor.status(at), floor.order(at).filled), (Status::Canceled, decimal("4")));
    let refusal = floor.cancel(at).unwrap_err();
    assert_eq!(
        (refusal.status, refusal.message.as_str()),
        (422, "order is already in \"canceled\" state")
    );
}

#[test]
fn a_fill_can_win_the_race_against_a_cancellation() {
    let mut floor = Floor::at(SESSION);
    let at = floor.troubled(buy("1", "590"), OrderTrouble::FilledOnCancel);
    floor.pass(1_000);
    floor.cancel(at).unwrap();
    floor.pass(200);
    assert_eq!(
        (floor.status(at), floor.exchange.book().qty(&symbol("SPY"))),
        (Status::Filled, decimal("1"))
    );
    assert_eq!(floor.cancel(at).unwrap_err().message, "order is already in \"filled\" state");
}

#[test]
fn orders_can_freeze_be_rejected_later_or_never_end() {
    let mut floor = Floor::at(SESSION);
    let frozen = floor.troubled(buy("1", "601"), OrderTrouble::Frozen);
    let rejected = floor.troubled(buy("1", "601"), OrderTrouble::RejectedLater);
    let stuck = floor.troubled(buy("1", "590"), OrderTrouble::CancelStuck);
    floor.pass(5_000);
    assert_eq!(floor.status(frozen), Status::PendingNew);
    assert_eq!(floor.status(rejected), Status::Rejected);
    assert!(floor.order(rejected).failed_at.is_some());
    floor.cancel(stuck).unwrap();
    floor.cancel(frozen).unwrap();
    floor.pass(60_000);
    assert_eq!(
        (floor.status(stuck), floor.status(frozen)),
        (Status::PendingCancel, Status::Canceled)
    );
}

#[test]
fn a_day_order_expires_at_the_close_even_on_a_half_day() {
    let mut floor = Floor::at("2026-11-27T16:00:00Z");
    let at = floor.submit(buy("1", "500")).unwrap();
    assert_eq!(floor.order(at).expires_at.to_string(), "2026-11-27T18:00:00Z");
    floor.go_to("2026-11-27T18:00:00Z".parse().unwrap());
    assert_eq!(floor.status(at), Status::Expired);
}

#[test]
fn an_order_taken_in_while_closed_waits_for_the_next_open() {
    let mut floor = Floor::at(EVENING);
    let at = floor.submit(buy("0.5", "601")).unwrap();
    assert_eq!(floor.status(at), Status::Accepted);
    assert_eq!(floor.order(at).expires_at.to_string(), "2026-11-23T21:00:00Z");
    floor.go_to("2026-11-23T14:30:01Z".parse().unwrap());
    assert_eq!(floor.status(at), Status::Accepted);
    floor.go_to("2026-11-23T14:30:03Z".parse().unwrap());
    assert_eq!(floor.status(at), Status::Filled);
    let other = floor.submit(buy("1", "601")).unwrap();
    assert_eq!(floor.status(other), Status::PendingNew);
}

#[test]
fn an_accepted_order_is_cancelled_at_once_and_once_more_without_complaint() {
    let mut floor = Floor::at(EVENING);
    let at = floor.submit(buy("1", "601")).unwrap();
    floor.cancel(at).unwrap();
    assert_eq!(floor.status(at), Status::Canceled);
    floor.cancel(at).unwrap();
    floor.go_to("2026-11-23T16:00:00Z".parse().unwrap());
    assert_eq!(floor.status(at), Status::Canceled, "never released");
}

#[test]
fn a_halted_symbol_executes_nothing_until_it_resumes() {
    let mut floor = Floor::at(SESSION);
    floor.market.halt(&symbol("SPY"), Some(floor.now));
    let at = floor.submit(buy("1", "601")).unwrap();
    floor.pass(60_000);
    assert_eq!(floor.status(at), Status::New);
    floor.market.halt(&symbol("SPY"), None);
    floor.exchange.reprice(&symbol("SPY"), floor.now);
    floor.pass(1_000);
    assert_eq!(floor.status(at), Status::Filled);
}

#[test]
fn a_side_that_nobody_offers_executes_nothing() {
    let mut floor = Floor::at(SESSION);
    let quote = FixedQuote { bid: Some(decimal("599")), ask: None, at: None };
    floor.market.fix_quote(&symbol("SPY"), Some(quote));
    let at = floor.submit(buy("1", "700")).unwrap();
    floor.pass(60_000);
    assert_eq!(floor.status(at), Status::New);
}
