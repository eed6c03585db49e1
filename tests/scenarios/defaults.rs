//! Days that must trade at the limits the policy comes with: nothing is loosened here.
//!
//! Three strategies with the allocations of the policy, each holding its whole sleeve in one or
//! two funds, as they do.

use std::time::Duration;

use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::faults::{Fault, On, Trouble};

use crate::stage::Stage;
use crate::told::Told;

/// A strategy that cannot be evaluated: nobody has prices of what it looks at.
const FAILING: &str = "(defsymphony \"Test\" {} (if (> (current-price \"NONE\") 1) [(asset \"SPY\")] [(asset \"BIL\")]))";

fn stage() -> Stage {
    Stage::by_default().plays("nuclear", "0.3", "SPY").plays("tecl", "0.5", "QQQ").plays(
        "klm",
        "0.2",
        "GLD 0.5, TLT 0.5",
    )
}

/// The same a day later, with everything held.
async fn invested() -> Stage {
    let mut stage = stage();
    assert_eq!(stage.run().await.verdict(), Verdict::Done);
    stage.next_session();
    stage
}

/// Use of a limit: `98% of 100%`.
fn used(told: &Told, limit: &str) -> String {
    let line = told.report().limits.iter().find(|line| line.limit == limit).expect("a limit");
    format!("{} of {}", line.used, line.allowed)
}

fn none_broken(told: &Told) {
    let broken: Vec<_> = told.report().limits.iter().filter(|line| !line.within).collect();
    assert!(broken.is_empty(), "{broken:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn the_first_day_from_all_cash_buys_everything() {
    let stage = stage();
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]));
    assert_eq!(stage.account(), "GLD 49, QQQ 122.5, SPY 58.8, TLT 122.5, $2000");
    assert_eq!(used(&told, "limits.turnover_run_max"), "100% of 100%");
    assert_eq!(used(&told, "limits.turnover_day_max"), "100% of 200%");
    assert_eq!(used(&told, "limits.orders_run_max"), "4 of 40");
    assert_eq!(used(&told, "exposure"), "98% of 100%");
    none_broken(&told);
}

#[tokio::test(flavor = "current_thread")]
async fn a_full_flip_of_all_three_sells_and_buys_everything() {
    let stage = invested().await;
    stage.wants("nuclear", "BIL");
    stage.wants("tecl", "IEF");
    stage.wants("klm", "VTI");
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]));
    assert_eq!(stage.account(), "BIL 294, IEF 490, VTI 98, $2000");
    assert_eq!(used(&told, "limits.turnover_run_max"), "100% of 100%");
    assert_eq!(used(&told, "limits.turnover_day_max"), "200% of 200%");
    assert_eq!(used(&told, "attempts"), "7 of 28");
    none_broken(&told);
}

