//! What an operator, a scheduler or the cloud can get wrong: each with the record, the incident and
//! the letter it must have, and an invocation after it that behaves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alchemiser::simulator::faults::{Fault, On as OnBroker, Trouble as BrokerTrouble};
use jiff::ToSpan;
use serde_json::{Value, json};

use crate::exchange::{KEY_ID, NEW_KEY_ID, NEW_SECRET, SECRET};
use crate::proxy::{ERROR_BODY, On, Trouble};
use crate::runtime_api::{Answer, Function};
use crate::stage::{SECRET_NAME, Stage};

/// No answer may take longer however the cloud fails: a schedule gives an invocation 300 seconds,
/// and whoever is to be told must not wait for their end.
const ANSWERED_WITHIN: Duration = Duration::from_mins(1);

impl Stage {
    /// The day's trade event for a slot of its own.
    fn slot(&self, slot: &str) -> Value {
        self.exchange.event("trade", &[("slot", json!(slot))])
    }

    /// Asserts that the same process trades the day now that nothing is wrong any more.
    #[track_caller]
    fn recovers(&self, function: &mut Function) {
        self.proxy.calm();
        self.exchange.world.clear_faults();
        let answer = function.ask(self.slot("after"));
        assert_eq!(answer.outcome(), "done", "{answer:?}\n{}", function.log());
        self.traded_once();
    }

    /// Asserts what the only mail so far says.
    #[track_caller]
    fn mail_says(&self, subject: &str, words: &[&str]) {
        let mail = self.mail();
        assert!(mail.subject.contains(subject), "{}", mail.subject);
        for word in words {
            assert!(mail.flat().contains(word), "{word}: {}", mail.flat());
        }
    }
}

/// Asserts outcome or type of error, and that an incident is among those of the answer.
#[track_caller]
fn says(answer: &Answer, outcome: &str, incident: (&str, &str)) {
    assert_eq!(answer.outcome(), outcome, "{answer:?}");
    assert!(answer.incidents().contains(&incident), "{answer:?}");
}

fn code(what: &'static str) -> (&'static str, &'static str) {
    ("CONFIGURATION", what)
}

#[test]
fn without_a_secret_nothing_is_traded_until_there_is_one() {
    let stage = Stage::new();
    stage.moto.forget_secret(SECRET_NAME);
    let mut function = stage.function("trader");
    let event = stage.exchange.event("trade", &[]);
    let answer = function.ask(event.clone());
    says(&answer, "failed", code("secret-missing"));
    stage.mail_says("secret-missing", &[SECRET_NAME, "nothing was traded", "\"key_id\""]);
    assert_eq!(stage.record("final.json").unwrap()["body"]["verdict"], "failed");
    assert_eq!(stage.exchange.world.requests(), 0, "without keys nobody is asked");

    assert_eq!(function.ask(event).outcome(), "repeated");
    stage.mail();
    stage.keys(KEY_ID, SECRET);
    stage.recovers(&mut function);
}

#[test]
fn a_secret_of_another_shape_is_told_by_its_field_and_never_by_its_value() {
    let stage = Stage::new();
    let mut function = stage.function("trader");
    let shapes = [
        (json!({ "secret_key": SECRET }).to_string(), "key_id missing"),
        (json!({ "key_id": KEY_ID }).to_string(), "secret_key missing"),
        (json!({ "key_id": KEY_ID, "secret_key": " " }).to_string(), "secret_key is blank"),
        (
            json!({ "key_id": KEY_ID, "secret_key": [SECRET] }).to_string(),
            "secret_key is not a text",
        ),
        (json!([KEY_ID, SECRET]).to_string(), "not a JSON object"),
        (format!("{KEY_ID}:{SECRET}"), "not a JSON object"),
    ];
    for (number, (text, words)) in shapes.into_iter().enumerate() {
        stage.moto.secret(SECRET_NAME, &text);
        let answer = function.ask(stage.slot(&format!("s{number}")));
        says(&answer, "failed", code("secret-malformed"));
        let mails = stage.moto.mails();
        let mail = mails.last().unwrap();
        assert_eq!(mails.len(), number + 1);
        assert!(mail.flat().contains(words), "{words}: {}", mail.flat());
    }
    assert_eq!(stage.exchange.world.requests(), 0, "without keys nobody is asked");
    stage.keys(KEY_ID, SECRET);
    stage.recovers(&mut function);
}

