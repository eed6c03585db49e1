//! What the market or the broker shows wrong: short and stale bars, quotes, account, money.

use std::sync::Arc;

use alchemiser::domain::incident::Category::{Critical, Data, Trading};
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::faults::{Fault, On, Trouble};
use alchemiser::simulator::world::World;
use jiff::civil::date;
use rust_decimal::Decimal;

use crate::scene::{Scene, market};

const TREND: &str = "(defsymphony \"Trend\" {} (if (> (current-price \"SPY\") \
                     (moving-average-price \"SPY\" {:window 200})) [(asset \"SPY\")] [(asset \"BIL\")]))";
const CALM: &str = "(defsymphony \"Calm\" {} (asset \"BIL\"))";

#[tokio::test]
async fn too_few_bars_hold_the_strategy_and_say_how_many_are_missing() {
    let closes: Vec<f64> = (0..50).map(|day| 600.0 + f64::from(day)).collect();
    let world = World::builder().closes("SPY", &closes).price("BIL", "91").build();
    let scene = Scene::of(world, TREND);
    let told = scene.trade().await;
    let words = ["mine has no signal: too few closes for SPY", "needs 200, have 50"];
    told.says("blocked", (Data, "strategy-data"), &words);
    assert!(scene.world.orders().is_empty());
}

#[tokio::test]
async fn a_stale_last_bar_holds_the_strategy_and_names_both_days() {
    let scene = Scene::of(market().build(), TREND);
    scene.world.end_bars("SPY", Some(date(2026, 11, 18)));
    let told = scene.trade().await;
    let words = ["stale closes for SPY: last 2026-11-18, expected 2026-11-19"];
    told.says("blocked", (Data, "strategy-data"), &words);
    assert!(scene.world.orders().is_empty());
}

#[tokio::test]
async fn a_symbol_without_any_bar_is_named() {
    let world = World::builder().price("BIL", "91").build();
    let scene = Scene::of(world, TREND);
    let told = scene.trade().await;
    told.says("blocked", (Data, "strategy-data"), &["no closes for SPY"]);
    assert!(scene.world.orders().is_empty());
}

/// Quotes that are none: no ask, a zero one, crossed, far apart.
const NO_QUOTES: [(&str, &str); 4] = [("91", "0"), ("91", ""), ("92", "91"), ("80", "91")];

#[tokio::test]
async fn without_a_quote_or_a_fresh_trade_a_symbol_is_not_traded() {
    for (bid, ask) in NO_QUOTES {
        let scene = Scene::of(market().quote("BIL", bid, ask).build(), CALM);
        let old = |body: String| body.replace("2026-11-20T14:", "2026-11-20T13:");
        let on = On::new(Method::Get, "/v2/stocks/trades/latest").always();
        scene.world.fault(Fault::request(on, Trouble::Rewrite(Arc::new(old))));
        let told = scene.trade().await;
        let words = ["BIL has no price to trade on", "the rest is traded"];
        told.says("nothing-to-do", (Data, "quote-unusable"), &words);
        assert!(scene.world.orders().is_empty(), "{bid}/{ask}");
    }
}

#[tokio::test]
async fn without_a_quote_the_last_trade_bounds_what_is_paid() {
    for (bid, ask) in NO_QUOTES {
        let scene = Scene::of(market().quote("BIL", bid, ask).build(), CALM);
        let price = scene.world.price("BIL").unwrap();
        scene.trade().await;
        for order in scene.world.orders() {
            let limit = order.asked.kind.limit().unwrap();
            assert!(limit <= price * Decimal::new(1015, 3), "{bid}/{ask}: {limit}");
        }
    }
}

#[tokio::test]
async fn a_blocked_account_sends_nothing_and_asks_for_a_person() {
    for block in ["trading", "account", "status"] {
        let scene = Scene::of(market().build(), CALM);
        scene.world.exchange(|exchange| match block {
            "trading" => exchange.identity.trading_blocked = true,
            "account" => exchange.identity.account_blocked = true,
            _ => exchange.identity.status = "ACCOUNT_CLOSED".to_owned(),
        });
        let told = scene.trade().await;
        told.says("blocked", (Critical, "gate-account-blocked"), &["No order is sent"]);
        assert!(scene.world.orders().is_empty(), "{block}");
    }
}

#[tokio::test]
async fn an_order_refused_for_want_of_funds_is_a_trading_incident_in_the_brokers_words() {
    let scene = Scene::of(market().cash("50000").build(), CALM);
    // The account shows twice the cash there is, as a broker's figure of an earlier moment may.
    let double = |body: String| body.replace("\"50000\"", "\"100000\"");
    let on = On::new(Method::Get, "/v2/account").always();
    scene.world.fault(Fault::request(on, Trouble::Rewrite(Arc::new(double))));
    let told = scene.trade().await;
    let words = ["buy BIL: 0 of", "refused: insufficient buying power"];
    told.says("failed", (Trading, "order-not-filled"), &words);
    told.says("failed", (Critical, "most-orders-failed"), &["over half of the orders"]);
    assert!(scene.world.orders().is_empty(), "the exchange took none in");
    assert!(told.mails[0].subject.contains("0/1 filled"), "{}", told.mails[0].subject);
}
