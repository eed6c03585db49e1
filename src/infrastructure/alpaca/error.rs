//! What an answer that is no success means, by who must act.
//!
//! Status and code are the broker's contract, yet one code (40310000) covers ten different
//! cases, so the message decides between refusals. One table, [`PHRASES`]; everything it does
//! not know falls to the careful side: a write that may have happened is ambiguous.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::application::ports::{BrokerError, Refusal};
use crate::domain::money::Shares;
use crate::infrastructure::http::{Method, Response, TransportError};

/// Longest piece of the broker's words kept.
const MESSAGE_LENGTH_MAX: usize = 200;

/// What the broker's words mean; lower case, the first that occurs decides.
///
/// Source: refusals recorded or documented until 2026-10, one row each.
const PHRASES: [(&str, Refusal); 31] = [
    ("client_order_id must be unique", Refusal::DuplicateId),
    ("minimal amount of order", Refusal::Invalid), // before funds: it carries a cost basis too
    ("insufficient buying power", Refusal::Funds),
    ("insufficient day trading buying power", Refusal::Funds),
    ("insufficient balance", Refusal::Funds),
    ("insufficient qty", Refusal::Shares { available: None }),
    ("inferred: sell_to_open", Refusal::Shares { available: None }),
    ("not allowed to short", Refusal::Shares { available: None }),
    ("cannot be sold short", Refusal::Shares { available: None }),
    ("wash trade", Refusal::WashTrade),
    ("opposite side", Refusal::WashTrade),
    ("while a short sell order is open", Refusal::WashTrade),
    ("not fractionable", Refusal::NotFractionable),
    ("fractional trading is disabled", Refusal::NotFractionable), // whole shares still go
    ("pattern day trading", Refusal::AccountBlocked),
    ("not authorized to trade", Refusal::AccountBlocked),
    ("liquidation only", Refusal::AccountBlocked),
    ("rejected by user request", Refusal::AccountBlocked),
    ("account is blocked", Refusal::AccountBlocked),
    ("trading is blocked", Refusal::AccountBlocked),
    ("subscription", Refusal::Subscription),
    ("order is already in", Refusal::NotCancelable),
    ("cannot cancel", Refusal::NotCancelable),
    ("not cancelable", Refusal::NotCancelable),
    ("position does not exist", Refusal::NotFound),
    ("order not found", Refusal::NotFound),
    ("could not find", Refusal::NotTradable),
    ("not found", Refusal::NotTradable),
    ("not tradable", Refusal::NotTradable),
    ("is not active", Refusal::NotTradable),
    ("invalid symbol", Refusal::NotTradable),
];

/// The meaning of an answer that is no success.
pub(super) fn of_answer(method: Method, answer: &Response) -> BrokerError {
    let said = Envelope::read(&answer.body);
    match (answer.status, said) {
        (403, Some(said)) if said.is_business() => said.refusal(Refusal::Other),
        (401 | 403, said) => BrokerError::Unauthorised(words(answer, said.as_ref())),
        (429, _) => BrokerError::RateLimited { retry_at: reset(answer) },
        (404, Some(said)) if said.message.contains("endpoint") => said.refused(Refusal::Invalid),
        (404, Some(said)) => said.refused(Refusal::NotFound),
        (422, Some(said)) => said.refusal(match method {
            Method::Delete => Refusal::NotCancelable,
            Method::Get | Method::Post | Method::Patch => Refusal::Invalid,
        }),
        (400, Some(said)) => said.refusal(Refusal::Invalid),
        (status @ 400..=499, Some(said)) if status != 408 => said.refusal(Refusal::Other),
        (300..=399, said) => match method {
            Method::Get => BrokerError::Malformed(words(answer, said.as_ref())),
            Method::Post | Method::Delete | Method::Patch => {
                BrokerError::Ambiguous(words(answer, said.as_ref()))
            }
        },
        (_, said) => lost(method, words(answer, said.as_ref())),
    }
}

/// The meaning of no answer at all.
pub(super) fn of_silence(method: Method, silence: &TransportError) -> BrokerError {
    match silence {
        TransportError::NotSent(_) => BrokerError::Unavailable(shorten(&silence.to_string())),
        TransportError::NoAnswer(_) => lost(method, shorten(&silence.to_string())),
    }
}