#[test]
fn keys_that_the_broker_refuses_and_repeats_are_read_once_more_and_shown_nowhere() {
    let stage = Stage::new();
    stage.exchange.change_keys(NEW_KEY_ID, NEW_SECRET);
    let echo = format!("{{\"code\":40110000,\"message\":\"you sent {KEY_ID} and {SECRET}\"}}")
        .replace("=\"", "=\\\"")
        .replace(">\"\"", ">\\\"\"");
    let rewrite = BrokerTrouble::Rewrite(Arc::new(move |_| echo.clone()));
    stage.exchange.world.fault(Fault::request(OnBroker::any("/v2/*").always(), rewrite));
    let mut function = stage.function("trader");
    let event = stage.exchange.event("trade", &[]);
    let answer = function.ask(event.clone());
    says(&answer, "failed", ("CRITICAL", "broker-unauthorised"));
    stage.mail_says("broker-unauthorised", &["you sent [key] and [key]", "Check the key pair"]);
    assert_eq!(stage.secret_reads(), 2, "once at first, and once more after the refusal");
    stage.traded_nothing();

    assert_eq!(function.ask(event).outcome(), "repeated");
    stage.mail();
    stage.keys(NEW_KEY_ID, NEW_SECRET);
    stage.recovers(&mut function);
}

#[test]
fn a_secret_that_may_not_be_read_is_told_without_the_words_of_the_refusal() {
    let stage = Stage::new();
    let words = format!("not for {KEY_ID} with {SECRET}");
    let denied = Trouble::Answer(400, "AccessDeniedException", words);
    stage.proxy.trouble(On::service("secretsmanager"), denied);
    let mut function = stage.function("trader");
    let answer = function.ask(stage.exchange.event("trade", &[]));
    says(&answer, "failed", code("secret-denied"));
    stage.mail_says("secret-denied", &["AccessDeniedException"]);
    stage.traded_nothing();
    stage.recovers(&mut function);
}

#[test]
fn a_store_that_denies_everything_fails_the_invocation_and_is_told_by_mail() {
    let stage = Stage::new();
    let denied = Trouble::Answer(403, "AccessDenied", ERROR_BODY.replace('"', "&quot;"));
    stage.proxy.trouble(On::service("s3"), denied);
    let mut function = stage.function("trader");
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert!(answer.error, "nothing was recorded: {answer:?}");
    stage.mail_says("store-denied", &["AccessDenied", "rights on the bucket"]);
    stage.traded_nothing();
    stage.recovers(&mut function);
}

#[test]
fn a_store_that_denies_writing_fails_the_invocation_and_is_told_by_mail() {
    let stage = Stage::new();
    let denied = Trouble::Answer(403, "AccessDenied", "no".to_owned());
    stage.proxy.trouble(On::put(""), denied);
    let mut function = stage.function("trader");
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert!(answer.error, "nothing was recorded: {answer:?}");
    stage.mail_says("store-denied", &["AccessDenied"]);
    stage.traded_nothing();
    stage.recovers(&mut function);
}

#[test]
fn a_slow_store_delays_the_day_and_nothing_else() {
    let stage = Stage::new();
    stage.proxy.trouble(On::service("s3"), Trouble::Slow(Duration::from_millis(300)));
    let mut function = stage.function("trader");
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert_eq!((answer.outcome(), answer.incidents()), ("done", vec![]), "{}", function.log());
    stage.traded_once();
    assert_eq!(stage.mail().subject.split(' ').next(), Some("[PAPER"));
}

