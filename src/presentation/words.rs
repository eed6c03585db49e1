//! The domain's enums in the operator's words.

use crate::domain::incident::Category;
use crate::domain::market::UnusableQuote;
use crate::domain::order::{AttemptState, Side};
use crate::domain::plan::{DueReason, HeldReason, HoldReason, SkipReason, SleeveState};
use crate::domain::report::Verdict;
use crate::domain::revision::Gap;
use crate::domain::run::{Mode, RunAction};
use crate::domain::strategy::StrategyError;
use crate::presentation::figures::{count, day, price};
use crate::presentation::line::clip;
use crate::presentation::sheet::Tone;

/// Longest name of a group or function inside a sentence.
const NAME_MAX: usize = 80;
/// Longest message of another part inside a sentence.
const MESSAGE_MAX: usize = 240;

/// The colour of a verdict.
pub(crate) const fn verdict_tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Done | Verdict::NothingToDo => Tone::Good,
        Verdict::Closed | Verdict::Preview => Tone::Quiet,
        Verdict::Blocked | Verdict::Partial => Tone::Look,
        Verdict::Failed | Verdict::Unknown => Tone::Bad,
    }
}

/// The colour of an incident.
pub(crate) const fn category_tone(category: Category) -> Tone {
    match category {
        Category::Critical | Category::Configuration => Tone::Bad,
        Category::Trading | Category::Data | Category::Strategy | Category::Notification => {
            Tone::Look
        }
        Category::Warning => Tone::Quiet,
    }
}

/// `Paper` or `Live`.
pub(crate) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Paper => "Paper",
        Mode::Live => "Live",
    }
}

/// What a run was asked to do.
pub(crate) const fn action(action: RunAction) -> &'static str {
    match action {
        RunAction::Trade => "trade",
        RunAction::Preview => "preview, no orders",
        RunAction::Resume => "finish a run that was left open",
    }
}

/// `Sell` or `Buy`.
pub(crate) const fn side(side: Side) -> &'static str {
    match side {
        Side::Sell => "Sell",
        Side::Buy => "Buy",
    }
}

/// Where an attempt stands.
pub(crate) const fn attempt(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Drafted => "not sent",
        AttemptState::Sent => "sent, no answer seen",
        AttemptState::Working => "still open",
        AttemptState::Cancelling => "cancel asked for, still open",
        AttemptState::Filled => "filled",
        AttemptState::Cancelled => "cancelled",
        AttemptState::Expired => "expired",
        AttemptState::Rejected => "rejected",
        AttemptState::Refused => "refused",
        AttemptState::Unknown => "UNKNOWN",
    }
}

/// Whether a sleeve trades today, and why.
pub(crate) fn sleeve_state(state: &SleeveState) -> String {
    match state {
        SleeveState::Due(why) => format!("due: {}", due(why)),
        SleeveState::Held(why) => format!("held: {}", held(why)),
    }
}

fn due(why: &DueReason) -> String {
    match why {
        DueReason::EverySession => "trades every session".to_owned(),
        DueReason::NewPeriod => "first session of its new period".to_owned(),
        DueReason::FirstTime => "never rebalanced before".to_owned(),
        DueReason::NewSymbol(symbol) => format!("the signal now names {symbol}"),
        DueReason::Leftover(symbol) => format!("holds {symbol}, which the signal does not name"),
        DueReason::Drift(symbol) => format!("{symbol} drifted beyond the threshold"),
        DueReason::AllocationChanged => "its allocation changed".to_owned(),
        DueReason::StrategyChanged => "the strategy's text changed".to_owned(),
        DueReason::Unfinished => "its last rebalance was not finished".to_owned(),
        DueReason::GivenUp => "no allocation any more, being passed on or sold".to_owned(),
    }
}

const fn held(why: &HeldReason) -> &'static str {
    match why {
        HeldReason::NotDue => "nothing calls for a rebalance today",
        HeldReason::Failed => "the strategy gave no signal, so nothing is sold",
        HeldReason::TouchedByHand => "its shares were moved by hand, held for one run",
    }
}

/// Why a symbol needs no order.
pub(crate) const fn hold(why: &HoldReason) -> &'static str {
    match why {
        HoldReason::OnTarget => "on target",
        HoldReason::BelowResize => "the change is too small to be worth an order",
        HoldReason::SleeveHeld => "its sleeve is held today",
        HoldReason::Crossed => "all of it passed between strategies",
        HoldReason::Conflict => "the less sure strategy waits",
    }
}

