//! Runs several rotation strategies on one Alpaca account, once a day, and mails what it did and why.
//!
//! One idea: **observe, decide, act, tell.** Everything a run knows is gathered once; one pure
//! function decides; one loop sends the orders; one report is stored and mailed. This page is the
//! tour, in the order in which the code is best read. `README.md` says how to use it and explains
//! the words.
//!
//! # 1. The story
//!
//! [`application::run`] is the whole run on one page: each stage goes on or stops with a verdict,
//! and every stop is told. Read it first; the other modules are its verbs. [`interface::event`]
//! stands before it: an event is understood in full or refused. What a run needs of the world is
//! [`application::ports`]: nine small traits that state duties and name no broker, no protocol
//! and no file format. They are objects, not type parameters, because a dynamic call costs nothing
//! once a day and five parameters would cost every reader.
//!
//! # 2. What is remembered
//!
//! [`application::journal`] keeps a run's records: each is written once, none is changed, and the
//! state of a run is whatever its records say. That is why there is no database, no lock that
//! safety rests on, and no field called status. [`application::control`] is the operator's
//! permission, read again before every round of orders; [`application::arming`] is the leave for
//! real money, and [`application::force`] the one way to run a finished session again.
//! [`application::protocol`] says how all this trades a session once, whatever breaks on the way.
//!
//! # 3. Seeing
//!
//! [`application::observe`] turns the ports' answers into one [`domain::snapshot`]. Nothing else
//! influences a decision, and the snapshot is stored, so that a decision can be made again.
//!
//! # 4. Deciding, the pure part
//!
//! [`domain::decide`] reads in the order of the specification; each step is a module.
//!
//! * [`domain::strategy`] says what a strategy is: closes in, weights out. [`domain::symphony`] is
//!   the one kind there is, a decision tree written as text; [`domain::book`] has the three that
//!   ship; [`domain::indicator`] has the formulas. A value that cannot be computed is an error.
//!   There are no neutral defaults anywhere.
//! * [`domain::sleeve`] is who owns which shares: the ledger, carried forward by the broker's
//!   facts (`fold`), the capital of each sleeve, which of them are due, what passes between them,
//!   and the books after the run (`settle`). Sleeves own no cash on purpose: cash is one pool, and
//!   its figure is the broker's.
//! * [`domain::target`] turns weights into what each due sleeve wants to hold.
//! * [`domain::plan`] turns wants into one item per symbol (`draft`, with `listing` and `size`),
//!   and after the sells into what the money allows (`fund`).
//! * [`domain::risk`] is the gate. It alone makes an [`ApprovedPlan`](domain::risk::ApprovedPlan),
//!   and that alone yields an [`OrderRequest`](domain::order::OrderRequest): an order that nobody
//!   approved cannot be written down. There is no override.
//!
//! Below them lie the words of the trade: [`domain::money`] (exact decimals; a float enters only as
//! a weight), [`domain::market`] (closes in columns, quotes that are usable or a reason),
//! [`domain::session`], [`domain::policy`], [`domain::order`] (with the transition table of an
//! attempt), [`domain::pricing`] (the ladder of limits), [`domain::incident`], [`domain::report`].
//! The domain waits for nothing, reads no clock and writes no log.
//!
//! # 5. Acting
//!
//! [`application::execute`] carries the plan out: sells, the wait, the cash, the buy plan, buys. It
//! decides nothing. `dealing` works one phase in rounds of price, gate, send, wait, read;
//! `order_life` knows what one order needs next; [`application::desk`] is how they reach and watch
//! the market. `close` books the fills and compares with the broker. Left out on purpose: market
//! orders, replacing orders, any retry that is not the same order under the same id.
//!
//! # 6. Telling
//!
//! [`application::tell`] stores the page and sends the letter; [`presentation`] makes both from
//! the one [`RunReport`](domain::report::RunReport), with no way to ask anybody for more.
//! [`application::watch`] comes after the run, from a process of its own: it reads the records and
//! tells when a session has no good end. It knows neither broker nor keys, so that it survives what
//! breaks a run.
//!
//! # 7. The world and its double
//!
//! [`infrastructure`] has the adapters. [`infrastructure::http`] is the seam that every broker
//! request passes through; [`infrastructure::alpaca`] is the broker; [`infrastructure::local`] are
//! store, mail and keys in folders. [`simulator`] is the double: an exchange that answers the
//! broker's HTTP below the adapter, with time of its own. It shares no type with the adapter, so
//! that a misreading of the broker's documents shows as a disagreement.
//!
//! # 8. The doors
//!
//! [`interface::cli`] and [`interface::lambda`] are the two ways in; [`interface::wiring`] is the
//! one place where ports meet adapters, by hand.
//!
//! # An example
//!
//! A strategy, three closes, and what it wants to hold on the third day:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use alchemiser::domain::market::{Histories, History};
//! use alchemiser::domain::run::StrategyName;
//! use alchemiser::domain::strategy::StrategyEngine;
//! use alchemiser::domain::symbol::Symbol;
//! use alchemiser::domain::symphony::SymphonyEngine;
//! use jiff::civil::date;
//!
//! let text = r#"(defsymphony "Uptrend" {:rebalance-frequency :daily}
//!   (if (> (current-price "SPY") (moving-average-price "SPY" {:window 3}))
//!     [(weight-specified 0.75 (asset "SPY") 0.25 (asset "BIL"))]
//!     [(asset "BIL")]))"#;
//! let strategy = SymphonyEngine::read(StrategyName::parse("uptrend")?, text)?;
//!
//! let days = vec![date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 19)];
//! let closes = History::new(days, vec![630.0, 638.0, 641.0], vec![])?;
//! let market = Histories::new(BTreeMap::from([(Symbol::parse("SPY")?, closes)]));
//!
//! let signal = strategy.evaluate(&market, date(2026, 11, 19))?;
//! assert_eq!(signal.weight_of(&Symbol::parse("SPY")?).to_string(), "0.75");
//!
//! let too_early = strategy.evaluate(&market, date(2026, 11, 18)).unwrap_err();
//! assert!(too_early.to_string().starts_with("too few closes for SPY"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod application;
pub mod domain;
pub mod infrastructure;
pub mod interface;
pub mod presentation;
pub mod simulator;
