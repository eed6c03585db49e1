//! The watch's letter: whether the run ran, what of its orders, what to do; then what is known.

use jiff::Timestamp;

use crate::domain::incident::Incident;
use crate::domain::run::RunKey;
use crate::domain::session::exchange_date;
use crate::domain::watch::{Before, Ending, Finding, Lease, Look, Phase, Planned, Traces};
use crate::presentation::answers::status_command;
use crate::presentation::figures::{clock_time, count, day, day_month, elapsed, moment};
use crate::presentation::incidents::note;
use crate::presentation::line::{Line, clip};
use crate::presentation::sheet::{Answer, Band, Block, Fact, Room, Section, Sheet, Tone};
use crate::presentation::subject::{run_name, with_parts, worst};
use crate::presentation::words;

/// Signs of an answer at the top; the whole text stands below.
const ANSWER_MAX: usize = 220;
/// Signs of a code in the subject.
const CODE_MAX: usize = 30;
/// Words of the list of what was mailed.
const MAILED_MAX: usize = 6;
/// Up to so many hours a time is told in hours; after that, in days.
const HOURS_MAX: usize = 48;

/// The content: a look, what was told before it in the same session, and what went wrong with the
/// look itself.
pub(crate) fn sheet(look: &Look, told: &[String], beside: &[Incident], room: Room) -> Sheet {
    let Look { run, finding, .. } = look;
    let incident = look.incident();
    let lead = incident.as_ref().map_or_else(String::new, |incident| incident.meaning.clone());
    Sheet {
        title: subject(look).into(),
        band: Band {
            tone: tone(finding),
            verdict: format!("{} WATCH", words::mode(run.mode).to_uppercase()).into(),
            when: format!("{}, {}{} · {}", day(run.session), run.slot, repeat(run), run.account)
                .into(),
            headline: headline(finding).into(),
            money: Line::default(),
        },
        answers: answers(look, incident.as_ref()),
        lead: clip(&lead, room.signs).into(),
        sections: sections(look, told, beside, room),
    }
}

/// `[PAPER WATCH] 20 Nov open: no run, last record of 19 Nov`.
fn subject(look: &Look) -> String {
    let mode = look.run.mode.as_str().to_uppercase();
    let head = format!("[{mode} WATCH] {}: ", run_name(&look.run));
    let parts = match &look.finding {
        Finding::NotDue => vec!["no run due".to_owned()],
        Finding::Good(ending) => vec![format!("recovered, the run is {}", ending.verdict.word())],
        Finding::NotGood(ending) => {
            let code = worst(&ending.said).map(|incident| clip(&incident.code, CODE_MAX));
            let parts = [Some(format!("the run is {}", ending.verdict.word())), code];
            parts.into_iter().flatten().collect()
        }
        Finding::AtWork(traces) => vec!["still at work".to_owned(), planned(traces)],
        Finding::LeftOpen(traces) => vec!["left open".to_owned(), planned(traces)],
        Finding::NeverRan(before) => {
            let last = match before {
                Before::Final { session, .. } => {
                    Some(format!("last record of {}", day_month(*session)))
                }
                Before::Nothing | Before::Unreadable { .. } => None,
            };
            [Some("no run".to_owned()), last].into_iter().flatten().collect()
        }
        Finding::Unreadable(incident) => {
            vec!["records not readable".to_owned(), clip(&incident.code, CODE_MAX)]
        }
        Finding::Refused(incident) => {
            vec!["not looked at".to_owned(), clip(&incident.code, CODE_MAX)]
        }
    };
    with_parts(head, &parts)
}

fn repeat(run: &RunKey) -> String {
    if run.generation > 0 { format!(", repeat {}", run.generation) } else { String::new() }
}

fn planned(traces: &Traces) -> String {
    match traces.plan {
        None => "no plan".to_owned(),
        Some(plan) => format!("{} planned", count(plan.sells + plan.buys, "order")),
    }
}

fn tone(finding: &Finding) -> Tone {
    match finding {
        Finding::Good(_) => Tone::Good,
        Finding::NotDue => Tone::Quiet,
        Finding::NotGood(ending) => words::verdict_tone(ending.verdict),
        Finding::AtWork(_) => Tone::Look,
        Finding::LeftOpen(_)
        | Finding::NeverRan(_)
        | Finding::Unreadable(_)
        | Finding::Refused(_) => Tone::Bad,
    }
}

