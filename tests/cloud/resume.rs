//! A process that is killed in the middle of a run, and the resume that comes after it.

use std::time::Duration;

use crate::stage::Stage;

/// What the killed invocation had: long enough to send orders, short enough for a test to wait
/// until the lease of the dead is over.
const SHORT: Duration = Duration::from_secs(52);
/// A record is written within a second or two; longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a letter is left to a run that has ended and may be dead.
const LETTER_LEFT: Duration = Duration::from_secs(121);

/// Trades until a record is stored, kills the process before it hears of that, and resumes.
fn killed_at(record: &str, orders_before: usize) {
    let stage = Stage::new();
    let event = stage.exchange.event("trade", &[]);
    stage.proxy.trouble(crate::proxy::On::put(record), crate::proxy::Trouble::Withheld);
    let mut killed = stage.function("killed");
    killed.send(event.clone(), SHORT);
    stage.proxy.until_done("PUT", record, PATIENCE);
    killed.kill();
    stage.proxy.calm();
    assert_eq!(stage.exchange.orders().len(), orders_before, "{record}");

    let mut second = stage.function("second");
    let resume = stage.exchange.event("resume", &[]);
    let first = second.ask(resume.clone());
    if record == "/final.json" {
        // Whoever wrote the last record a moment ago may be about to send the letter.
        assert_eq!(first.body["mail"], "being sent by another invocation", "{first:?}");
        assert_eq!(stage.moto.mails().len(), 0);
        std::thread::sleep(LETTER_LEFT);
    } else {
        assert_eq!(first.outcome(), "in-progress", "{record}: the dead holds the lease: {first:?}");
        let lease = stage.record("lease/0001.json").unwrap();
        let lasts = lease["body"]["seconds"].as_u64().unwrap(); // from its storing, a while ago
        std::thread::sleep(Duration::from_secs(lasts));
    }
    let answer = second.ask(resume);
    let outcome = if record == "/final.json" { "repeated" } else { "done" };
    assert_eq!(answer.outcome(), outcome, "{record}: {answer:?}\n{}", second.log());
    assert_eq!(answer.body["mail"], "sent", "{record}");
    stage.traded_once();
    assert!(stage.mail().subject.contains("2/2 filled"), "{record}: {}", stage.mail().subject);
    assert_eq!(stage.record("final.json").unwrap()["body"]["verdict"], "done");

    let answer = second.ask(event);
    assert_eq!((answer.outcome(), &answer.body["mail"]), ("repeated", &"sent before".into()));
    stage.traded_once();
}

#[test]
fn a_run_killed_at_any_record_is_finished_by_a_resume_without_a_second_order() {
    let points = [("/plan.json", 0), ("/buys.json", 2), ("/final.json", 2)];
    std::thread::scope(|scope| {
        for (record, orders) in points {
            scope.spawn(move || killed_at(record, orders));
        }
    });
}

#[test]
fn a_resume_of_nothing_finds_nothing_open() {
    let stage = Stage::new();
    let mut function = stage.function("resume");
    let answer = function.ask(stage.exchange.event("resume", &[]));
    assert_eq!((answer.outcome(), &answer.body["mail"]), ("nothing-open", &"none".into()));
    stage.traded_nothing();
    assert_eq!(stage.moto.keys("runs/"), Vec::<String>::new());
}