/// Why a wanted order is not sent.
pub(crate) fn skip(why: &SkipReason) -> String {
    match why {
        SkipReason::UnusableQuote(quote) => unusable(quote),
        SkipReason::NotTradable => "the broker does not trade it".to_owned(),
        SkipReason::SplitSuspect => {
            "its price jumped as in a split that no corporate action confirms".to_owned()
        }
        SkipReason::ForeignOrder => "an order that is not ours is open in it".to_owned(),
        SkipReason::BelowMinimum => "the order would be below $5".to_owned(),
        SkipReason::WholeShares => "less than one whole share, and it trades whole".to_owned(),
        SkipReason::Dust => "what is left cannot be sold".to_owned(),
        SkipReason::Budget => "the budget left nothing for it".to_owned(),
    }
}

fn unusable(quote: &UnusableQuote) -> String {
    match quote {
        UnusableQuote::Missing => "no quote and no fresh trade".to_owned(),
        UnusableQuote::OneSided => "one-sided quote and no fresh trade".to_owned(),
        UnusableQuote::Crossed { bid, ask } => {
            format!("crossed quote, bid {} over ask {}", price(*bid), price(*ask))
        }
        UnusableQuote::Stale { seconds } => format!("quote is {seconds} s old"),
        UnusableQuote::Wide { bid, ask } => {
            format!("spread too wide, bid {} ask {}", price(*bid), price(*ask))
        }
    }
}

/// Why a strategy has no signal.
pub(crate) fn strategy_error(error: &StrategyError) -> String {
    match error {
        StrategyError::NoHistory { symbol } => format!("No closes for {symbol}."),
        StrategyError::TooShort { symbol, what, needed, have } => format!(
            "Too few closes for {}: {} needs {needed}, there are {have}.",
            clip(symbol, NAME_MAX),
            clip(what, NAME_MAX)
        ),
        StrategyError::Stale { symbol, last, expected } => format!(
            "Old closes for {symbol}: the last is of {}, expected {}.",
            day(*last),
            day(*expected)
        ),
        StrategyError::NotFinite { symbol, what } => {
            format!("{} of {} is not a number.", clip(what, NAME_MAX), clip(symbol, NAME_MAX))
        }
        StrategyError::Timeout { steps } => format!("Evaluation stopped after {steps} steps."),
        StrategyError::Empty => "The strategy named nothing to hold.".to_owned(),
        StrategyError::InvalidWeights { reason } => {
            format!("Invalid weights: {}.", clip(reason, MESSAGE_MAX))
        }
        StrategyError::Unreadable { reason } => {
            format!("Its text cannot be read: {}.", clip(reason, MESSAGE_MAX))
        }
    }
}

/// What an incident's category means for the reader.
pub(crate) const fn category(category: Category) -> &'static str {
    match category {
        Category::Critical => "trading stopped or its outcome is unknown",
        Category::Configuration => "the settings or the event are wrong",
        Category::Trading => "an order did not do what the plan wanted",
        Category::Data => "prices are missing, stale or suspect",
        Category::Strategy => "a strategy gave no signal, its sleeve is held",
        Category::Notification => "a mail could not be sent",
        Category::Warning => "worth knowing, nothing to do today",
    }
}

/// Why the closes of the run before were not compared.
pub(crate) fn gap(gap: Gap) -> &'static str {
    match gap {
        Gap::FirstRun => "no run came before",
        Gap::NotKept => "it left none",
        Gap::Unreadable => "they could not be read",
        Gap::Late => "they did not come in time",
    }
}

/// Margins below this are on the edge,
pub(crate) const EDGE: f64 = 0.01;
/// below this close,
pub(crate) const CLOSE: f64 = 0.05;
/// and below this clear; all others are far from turning.
pub(crate) const CLEAR: f64 = 0.2;

/// How sure a signal is, from its smallest margin.
pub(crate) fn confidence(margin: f64) -> &'static str {
    if !margin.is_finite() {
        "not known"
    } else if margin < EDGE {
        "on the edge"
    } else if margin < CLOSE {
        "close"
    } else if margin < CLEAR {
        "clear"
    } else {
        "far from turning"
    }
}

/// The first few of a list, then how many more there are.
pub(crate) fn listed(texts: &[String], most: usize) -> String {
    let mut shown = texts.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    if texts.len() > most {
        shown.push_str(" and ");
        shown.push_str(&count(texts.len() - most, "other"));
    }
    shown
}

/// The text as the beginning of a sentence.
pub(crate) fn capital(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}