fn headline(finding: &Finding) -> String {
    match finding {
        Finding::NotDue => "No run is due".to_owned(),
        Finding::Good(_) => "Recovered: the run ended well".to_owned(),
        Finding::NotGood(ending) => format!("The run ended {}", ending.verdict.word()),
        Finding::AtWork(_) => "The run is still at work".to_owned(),
        Finding::LeftOpen(_) => "The run was left open".to_owned(),
        Finding::NeverRan(_) => "There was no run".to_owned(),
        Finding::Unreadable(_) => "The records cannot be read".to_owned(),
        Finding::Refused(_) => "The watch did not look".to_owned(),
    }
}

fn answers(look: &Look, incident: Option<&Incident>) -> Vec<Answer> {
    let bad = tone(&look.finding);
    let to_do = incident.map_or("Nothing.", |incident| incident.action.as_str());
    let (orders, orders_tone) = orders(&look.finding);
    let answer =
        |question, text: &str, tone| Answer { question, text: clip(text, ANSWER_MAX).into(), tone };
    vec![
        answer("Ran", &ran(look), bad),
        answer("Orders", &orders, orders_tone),
        answer("To do", to_do, bad),
    ]
}

fn ran(look: &Look) -> String {
    match &look.finding {
        Finding::NotDue => "No, on a weekend no run is due.".to_owned(),
        Finding::Good(ending) => format!("Yes: {}.", stripped(&ending.summary)),
        Finding::NotGood(ending) => {
            format!("Yes, it ended {}: {}.", ending.verdict.word(), stripped(&ending.summary))
        }
        Finding::AtWork(_) => {
            "It has begun, it has not ended, and it is being worked on.".to_owned()
        }
        Finding::LeftOpen(_) => {
            "It has begun, it has not ended, and nobody works on it.".to_owned()
        }
        Finding::NeverRan(_) => "No, there is no record of it at all.".to_owned(),
        Finding::Unreadable(incident) | Finding::Refused(incident) => {
            format!("Not known: {}.", stripped(&incident.what))
        }
    }
}

/// A sentence of another part without its full stop.
fn stripped(sentence: &str) -> &str {
    sentence.trim_end_matches(['.', ' '])
}

fn orders(finding: &Finding) -> (String, Tone) {
    match finding {
        Finding::NotDue | Finding::NeverRan(_) => ("None was sent.".to_owned(), Tone::Quiet),
        Finding::Good(ending) | Finding::NotGood(ending) => ended(ending),
        Finding::AtWork(traces) | Finding::LeftOpen(traces) => begun(traces),
        Finding::Unreadable(_) | Finding::Refused(_) => ("Not known.".to_owned(), Tone::Look),
    }
}

fn ended(ending: &Ending) -> (String, Tone) {
    let Ending { sent, unknown, .. } = ending;
    match (sent, unknown) {
        (0, 0) => ("None was sent.".to_owned(), Tone::Quiet),
        (sent, 0) => (format!("{} sent, nothing unknown.", count(*sent, "order")), Tone::Good),
        (sent, unknown) => {
            let sent = count(*sent, "order");
            (format!("{sent} sent; the end of {unknown} was not seen."), Tone::Bad)
        }
    }
}

fn begun(traces: &Traces) -> (String, Tone) {
    let Some(plan) = traces.plan else {
        return ("None was sent, there is no plan.".to_owned(), Tone::Quiet);
    };
    if traces.buys.is_some() {
        return ("They are over, but no report tells of it; see below.".to_owned(), Tone::Look);
    }
    let (sells, buys) = (count(plan.sells, "sell"), count(plan.buys, "buy"));
    (format!("Perhaps: {sells} and {buys} were planned; see below how far it came."), Tone::Bad)
}