#[tokio::test(flavor = "current_thread")]
async fn one_failed_strategy_keeps_its_sleeve_and_the_others_trade() {
    for (failed, kept) in [("nuclear", "SPY"), ("tecl", "QQQ"), ("klm", "GLD")] {
        let stage = invested().await;
        for name in ["nuclear", "tecl", "klm"] {
            stage.wants(name, "BIL");
        }
        stage.says(failed, FAILING);
        let held = stage.world.position(kept);
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Done, "{failed}: {}", told.report().summary);
        assert_eq!(told.errors(), ["DATA strategy-data"], "{failed}");
        assert_eq!(stage.world.position(kept), held, "{failed}: a failure is no reason to sell");
        assert!(stage.world.position("BIL") > rust_decimal::Decimal::ZERO, "{failed}");
        none_broken(&told);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn two_failed_strategies_trade_nothing_beyond_half_of_the_allocation() {
    for (failed, verdict) in [
        (["nuclear", "klm"], Verdict::Done), // half of it, and not more
        (["nuclear", "tecl"], Verdict::Blocked),
        (["tecl", "klm"], Verdict::Blocked),
    ] {
        let stage = invested().await;
        for name in ["nuclear", "tecl", "klm"] {
            stage.wants(name, "BIL");
        }
        for name in failed {
            stage.says(name, FAILING);
        }
        let told = stage.run().await;
        assert_eq!(told.verdict(), verdict, "{failed:?}: {}", told.report().summary);
        let orders = if verdict == Verdict::Done { 2 } else { 0 };
        assert_eq!(stage.orders_today().len(), orders, "{failed:?}");
        let blocked = told.errors().contains(&"CRITICAL gate-failed-allocation".to_owned());
        assert_eq!(blocked, verdict == Verdict::Blocked, "{failed:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_day_of_half_in_a_held_symbol_is_traded() {
    // Thirty percent of the account in it: the account loses 15%, the market is real.
    let stage = invested().await;
    stage.world.set_price("SPY", "250");
    stage.wants("nuclear", "BIL");
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]));
    assert_eq!(stage.world.position("SPY"), rust_decimal::Decimal::ZERO, "it is sold at the price");
    assert_eq!(used(&told, "limits.daily_loss_max"), "14.7% of 35%");
    assert_eq!(used(&told, "limits.equity_jump_max"), "14.7% of 40%");
    none_broken(&told);
    // The strategy that holds half of the account: 24.5%, which is still traded.
    let stage = invested().await;
    stage.world.set_price("QQQ", "200");
    stage.wants("tecl", "BIL");
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]));
    assert_eq!(used(&told, "limits.daily_loss_max"), "24.5% of 35%");
    // All of it at once: 49% is beyond what is believed without a person.
    let stage = invested().await;
    for (symbol, half) in [("SPY", "250"), ("QQQ", "200"), ("GLD", "100"), ("TLT", "40")] {
        stage.world.set_price(symbol, half);
    }
    stage.wants("tecl", "BIL");
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CRITICAL gate-daily-loss", "CRITICAL gate-equity-jump"]);
    assert_eq!(stage.orders_today(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_at_twenty_minutes_makes_the_plan_and_trades_it() {
    let stage = stage();
    stage
        .world
        .fault(Fault::request(On::new(Method::Get, "/v2/account").always(), Trouble::NoConnection));
    assert_eq!(stage.run().await.verdict(), Verdict::Failed);
    stage.world.clear_faults();
    let late = stage.event(RunAction::Trade).scheduled_for + Duration::from_mins(20);
    stage.world.advance_to(late);
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]));
    assert_eq!(stage.account(), "GLD 49, QQQ 122.5, SPY 58.8, TLT 122.5, $2000");
}

mod shared {
    use alchemiser::simulator::market::folder;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn the_panic_of_august_2024_is_traded_on_real_closes() {
        let root = std::env::var_os("ALCHEMISER_SHARED").map_or_else(
            || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
            std::path::PathBuf::from,
        );
        let alias =
            (alchemiser::domain::symbol::Symbol::parse("FNGU").unwrap(), "FNGU_EXT".to_owned());
        let market = folder(&root.join("data/prices"), &[alias].into()).unwrap();
        let mut stage = Stage::by_default_in(market, "2024-08-02T13:35:00Z");
        for (day, orders, turnover, jump) in [
            ("2024-08-02", 5, "100% of 100%", None),
            ("2024-08-05", 6, "30.4% of 100%", Some("1.7% of 40%")),
            ("2024-08-06", 7, "80% of 100%", Some("3.7% of 40%")),
        ] {
            stage.goes_to(day.parse().unwrap());
            let told = stage.run().await;
            assert_eq!((told.verdict(), told.incidents()), (Verdict::Done, vec![]), "{day}");
            assert_eq!(stage.orders_today().len(), orders, "{day}");
            assert_eq!(used(&told, "limits.turnover_run_max"), turnover, "{day}");
            if let Some(jump) = jump {
                assert_eq!(used(&told, "limits.equity_jump_max"), jump, "{day}");
            }
            none_broken(&told);
        }
    }
}