/// A read that failed changed nothing; a write may have.
fn lost(method: Method, words: String) -> BrokerError {
    match method {
        Method::Get => BrokerError::Unavailable(words),
        Method::Post | Method::Delete | Method::Patch => BrokerError::Ambiguous(words),
    }
}

/// The broker's own form of an error, when the answer has it.
struct Envelope {
    code: Option<u64>,
    message: String,
    extras: Map<String, Value>,
}

impl Envelope {
    fn read(body: &[u8]) -> Option<Self> {
        let mut extras: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let message = extras.remove("message")?.as_str()?.to_owned();
        Some(Self { code: extras.get("code").and_then(Value::as_u64), message, extras })
    }

    /// A 403 about the order or the data, not about who we are.
    fn is_business(&self) -> bool {
        self.code.is_some_and(|code| code != 40_300_000) || self.phrase().is_some()
    }

    fn phrase(&self) -> Option<&'static Refusal> {
        let message = self.message.to_lowercase();
        PHRASES
            .iter()
            .find_map(|(phrase, refusal)| message.contains(phrase).then_some(refusal))
            .or_else(|| {
                self.extras.contains_key("existing_order_id").then_some(&Refusal::WashTrade)
            })
    }

    fn refusal(self, otherwise: Refusal) -> BrokerError {
        let reason = self.phrase().cloned().unwrap_or(otherwise);
        self.refused(reason)
    }

    fn refused(self, reason: Refusal) -> BrokerError {
        let reason = if let Refusal::Shares { .. } = reason {
            Refusal::Shares { available: self.available() }
        } else {
            reason
        };
        BrokerError::Refused { reason, message: shorten(&self.message) }
    }

    fn available(&self) -> Option<Shares> {
        match self.extras.get("available")? {
            Value::String(text) => Shares::parse(text).ok(),
            Value::Number(number) => Shares::parse(&number.to_string()).ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// The broker's words, or the beginning of whatever page came instead.
fn words(answer: &Response, said: Option<&Envelope>) -> String {
    if let Some(said) = said {
        return shorten(&format!("{} {}", answer.status, said.message));
    }
    let text = String::from_utf8_lossy(&answer.body);
    let page = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shorten(&format!("{} {page}", answer.status)).trim_end().to_owned()
}

fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MESSAGE_LENGTH_MAX).collect()
}

