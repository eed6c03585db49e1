//! The account itself: may it trade, is it what we think it is, and has it lost too much?
//!
//! Losses are net of what was paid in or out, else a withdrawal would look like a crash. They
//! stop new orders and sell nothing: getting out is the strategies' business.

use rust_decimal::Decimal;

use crate::domain::account::{AccountBlock, Activity};
use crate::domain::money::Usd;
use crate::domain::plan::RebalancePlan;
use crate::domain::policy::Policy;
use crate::domain::report::LimitUse;
use crate::domain::risk::Findings;
use crate::domain::risk::limits::fraction;
use crate::domain::sleeve::fold::transfers;
use crate::domain::snapshot::{Known, Past, Snapshot};

/// Checks permissions, money and losses.
pub(super) fn check(
    plan: &RebalancePlan,
    snapshot: &Snapshot,
    policy: &Policy,
    findings: &mut Findings,
) {
    for block in &snapshot.account.blocks {
        findings.require(false, "account-blocked", || describe(block));
    }
    money(plan, policy, findings);
    daily_loss(snapshot, policy, findings);
    if let Past::Known(known) = &snapshot.past {
        since_earlier_runs(known, snapshot, policy, findings);
    }
}

fn describe(block: &AccountBlock) -> String {
    match block {
        AccountBlock::NotActive(status) => format!("the account's status is {status}, not active"),
        AccountBlock::TradingBlocked => "the broker blocked trading in the account".to_owned(),
        AccountBlock::AccountBlocked => "the broker blocked the account".to_owned(),
        AccountBlock::SuspendedByOwner => {
            "the owner suspended trading in the account at the broker".to_owned()
        }
    }
}

fn money(plan: &RebalancePlan, policy: &Policy, findings: &mut Findings) {
    let capital = &plan.capital;
    findings.require(capital.cash >= -capital.resize_min, "cash-negative", || {
        format!("cash is {}, below {}", capital.cash, -capital.resize_min)
    });
    findings.limit(
        "equity-minimum",
        LimitUse {
            limit: "minimum_equity".to_owned(),
            what: "smallest equity traded, of what is managed".to_owned(),
            used: policy.minimum_equity.to_string(),
            allowed: capital.equity.round_cents().to_string(),
            within: capital.equity >= policy.minimum_equity,
        },
    );
    // Without the capital limit and foreign open buys, which the broker's figure leaves in.
    let ours = capital.cash + capital.sleeves + capital.foreign;
    let off = (ours - capital.broker_equity).abs();
    match off.ratio_to(capital.broker_equity) {
        Some(share) if capital.broker_equity.is_positive() => findings.limit(
            "equity-mismatch",
            fraction(
                "equity_mismatch_max",
                "our equity against the broker's",
                share,
                policy.limits.equity_mismatch_max,
            ),
        ),
        Some(_) | None => findings.require(false, "equity-mismatch", || {
            format!("the broker's equity is {}, ours {ours}", capital.broker_equity)
        }),
    }
}

/// Loss since the previous close, net of what was paid in or out since.
fn daily_loss(snapshot: &Snapshot, policy: &Policy, findings: &mut Findings) {
    let Some(before) = snapshot.account.equity_before else { return };
    let close = snapshot.calendar.before(snapshot.session.date).map(|session| session.close);
    let paid: Usd = snapshot
        .activities
        .iter()
        .filter(|activity| close.is_some_and(|close| activity.at > close))
        .filter_map(Activity::transfer)
        .sum();
    let loss = loss(before + paid, snapshot.account.equity);
    let line = fraction(
        "daily_loss_max",
        "loss since the previous close",
        loss,
        policy.limits.daily_loss_max,
    );
    findings.limit("daily-loss", line);
}

/// Drawdown from the highest and jump from the last recorded equity, both net of transfers.
fn since_earlier_runs(
    known: &Known,
    snapshot: &Snapshot,
    policy: &Policy,
    findings: &mut Findings,
) {
    let now = snapshot.account.equity;
    let paid_lately = transfers(&known.ledger, snapshot);
    // What was paid in after a point is added to it: the equity it would be without any result.
    let comparable: Vec<Usd> = known
        .equity
        .iter()
        .map(|point| {
            let later = known.transfers.iter().filter(|(session, _)| **session > point.session);
            point.equity + later.map(|(_, amount)| *amount).sum() + paid_lately
        })
        .collect();
    let highest = comparable.iter().copied().max();
    if let Some(highest) = highest {
        let most = policy.limits.drawdown_max;
        let what = "loss from the highest equity";
        findings.limit("drawdown", fraction("drawdown_max", what, loss(highest, now), most));
    }
    if let Some(last) = comparable.last() {
        let jump = (now - *last).abs().ratio_to(last.abs()).unwrap_or(Decimal::ONE);
        let line = fraction(
            "equity_jump_max",
            "change of equity since the last run",
            jump,
            policy.limits.equity_jump_max,
        );
        findings.limit("equity-jump", line);
    }
}

/// The fraction lost; nothing when there is a gain, all when there was nothing to lose.
fn loss(before: Usd, now: Usd) -> Decimal {
    if now >= before {
        Decimal::ZERO
    } else if before.is_positive() {
        (before - now).ratio_to(before).unwrap_or(Decimal::ONE)
    } else {
        Decimal::ONE
    }
}
