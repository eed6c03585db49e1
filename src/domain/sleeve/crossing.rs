//! Shares that pass between sleeves without an order, at the plan's reference price.
//!
//! Where due sleeves want both sides of a symbol, the smaller side is met in full and the larger
//! pro rata, so that one order on one side remains. What is left of an exit and worth less than
//! a resize passes to a sleeve that keeps the symbol instead of to the market.

use crate::domain::money::{Price, Shares, Usd};
use crate::domain::plan::{Conflict, Crossing, Part};
use crate::domain::policy::ConflictRule;
use crate::domain::run::StrategyName;
use crate::domain::sleeve::attribution::share_out;
use crate::domain::symbol::Symbol;

/// A receiver of an exit's remainder stays this much below a resize, so that it keeps it.
const SLACK_MARGIN: Usd = Usd::cents(1);

/// One due sleeve's stand on a symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct Stand {
    /// The sleeve.
    pub strategy: StrategyName,
    /// Shares it owns.
    pub held: Shares,
    /// Shares it wants.
    pub want: Shares,
    /// Money it aims at.
    pub aim: Usd,
    /// It wants to be rid of the symbol altogether.
    pub exit: bool,
    /// How sure its strategy is; `None` for a sleeve without a strategy.
    pub opinion: Option<Option<f64>>,
    /// Its wish was put off.
    pub waits: bool,
}

/// How the stands on a symbol were brought together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Netted {
    /// Shares that passed between sleeves.
    pub crossings: Vec<Crossing>,
    /// What remains to be sold, by sleeve.
    pub sells: Vec<Part>,
    /// What remains to be bought, by sleeve; empty unless `sells` is.
    pub buys: Vec<Part>,
    /// The conflict, if sleeves wanted both sides.
    pub conflict: Option<Conflict>,
}

/// What all of them have in common.
#[derive(Debug, Clone)]
pub struct Cross<'a> {
    /// Ticker.
    pub symbol: &'a Symbol,
    /// The plan's reference price.
    pub price: Price,
    /// The policy's rule for conflicts.
    pub rule: ConflictRule,
    /// m.
    pub resize_min: Usd,
}

/// Brings the due sleeves' stands on a symbol together. Changes the wants of those that wait or
/// take over an exit's remainder; `stands` are in the policy's order.
pub fn net(cross: &Cross<'_>, stands: &mut [Stand]) -> Netted {
    let conflict = settle_conflict(cross, stands);
    let sells: Vec<Shares> = stands.iter().map(|s| s.held.minus_at_most(s.want)).collect();
    let buys: Vec<Shares> = stands.iter().map(|s| s.want.minus_at_most(s.held)).collect();
    let crossed = sum(&sells).min(sum(&buys));
    let (gives, takes) = (share_out(crossed, &sells), share_out(crossed, &buys));
    let mut crossings = pair(cross, stands, &gives, &takes);
    let mut sells = left(&sells, &gives);
    let (gives, takes) = pass_on(cross, stands, &sells);
    crossings.extend(pair(cross, stands, &gives, &takes));
    sells = left(&sells, &gives);
    for (stand, more) in stands.iter_mut().zip(&takes) {
        stand.want += *more;
    }
    let after = left(&buys, &share_out(crossed, &buys));
    Netted { crossings, sells: parts(stands, &sells), buys: parts(stands, &after), conflict }
}

fn sum(shares: &[Shares]) -> Shares {
    shares.iter().copied().sum()
}

fn left(wanted: &[Shares], met: &[Shares]) -> Vec<Shares> {
    wanted.iter().zip(met).map(|(wanted, met)| wanted.minus_at_most(*met)).collect()
}

fn parts(stands: &[Stand], shares: &[Shares]) -> Vec<Part> {
    let all = stands.iter().zip(shares).filter(|(_, shares)| !shares.is_zero());
    all.map(|(stand, shares)| Part { strategy: stand.strategy.clone(), shares: *shares }).collect()
}

