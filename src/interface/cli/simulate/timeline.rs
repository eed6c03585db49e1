//! One trial as an operator would want it told: when what happened, to whom, and what it came to.

use std::fmt::Write;

use jiff::Timestamp;

use crate::domain::session::exchange_zone;
use crate::simulator::exchange::{Entry, Status};
use crate::simulator::oracle::Violation;
use crate::simulator::trial::script::{Script, Task, What};
use crate::simulator::trial::truth::{End, Process, Truth};

/// Events of one trial's timeline; more would not be read.
const EVENTS_MAX: usize = 400;

struct Event {
    at: Timestamp,
    order: u8,
    words: String,
}

/// The trial's timeline, session by session.
pub fn timeline(truth: &Truth) -> String {
    let mut events = Vec::new();
    deliveries(truth, &mut events);
    troubles(truth, &mut events);
    orders(truth, &mut events);
    records(truth, &mut events);
    letters(truth, &mut events);
    events.sort_by_key(|event| (event.at, event.order));
    let mut text = String::new();
    let mut shown = 0;
    for (number, lived) in truth.days.iter().enumerate() {
        let calm =
            if truth.calm_end == Some(number) { ", nothing goes wrong any more" } else { "" };
        let _ = writeln!(text, "{} session {}{calm}", lived.date, number + 1);
        let next = truth.days.get(number + 1).map_or(Timestamp::MAX, |next| next.due);
        let of_day = events.iter().filter(|e| lived.due <= e.at && e.at < next);
        for event in of_day {
            shown += 1;
            if shown <= EVENTS_MAX {
                let time = event.at.to_zoned(exchange_zone().clone()).strftime("%H:%M:%S%.3f");
                let _ = writeln!(text, "  {time}  {}", event.words);
            }
        }
    }
    if shown > EVENTS_MAX {
        let _ = writeln!(text, "  ... and {} more", shown - EVENTS_MAX);
    }
    text
}

/// What a script has in store, and the command that lives it through again.
pub fn told(script: &Script) -> String {
    let mut text = String::new();
    for (number, day) in script.days.iter().enumerate() {
        let _ = writeln!(text, "  session {}", number + 1);
        for (name, wish) in script.setting.strategies.iter().zip(&day.wishes) {
            let _ = writeln!(text, "    {} ({}) wants {wish:?}", name.0, name.1);
        }
        for happening in day.happenings.iter().filter(|happening| !happening.is_plain()) {
            let _ = writeln!(text, "    {happening}");
        }
    }
    text
}

/// What was violated, in lines.
pub fn accused(violations: &[Violation]) -> String {
    let mut text = String::new();
    for violation in violations {
        let _ = writeln!(text, "  VIOLATED {}: {}", violation.check, violation.what);
    }
    text
}

fn deliveries(truth: &Truth, events: &mut Vec<Event>) {
    for process in &truth.deliveries {
        let task = task(process);
        let began = format!("{:<9} {} starts", process.writer, task);
        events.push(Event { at: process.started, order: 0, words: began });
        let ended = match &process.end {
            End::Killed => {
                format!("is KILLED at its call {}: {}", process.calls, process.last_call)
            }
            End::TimedOut => "is STOPPED: its time is over".to_owned(),
            End::Panicked => "PANICS".to_owned(),
            End::Answered { outcome, incidents, .. } if incidents.is_empty() => {
                format!("ends: {outcome}")
            }
            End::Answered { outcome, incidents, .. } => {
                format!("ends: {outcome} ({})", incidents.join(", "))
            }
        };
        let ended = format!("{:<9} {task} {ended}", process.writer);
        events.push(Event { at: process.ended, order: 9, words: ended });
        for sent in &process.sent {
            let words = match serde_json::from_str::<serde_json::Value>(&sent.body) {
                Ok(order) => {
                    let word = |field: &str| order[field].as_str().unwrap_or("?").to_owned();
                    let (side, qty, symbol) = (word("side"), word("qty"), word("symbol"));
                    let (limit, id) = (word("limit_price"), word("client_order_id"));
                    format!("{:<9} sends {side} {qty} {symbol} at {limit} as {id}", process.writer)
                }
                Err(_) => format!("{:<9} asks for the cancellation of an order", process.writer),
            };
            events.push(Event { at: sent.at, order: 2, words });
        }
    }
}

fn task(process: &Process) -> String {
    match process.delivery.action {
        Task::Trade => "run".to_owned(),
        Task::Resume => "resume".to_owned(),
        Task::Preview => "preview".to_owned(),
        Task::Watch => "watch".to_owned(),
        Task::Force { generation } => format!("forced run {generation}"),
    }
}

fn troubles(truth: &Truth, events: &mut Vec<Event>) {
    for (at, what) in &truth.happened {
        let who = match what {
            What::Hand(_) => "a person",
            What::Operator(_) => "operator",
            What::Market(_) => "market",
            What::Delivery(_)
            | What::Request(..)
            | What::Order(..)
            | What::Stream(_)
            | What::ReadsLag(_)
            | What::Shelf(_)
            | What::Post(..)
            | What::Keys(_) => "trouble",
        };
        events.push(Event { at: *at, order: 1, words: format!("{who:<9} {what}") });
    }
    for asked in truth.world.asked().iter().filter(|asked| asked.late) {
        let words = format!(
            "exchange  a request arrives that nobody waits for any more: {} (answer {})",
            asked.target, asked.status
        );
        events.push(Event { at: asked.at, order: 3, words });
    }
}

fn orders(truth: &Truth, events: &mut Vec<Event>) {
    let orders = truth.world.orders();
    for order in &orders {
        let side = order.asked.side;
        let words = format!("exchange  takes in {side} {} ({})", order.symbol(), order.client_id);
        events.push(Event { at: order.created_at, order: 4, words });
        let end = match order.status {
            Status::Canceled => order.canceled_at,
            Status::Expired => order.expired_at,
            Status::Rejected => order.failed_at,
            Status::Filled
            | Status::Accepted
            | Status::PendingNew
            | Status::New
            | Status::PartiallyFilled
            | Status::PendingCancel => None,
        };
        if let Some(at) = end {
            let filled = order.filled.normalize();
            let word = order.status.as_str();
            let words = format!("exchange  {side} {} {word}, {filled} executed", order.symbol());
            events.push(Event { at, order: 5, words });
        }
    }
    for entry in truth.world.activities() {
        let Entry::Fill(fill) = entry.entry else { continue };
        let (side, qty) = (fill.side, fill.qty.normalize());
        let words = format!(
            "exchange  executes {side} {qty} {} at {}",
            fill.symbol,
            fill.price.normalize()
        );
        events.push(Event { at: entry.at, order: 5, words });
    }
}

fn records(truth: &Truth, events: &mut Vec<Event>) {
    let telling =
        ["open.json", "plan.json", "sells.json", "buyplan.json", "buys.json", "final.json"];
    for written in truth.written.iter().filter(|written| written.once) {
        let name = written.key.rsplit('/').next().unwrap_or_default();
        let attempt = written.key.contains("/att/");
        if telling.contains(&name) || attempt {
            let key = written.key.trim_start_matches("runs/paper/main/");
            events.push(Event {
                at: written.at,
                order: 6,
                words: format!("store     keeps {key}"),
            });
        }
    }
}

fn letters(truth: &Truth, events: &mut Vec<Event>) {
    for delivered in &truth.letters {
        let words = format!("mail      {}", delivered.letter.subject);
        events.push(Event { at: delivered.at, order: 7, words });
    }
}