/// When the rate window starts anew, if the answer says.
fn reset(answer: &Response) -> Option<Timestamp> {
    let seconds = answer.header("x-ratelimit-reset")?.trim().parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Refusal = Refusal::Shares { available: None };

    /// Status, code, message, meaning.
    const ROWS: &[(u16, u64, &str, Refusal)] = &[
        (403, 40_310_000, "insufficient buying power", Refusal::Funds),
        (403, 40_310_000, "insufficient day trading buying power", Refusal::Funds),
        (
            403,
            40_310_000,
            "insufficient qty available for order (requested: 1, available: 0)",
            SHORT,
        ),
        (403, 40_310_000, "account is not allowed to short", SHORT),
        (403, 40_310_000, "asset \"XYZ\" cannot be sold short", SHORT),
        (422, 42_210_000, "asset \"XYZ\" cannot be sold short", SHORT),
        (422, 42_210_000, "fractional orders cannot be sold short", SHORT),
        (
            422,
            40_010_001,
            "position intent mismatch, inferred: sell_to_open, specified: sell_to_close",
            SHORT,
        ),
        (
            422,
            40_010_001,
            "position intent mismatch, inferred: buy_to_close, specified: buy_to_open",
            Refusal::Invalid,
        ),
        (403, 40_310_000, "potential wash trade detected. use complex orders", Refusal::WashTrade),
        (422, 42_210_000, "potential wash trade detected. use complex orders", Refusal::WashTrade),
        (
            403,
            40_310_000,
            "cannot open a long buy while a short sell order is open",
            Refusal::WashTrade,
        ),
        (
            403,
            40_310_100,
            "trade denied due to pattern day trading protection",
            Refusal::AccountBlocked,
        ),
        (403, 40_310_000, "asset \"OCGN\" is not fractionable", Refusal::NotFractionable),
        (403, 40_310_000, "requested asset is not fractionable", Refusal::NotFractionable),
        (
            403,
            40_310_000,
            "fractional trading is disabled for this account",
            Refusal::NotFractionable,
        ),
        (422, 42_210_000, "fractional orders must be DAY orders", Refusal::Invalid),
        (422, 42_210_000, "fractional orders must be simple orders", Refusal::Invalid),
        (403, 40_310_000, "cost basis must be >= minimal amount of order 1", Refusal::Invalid),
        (422, 40_010_001, "client_order_id must be unique", Refusal::DuplicateId),
        (422, 40_010_001, "client_order_id must be no more than 128 characters", Refusal::Invalid),
        (422, 40_010_001, "qty or notional is required", Refusal::Invalid),
        (422, 40_010_001, "qty must be > 0", Refusal::Invalid),
        (422, 40_010_001, "invalid order type", Refusal::Invalid),
        (422, 40_010_001, "market orders require no stop or limit price", Refusal::Invalid),
        (422, 40_010_001, "limit orders require a limit price", Refusal::Invalid),
        (
            422,
            42_210_000,
            "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
            Refusal::Invalid,
        ),
        (422, 42_210_000, "extended hours order must be DAY or GTC limit orders", Refusal::Invalid),
        (422, 42_210_000, "asset \"ZZZZ\" not found", Refusal::NotTradable),
        (422, 40_010_001, "could not find asset \"ZZZZ\"", Refusal::NotTradable),
        (422, 42_210_000, "symbol not found or not tradable", Refusal::NotTradable),
        (422, 42_210_000, "asset XYZ is not active", Refusal::NotTradable),
        (403, 40_310_000, "account is not authorized to trade", Refusal::AccountBlocked),
        (403, 40_310_000, "account is restricted to liquidation only", Refusal::AccountBlocked),
        (403, 40_310_000, "new orders are rejected by user request", Refusal::AccountBlocked),
        (
            403,
            40_310_000,
            "unable to open new notional orders while having open closing position orders",
            Refusal::Other,
        ),
        (403, 40_310_000, "a rule nobody has met yet", Refusal::Other),
        (422, 42_210_000, "stop price must be less than current price", Refusal::Invalid),
        (422, 42_210_000, "bracket orders must be entry orders", Refusal::Invalid),
        (400, 40_010_001, "request body format is invalid", Refusal::Invalid),
        (404, 40_410_000, "asset not found for XYZ", Refusal::NotFound),
        (404, 40_410_000, "endpoint not found", Refusal::Invalid), // proves no absence
    ];

    fn answer(status: u16, body: &str) -> Response {
        Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    fn refusal(method: Method, status: u16, body: &str) -> Refusal {
        let error = of_answer(method, &answer(status, body));
        let BrokerError::Refused { reason, .. } = error else {
            panic!("{status} {body}: {error:?}");
        };
        reason
    }

    fn said(code: u64, message: &str) -> String {
        serde_json::json!({ "code": code, "message": message }).to_string()
    }

    #[test]
    fn each_refusal_of_an_order_has_its_meaning() {
        for (status, code, message, expected) in ROWS {
            let found = refusal(Method::Post, *status, &said(*code, message));
            assert_eq!(found, *expected, "{message}");
        }
    }

    #[test]
    fn refusals_of_cancels_and_reads_have_theirs() {
        let cancel = said(42_210_000, "order is already in \"filled\" state");
        assert_eq!(refusal(Method::Delete, 422, &cancel), Refusal::NotCancelable);
        let other = said(42_210_000, "cannot be undone");
        assert_eq!(refusal(Method::Delete, 422, &other), Refusal::NotCancelable);
        let gone = said(40_410_000, "order not found for 6f1c");
        assert_eq!(refusal(Method::Delete, 404, &gone), Refusal::NotFound);
        let plan = said(42_210_000, "subscription does not permit querying recent SIP data");
        assert_eq!(refusal(Method::Get, 403, &plan), Refusal::Subscription);
        assert_eq!(refusal(Method::Get, 422, &plan), Refusal::Subscription);
        assert_eq!(
            refusal(Method::Get, 403, r#"{"message":"subscription does not permit this"}"#),
            Refusal::Subscription
        );
        assert_eq!(
            refusal(Method::Get, 400, r#"{"message":"invalid symbol: A^B"}"#),
            Refusal::NotTradable
        );
    }

    #[test]
    fn the_available_shares_are_kept_whether_text_or_number() {
        for available in [r#""0.557436865""#, "0.557436865"] {
            let body = format!(
                r#"{{"code":40310000,"message":"insufficient qty available for order","available":{available}}}"#
            );
            assert_eq!(
                refusal(Method::Post, 403, &body),
                Refusal::Shares { available: Some(Shares::parse("0.557436865").unwrap()) }
            );
        }
    }

    #[test]
    fn a_wash_trade_is_known_by_its_extras_too() {
        let body = r#"{"code":40310000,"message":"reworded","existing_order_id":"f1a0"}"#;
        assert_eq!(refusal(Method::Post, 403, body), Refusal::WashTrade);
    }

    #[test]
    fn keys_that_are_wrong_call_a_person_whatever_the_form_of_the_answer() {
        for (status, body) in [
            (401, r#"{"message":"unauthorized."}"#),
            (401, "<html><head><title>401 Authorization Required</title></head></html>"),
            (401, ""),
            (403, r#"{"message":"forbidden."}"#),
            (403, r#"{"code":40300000,"message":"request is forbidden"}"#),
            (403, "<html>403 Forbidden</html>"),
        ] {
            for method in [Method::Get, Method::Post, Method::Delete] {
                let error = of_answer(method, &answer(status, body));
                assert!(matches!(error, BrokerError::Unauthorised(_)), "{status} {body}: {error}");
            }
        }
    }

    #[test]
    fn a_write_that_may_have_happened_is_ambiguous_and_a_read_only_unavailable() {
        for (status, body) in [
            (500, said(50_010_000, "internal server error")),
            (502, "<html>Bad Gateway</html>".to_owned()),
            (503, String::new()),
            (504, "<html>Gateway Time-out</html>".to_owned()),
            (408, r#"{"message":"request timeout"}"#.to_owned()),
            (404, "<html>no such page</html>".to_owned()),
            (422, "not json".to_owned()),
            (400, "<html>400</html>".to_owned()),
        ] {
            let read = of_answer(Method::Get, &answer(status, &body));
            assert!(matches!(read, BrokerError::Unavailable(_)), "{status}: {read:?}");
            for method in [Method::Post, Method::Delete] {
                let write = of_answer(method, &answer(status, &body));
                assert!(matches!(write, BrokerError::Ambiguous(_)), "{status}: {write:?}");
            }
        }
    }

    #[test]
    fn a_redirect_is_never_followed_and_never_a_success() {
        let moved = answer(302, "");
        assert!(matches!(of_answer(Method::Get, &moved), BrokerError::Malformed(_)));
        assert!(matches!(of_answer(Method::Post, &moved), BrokerError::Ambiguous(_)));
    }

    #[test]
    fn too_many_requests_say_when_to_come_back_if_the_broker_does() {
        let mut slow = answer(429, "<html>");
        assert_eq!(of_answer(Method::Get, &slow), BrokerError::RateLimited { retry_at: None });
        slow.headers.push(("x-ratelimit-reset".to_owned(), "1791470000".to_owned()));
        let retry_at = Timestamp::from_second(1_791_470_000).ok();
        assert_eq!(of_answer(Method::Post, &slow), BrokerError::RateLimited { retry_at });
        slow.headers[0].1 = "soon".to_owned();
        assert_eq!(of_answer(Method::Get, &slow), BrokerError::RateLimited { retry_at: None });
    }

    #[test]
    fn only_a_request_that_never_left_is_known_to_have_done_nothing() {
        let unsent = TransportError::NotSent("dns".to_owned());
        let unheard = TransportError::NoAnswer("timed out".to_owned());
        assert!(matches!(of_silence(Method::Post, &unsent), BrokerError::Unavailable(_)));
        assert!(matches!(of_silence(Method::Post, &unheard), BrokerError::Ambiguous(_)));
        assert!(matches!(of_silence(Method::Delete, &unheard), BrokerError::Ambiguous(_)));
        assert!(matches!(of_silence(Method::Get, &unheard), BrokerError::Unavailable(_)));
    }

    #[test]
    fn long_pages_are_shortened() {
        let error = of_answer(Method::Get, &answer(503, &"x ".repeat(5_000)));
        assert!(error.to_string().len() < 300);
    }
}