/// Pairs givers with takers in order; both sides sum to the same.
fn pair(cross: &Cross<'_>, stands: &[Stand], gives: &[Shares], takes: &[Shares]) -> Vec<Crossing> {
    let mut receivers: Vec<Part> = parts(stands, takes);
    receivers.reverse();
    let mut crossings = Vec::new();
    for Part { strategy: from, shares: mut give } in parts(stands, gives) {
        while let Some(receiver) = receivers.last_mut().filter(|_| !give.is_zero()) {
            let shares = give.min(receiver.shares);
            crossings.push(Crossing {
                symbol: cross.symbol.clone(),
                from: from.clone(),
                to: receiver.strategy.clone(),
                shares,
                price: cross.price,
            });
            give = give.minus_at_most(shares);
            receiver.shares = receiver.shares.minus_at_most(shares);
            if receiver.shares.is_zero() {
                receivers.pop();
            }
        }
    }
    crossings
}

/// What exits still have to sell passes to sleeves that keep the symbol, if it is worth less
/// than a resize in all and every receiver stays within one.
fn pass_on(cross: &Cross<'_>, stands: &[Stand], sells: &[Shares]) -> (Vec<Shares>, Vec<Shares>) {
    let none = || vec![Shares::ZERO; stands.len()];
    let gives: Vec<Shares> = stands
        .iter()
        .zip(sells)
        .map(|(stand, shares)| if stand.exit { *shares } else { Shares::ZERO })
        .collect();
    let mut rest = sum(&gives);
    if rest * cross.price >= cross.resize_min {
        return (none(), none());
    }
    let takes = stands
        .iter()
        .map(|stand| {
            let keeps = !stand.exit && !stand.want.is_zero() && stand.want >= stand.held;
            let above = stand.want * cross.price - stand.aim;
            let slack = (cross.resize_min - SLACK_MARGIN - above).at_least_zero();
            let room = if keeps { slack.shares_at(cross.price) } else { Shares::ZERO };
            let take = room.min(rest);
            rest = rest.minus_at_most(take);
            take
        })
        .collect();
    if rest.is_zero() { (gives, takes) } else { (none(), none()) }
}

/// Lists a conflict and, if the policy says so, makes its less sure side wait.
///
/// A sleeve without a strategy has no opinion: it takes part in the crossing and never waits.
fn settle_conflict(cross: &Cross<'_>, stands: &mut [Stand]) -> Option<Conflict> {
    let sells: Vec<Shares> = stands.iter().map(|s| s.held.minus_at_most(s.want)).collect();
    let buys: Vec<Shares> = stands.iter().map(|s| s.want.minus_at_most(s.held)).collect();
    let (sellers, buyers) = (parts(stands, &sells), parts(stands, &buys));
    if sellers.is_empty() || buyers.is_empty() {
        return None;
    }
    let outcome = match cross.rule {
        ConflictRule::Net => "shares pass between the sleeves, the rest is one order".to_owned(),
        ConflictRule::HighestConfidence => match less_sure(stands, &sells, &buys) {
            None => "only one side has an opinion, shares pass between the sleeves".to_owned(),
            Some((word, losers)) => {
                for index in losers {
                    stands[index].want = stands[index].held;
                    stands[index].waits = true;
                }
                format!("the {word} are less sure and wait")
            }
        },
    };
    Some(Conflict { symbol: cross.symbol.clone(), sellers, buyers, outcome })
}

/// The side whose surest strategy is less sure than the other's; on a tie the side without the
/// first of them in the policy's order. `None` unless both sides have an opinion.
fn less_sure(
    stands: &[Stand],
    sells: &[Shares],
    buys: &[Shares],
) -> Option<(&'static str, Vec<usize>)> {
    let side = |shares: &[Shares]| -> Vec<usize> {
        let opinionated = |index: &usize| stands[*index].opinion.is_some();
        (0..stands.len()).filter(|i| !shares[*i].is_zero()).filter(opinionated).collect()
    };
    let (sellers, buyers) = (side(sells), side(buys));
    let (first_seller, first_buyer) = (*sellers.first()?, *buyers.first()?);
    let surest = |side: &[usize]| {
        let all = side.iter().filter_map(|index| stands[*index].opinion.flatten());
        all.fold(f64::NEG_INFINITY, f64::max)
    };
    let buyers_win = match surest(&buyers).total_cmp(&surest(&sellers)) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => first_buyer < first_seller,
    };
    Some(if buyers_win { ("sellers", sellers) } else { ("buyers", buyers) })
}