fn sections(look: &Look, told: &[String], beside: &[Incident], room: Room) -> Vec<Section> {
    let notes = |incidents: &[Incident]| {
        let shown = incidents.iter().take(room.rows);
        shown.map(|incident| Block::Note(note(incident, room))).collect::<Vec<_>>()
    };
    let said = match &look.finding {
        Finding::Good(ending) | Finding::NotGood(ending) => notes(&ending.said),
        Finding::NotDue
        | Finding::AtWork(_)
        | Finding::LeftOpen(_)
        | Finding::NeverRan(_)
        | Finding::Unreadable(_)
        | Finding::Refused(_) => Vec::new(),
    };
    [
        Section::of("Last known state", vec![Block::Facts(known(look, room))]),
        Section::of("What the run said", said),
        Section::of("What went wrong with the look", notes(beside)),
        Section::of("This look", vec![Block::Facts(this_look(look, told))]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn known(look: &Look, room: Room) -> Vec<Fact> {
    match &look.finding {
        Finding::Good(ending) | Finding::NotGood(ending) => vec![
            Fact::new("Ended", when(ending.finished_at, look)),
            Fact::new("Report", format!("reports/{}.html", look.run)),
        ],
        Finding::AtWork(traces) | Finding::LeftOpen(traces) => traced(traces, look, room),
        Finding::NeverRan(before) => came_before(before, look, room),
        Finding::NotDue | Finding::Unreadable(_) | Finding::Refused(_) => Vec::new(),
    }
}

fn came_before(before: &Before, look: &Look, room: Room) -> Vec<Fact> {
    match before {
        Before::Nothing => vec![Fact::new("Last run", "none on record")],
        Before::Final { session, verdict, finished_at } => vec![
            Fact::new("Last run", format!("{}, {}", day(*session), verdict.word())),
            Fact::new("Ended", ago(*finished_at, look.at)),
        ],
        Before::Unreadable { why } => {
            vec![Fact::new("Last run", format!("not readable: {}", clip(why, room.signs)))]
        }
    }
}

fn traced(traces: &Traces, look: &Look, room: Room) -> Vec<Fact> {
    let mut facts = vec![Fact::new("Invocations", traces.deliveries.to_string())];
    facts.extend(traces.opened_at.map(|at| Fact::new("Opened", when(at, look))));
    facts.extend(traces.lease.map(|lease| Fact::new("Lease", lease_words(lease, look))));
    match traces.plan {
        None => facts.push(Fact::new("Plan", "none")),
        Some(plan) => facts.extend(acted(traces, plan, look)),
    }
    if !traces.mailed.is_empty() {
        let codes: Vec<String> = traces.mailed.iter().map(|code| clip(code, CODE_MAX)).collect();
        facts.push(Fact::new("Mailed", words::listed(&codes, MAILED_MAX)));
    }
    if let Some((name, at)) = &traces.newest {
        facts.push(Fact::new("Last record", clip(name, room.signs)));
        facts.push(Fact::new("Written", format!("{}, {}", when(*at, look), ago(*at, look.at))));
    }
    facts
}

/// How far a plan was carried out.
fn acted(traces: &Traces, plan: Planned, look: &Look) -> Vec<Fact> {
    let over = |phase: Option<Phase>| match phase {
        Some(phase) => phase_words(phase),
        None => "no record of their end".to_owned(),
    };
    let (sells, buys) = (count(plan.sells, "sell"), count(plan.buys, "buy"));
    let mut facts = vec![
        Fact::new("Plan", format!("{sells} and {buys}")),
        Fact::new("Good until", when(plan.valid_until, look)),
        Fact::new("Sells", over(traces.sells)),
    ];
    match traces.buy_plan {
        None => facts.push(Fact::new("Buy plan", "none")),
        Some(orders) => {
            facts.push(Fact::new("Buy plan", count(orders, "buy")));
            facts.push(Fact::new("Buys", over(traces.buys)));
        }
    }
    if traces.repeats > 0 {
        facts.push(Fact::new("Further attempts", traces.repeats.to_string()));
    }
    facts
}

fn phase_words(phase: Phase) -> String {
    let Phase { orders, filled, unknown } = phase;
    match unknown {
        0 => format!("over, {filled} of {orders} filled"),
        unknown => format!("over, {filled} of {orders} filled, {unknown} UNKNOWN"),
    }
}

fn lease_words(lease: Lease, look: &Look) -> String {
    if lease.returned {
        "given back".to_owned()
    } else if look.at < lease.until {
        format!("held until {}", when(lease.until, look))
    } else {
        format!("ran out {}", when(lease.until, look))
    }
}

fn this_look(look: &Look, told: &[String]) -> Vec<Fact> {
    let mut facts =
        vec![Fact::new("Time", moment(look.at)), Fact::new("Run", look.run.to_string())];
    facts.extend(look.incident().map(|Incident { category, code, .. }| {
        Fact::new("Incident", format!("{category} · {}", clip(&code, CODE_MAX)))
    }));
    if !told.is_empty() {
        let told: Vec<String> = told.iter().map(|word| clip(word, CODE_MAX)).collect();
        facts.push(Fact::new("Told before", words::listed(&told, MAILED_MAX)));
    }
    facts.push(Fact::new("Status", status_command(&look.run)));
    facts
}

/// A moment of the session's own day without the date.
fn when(at: Timestamp, look: &Look) -> String {
    if exchange_date(at) == look.run.session { clock_time(at) } else { moment(at) }
}

/// `3 min 05 s ago`, `23 hours ago`, `4 days ago`.
fn ago(then: Timestamp, now: Timestamp) -> String {
    let hours = now.duration_since(then).as_hours();
    let told = match usize::try_from(hours) {
        Ok(0) | Err(_) => elapsed(then, now),
        Ok(hours) if hours <= HOURS_MAX => count(hours, "hour"),
        Ok(hours) => count(hours / 24, "day"),
    };
    format!("{told} ago")
}