#[test]
fn a_store_that_stumbles_at_every_kind_of_call_costs_a_repetition() {
    let stage = Stage::new();
    let answer = |status, code| Trouble::Answer(status, code, "later".to_owned());
    stage.proxy.trouble(On::get("policy.toml").times(1), answer(503, "SlowDown"));
    stage.proxy.trouble(On::get("prefix=").times(1), Trouble::Cut);
    stage.proxy.trouble(On::put("/open.json").times(1), answer(409, "ConditionalRequestConflict"));
    stage.proxy.trouble(On::put("/lease/").times(1), answer(500, "InternalError"));
    stage.proxy.trouble(On::put("/snapshot.json").times(1), Trouble::Cut);
    stage.proxy.trouble(On::put("/plan.json").times(1), Trouble::Lost);
    stage.proxy.trouble(On::put("/buyplan.json").times(1), Trouble::Silence);
    stage.proxy.trouble(On::put("/final.json").times(1), Trouble::Lost);
    let mut function = stage.function("trader");
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert_eq!((answer.outcome(), answer.incidents()), ("done", vec![]), "{}", function.log());
    stage.traded_once();
    stage.mail();
    for record in ["/open.json", "/snapshot.json", "/plan.json", "/final.json"] {
        let puts = stage.proxy.seen().into_iter().filter(|seen| {
            seen.method == "PUT" && seen.target.contains("/runs/") && seen.target.contains(record)
        });
        assert_eq!(puts.count(), 2, "{record}: the stumble and its repetition");
    }
    assert_eq!(function.ask(stage.exchange.event("trade", &[])).outcome(), "repeated");
}

#[test]
fn a_store_that_never_answers_is_given_up_in_time() {
    let stage = Stage::new();
    stage.proxy.trouble(On::service("s3"), Trouble::Silence);
    let mut function = stage.function("trader");
    let began = Instant::now();
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert!(answer.error, "nothing was recorded: {answer:?}");
    assert!(began.elapsed() < ANSWERED_WITHIN, "{:?}", began.elapsed());
    stage.mail_says("store-unavailable", &[]);
    stage.traded_nothing();
    stage.recovers(&mut function);
}

#[test]
fn a_sender_that_is_not_verified_costs_the_mail_and_not_the_day() {
    let mut stage = Stage::new();
    let stranger = "alchemiser@unverified.example".to_owned();
    stage.variables.insert("ALCHEMISER_MAIL_FROM".to_owned(), stranger);
    let mut function = stage.function("trader");
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert_eq!(answer.outcome(), "done", "{answer:?}");
    let mail = answer.body["mail"].as_str().unwrap();
    assert!(mail.starts_with("failed") && mail.contains("not verified"), "{mail}");
    assert!(function.log().contains("\"MailFailed\":1"), "{}", function.log());
    stage.traded_once();
    let offers = stage.proxy.seen().into_iter().filter(|seen| seen.service == "ses").count();
    assert_eq!(offers, 1, "what is refused is not offered again");

    stage.moto.identity("unverified.example");
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert_eq!((answer.outcome(), &answer.body["mail"]), ("repeated", &json!("sent")));
    stage.mail_says("2/2 filled", &[]);
    stage.traded_once();
}

#[test]
fn a_carrier_that_stumbles_is_offered_the_mail_again() {
    let stage = Stage::new();
    let throttled = Trouble::Answer(429, "TooManyRequestsException", ERROR_BODY.to_owned());
    stage.proxy.trouble(On::service("ses").times(1), throttled);
    stage.proxy.trouble(On::service("ses").times(1), Trouble::Cut);
    let mut function = stage.function("trader");
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert_eq!((answer.outcome(), &answer.body["mail"]), ("done", &json!("sent")));
    assert_eq!(answer.incidents(), []);
    stage.mail();
}

#[test]
fn a_carrier_that_is_down_or_throttles_for_good_costs_the_mail_and_not_the_day() {
    let answer = |status, code| Trouble::Answer(status, code, ERROR_BODY.to_owned());
    let stage = Stage::new();
    let mut function = stage.function("trader");
    let troubles = [
        ("throttled", answer(429, "TooManyRequestsException")),
        ("down", answer(503, "ServiceUnavailable")),
        ("cut", Trouble::Cut),
        ("silent", Trouble::Silence),
    ];
    for (number, (name, trouble)) in troubles.into_iter().enumerate() {
        stage.proxy.calm();
        stage.proxy.trouble(On::service("ses"), trouble);
        let began = Instant::now();
        let answer = function.ask(stage.slot(name.get(..5).unwrap_or(name)));
        assert!(began.elapsed() < ANSWERED_WITHIN, "{name}: {:?}", began.elapsed());
        assert!(!answer.error, "{name}: {answer:?}");
        let mail = answer.body["mail"].as_str().unwrap();
        assert!(mail.starts_with("failed: mail not sent"), "{name}: {mail}");
        assert_eq!(function.log().matches("\"MailFailed\":1").count(), number + 1, "{name}");
    }
    stage.traded_once();
    assert_eq!(stage.moto.mails().len(), 0);
    stage.proxy.calm();
    let answer = function.ask(stage.slot("throt"));
    assert_eq!((answer.outcome(), &answer.body["mail"]), ("repeated", &json!("sent")));
    stage.mail();
}

