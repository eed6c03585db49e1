//! The broker's answers, read by the adapter behind its ports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alchemiser::application::ports::{Broker, Clock, MarketData};
use alchemiser::domain::market::QuoteRules;
use alchemiser::domain::order::{ClientOrderId, Side};
use alchemiser::domain::run::{AccountName, Mode, RunKey, Slot};
use alchemiser::domain::symbol::Symbol;
use alchemiser::infrastructure::alpaca::{Alpaca, Connection, Feeds};
use alchemiser::infrastructure::http::{Request, Response, Transport, TransportError};
use alchemiser::infrastructure::local::secrets::StaticKeys;
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

/// The day on which all questions are asked.
const TODAY: Date = date(2026, 11, 20);
/// When, in seconds of the epoch: 14:35 UTC of that day.
const NOW: i64 = 1_795_185_300;

/// The first byte says what is asked, the rest is the body of every answer.
pub(crate) fn enter(bytes: &[u8]) {
    let Some((what, body)) = bytes.split_first() else { return };
    super::wait_for(ask(*what, body));
}

async fn ask(what: u8, body: &[u8]) {
    let now = Timestamp::constant(NOW, 0);
    match what {
        b'a' => drop(answering(200, body).account().await),
        b'p' => {
            let positions = answering(200, body).positions().await.unwrap_or_default();
            assert!(positions.iter().all(|held| held.shares.decimal() >= Decimal::ZERO));
        }
        b'o' => {
            let orders = answering(200, body).orders_since(now).await.unwrap_or_default();
            assert!(orders.iter().all(|order| order.filled.decimal() >= Decimal::ZERO));
        }
        b'O' => drop(answering(200, body).open_orders().await),
        b'i' => {
            if let Ok(Some(order)) = answering(200, body).order(&id()).await {
                assert!(order.is_ours() && order.client_id == id().as_str());
            }
        }
        b's' => {
            let assets = answering(200, body).assets(&symbols()).await.unwrap_or_default();
            assert!(assets.iter().all(|(symbol, asset)| *symbol == asset.symbol));
        }
        b'c' => drop(answering(200, body).clock().await),
        b'k' => drop(answering(200, body).calendar(TODAY, TODAY).await),
        b't' => drop(answering(200, body).activities_since(now).await),
        b'b' => bars(body).await,
        b'q' => {
            let rules = QuoteRules { age_max: Duration::from_mins(1), spread_max: Decimal::ONE };
            let readings = answering(200, body).quotes(&symbols(), &rules).await;
            for reading in readings.unwrap_or_default().values() {
                if let Ok(quote) = reading.judge(now, &rules) {
                    assert!(quote.bid() <= quote.mid() && quote.mid() <= quote.ask());
                    assert!(quote.half_spread() >= Decimal::ZERO);
                }
            }
        }
        b'x' => drop(answering(200, body).splits(&symbols(), TODAY, TODAY).await),
        _ => {
            let status = [400, 401, 403, 404, 409, 422, 429, 500][usize::from(what % 8)];
            assert!(answering(status, body).cancel("an-order").await.is_err());
            drop(answering(status, body).order(&id()).await);
        }
    }
}

/// Bars that are taken are prices of past days, in order.
async fn bars(body: &[u8]) {
    let wanted: BTreeMap<Symbol, usize> =
        symbols().into_iter().map(|symbol| (symbol, 250)).collect();
    let Ok(histories) = answering(200, body).daily(&wanted, TODAY).await else { return };
    for (symbol, history) in histories.iter() {
        assert!(wanted.contains_key(symbol));
        assert!(history.days().is_sorted_by(|one, next| one < next));
        assert!(history.days().iter().all(|day| *day <= TODAY));
        assert!(history.closes().iter().all(|close| close.is_finite() && *close > 0.0));
        assert_eq!(history.days().len(), history.closes().len());
        let _ = (history.last_close(), history.median_volume(20));
    }
}

fn symbols() -> Vec<Symbol> {
    ["SPY", "BRK.B", "TECL"].map(|text| Symbol::parse(text).expect("a ticker")).to_vec()
}

fn id() -> ClientOrderId {
    let key = RunKey {
        mode: Mode::Paper,
        account: AccountName::parse("main").expect("a name"),
        session: TODAY,
        slot: Slot::parse("open").expect("a name"),
        generation: 0,
    };
    ClientOrderId::of(&key, &symbols()[0], Side::Buy, 1)
}

/// The adapter in a world that answers everything alike, and in which no wait takes time.
fn answering(status: u16, body: &[u8]) -> Alpaca {
    let now = Timestamp::constant(NOW, 0);
    let connection = Connection {
        transport: Arc::new(Always { status, body: body.to_vec() }),
        credentials: Arc::new(StaticKeys::new("PKFUZZFUZZFUZZ", "secret-secret-secret")),
        clock: Arc::new(Hasty(Mutex::new(now))),
        mode: Mode::Paper,
        deadline: now.checked_add(Duration::from_millis(100)).ok(),
    };
    Alpaca::new(connection, Feeds { bars: "sip".to_owned(), quotes: "iex".to_owned() })
}

struct Always {
    status: u16,
    body: Vec<u8>,
}

#[async_trait]
impl Transport for Always {
    async fn carry(&self, _request: Request) -> Result<Response, TransportError> {
        Ok(Response { status: self.status, headers: Vec::new(), body: self.body.clone() })
    }
}

/// A clock whose sleeps are over at once.
struct Hasty(Mutex<Timestamp>);

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("nobody broke off")
    }

    async fn sleep(&self, duration: Duration) {
        *self.0.lock().expect("nobody broke off") += duration;
    }
}