#[test]
fn an_event_without_a_field_is_refused_and_shown_the_right_one() {
    let stage = Stage::new();
    let mut function = stage.function("trader");
    let mut event = stage.exchange.event("trade", &[]);
    event.as_object_mut().unwrap().remove("slot");
    let answer = function.ask(event);
    says(&answer, "refused", code("event-refused"));
    let words = ["event field `slot`: missing", alchemiser::interface::event::EXAMPLE];
    stage.mail_says("[CONFIGURATION] event-refused", &words);
    let refusals = stage.moto.keys("refusals/");
    let own = format!("refusals/{}-", function.request());
    assert!(refusals.len() == 1 && refusals[0].starts_with(&own), "{refusals:?}");
    assert_eq!(stage.moto.keys("runs/"), Vec::<String>::new());
    stage.traded_nothing();
    stage.recovers(&mut function);
}

#[test]
fn an_event_two_hours_late_no_longer_trades() {
    let stage = Stage::new();
    let mut function = stage.function("trader");
    let then = (stage.exchange.now - 2.hours()).to_string();
    let late = stage.exchange.event("trade", &[("scheduled_for", json!(then))]);
    let answer = function.ask(late.clone());
    says(&answer, "blocked", ("TRADING", "event-late"));
    stage.mail_says("BLOCKED", &["120 minutes old"]);
    stage.traded_nothing();
    assert_eq!(function.ask(late).outcome(), "repeated");
    stage.mail();
    stage.recovers(&mut function);
}

#[test]
fn the_same_event_twice_at_the_same_time_trades_once() {
    let stage = Stage::new();
    let (mut first, mut second) = (stage.function("first"), stage.function("second"));
    for function in [&mut first, &mut second] {
        function.send(stage.exchange.event("trade", &[]), crate::runtime_api::TIMEOUT);
    }
    let answers = [first.answer(), second.answer()];
    let done = answers.iter().filter(|answer| answer.outcome() == "done").count();
    let others = ["done", "in-progress", "repeated"];
    assert!(done == 1 && answers.iter().all(|a| others.contains(&a.outcome())), "{answers:?}");
    stage.traded_once();
    stage.mail();
    assert_eq!(first.ask(stage.exchange.event("trade", &[])).outcome(), "repeated");
}

#[test]
fn a_panic_is_an_answer_and_the_same_process_serves_the_next_event() {
    let stage = Stage::new();
    let mut function = stage.function("trader");
    for number in 1..=2 {
        let answer = function.ask(stage.exchange.event("drill", &[]));
        assert_eq!((answer.error, answer.outcome()), (true, "Panic"), "{answer:?}");
        assert!(function.lives());
        assert_eq!(stage.moto.mails().len(), number);
    }
    let mail = stage.moto.mails().remove(0);
    assert!(mail.subject.starts_with("[CRITICAL] drill"), "{}", mail.subject);
    assert_eq!(stage.moto.keys("refusals/").len(), 2);
    stage.recovers(&mut function);
}

#[test]
fn a_deadline_that_is_nearly_reached_at_the_start_ends_before_it_and_trades_nothing() {
    let stage = Stage::new();
    let mut function = stage.function("trader");
    let ends = [
        ("a", 0, "DeadlineReached"),
        ("b", 1, "DeadlineReached"),
        ("c", 4, "RunLeftOpen"),
        ("d", 8, "RunLeftOpen"),
    ];
    for (slot, seconds, kind) in ends {
        let time = Duration::from_secs(seconds);
        let began = Instant::now();
        let answer = function.ask_within(stage.slot(slot), time);
        let took = began.elapsed();
        assert!(took < time.max(Duration::from_secs(1)), "{slot}: {took:?} {answer:?}");
        assert_eq!((answer.error, answer.outcome()), (true, kind), "{slot}: {answer:?}");
        stage.traded_nothing();
    }
    // Two of them had the time to say so by mail; all four are known to the failure destination.
    assert_eq!(stage.moto.mails().len(), 2);
    let answer = function.ask(stage.slot("d"));
    assert_eq!(answer.outcome(), "done", "{answer:?}\n{}", function.log());
    stage.traded_once();
}
