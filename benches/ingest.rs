//! From the bytes of an answer to columns: 70 symbols of 300 daily bars, through the adapter.
//!
//! Goal: at most 9 ms (the program this one replaces needs about 380 ms for the same bytes).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alchemiser::application::ports::MarketData;
use alchemiser::domain::run::Mode;
use alchemiser::domain::symbol::Symbol;
use alchemiser::infrastructure::alpaca::{Alpaca, Connection, Feeds};
use alchemiser::infrastructure::clock::MachineClock;
use alchemiser::infrastructure::http::{Request, Response, Transport, TransportError};
use alchemiser::infrastructure::local::secrets::StaticKeys;
use async_trait::async_trait;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::civil::{Date, Weekday, date};

const SYMBOLS: usize = 70;
const BARS: usize = 300;
const THROUGH: Date = date(2026, 11, 19);

/// Answers each request for bars with a page made once.
#[derive(Default)]
struct Pages(Mutex<BTreeMap<String, Vec<u8>>>);

#[async_trait]
impl Transport for Pages {
    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        let mut pages = self.0.lock().expect("no other holder panicked");
        // The end moves with the clock, the symbols tell the pages apart.
        let query = request.target.split("symbols=").nth(1).unwrap_or_default();
        let symbols = query.split('&').next().unwrap_or_default().to_owned();
        let body = pages.entry(symbols.clone()).or_insert_with(|| page(&symbols)).clone();
        Ok(Response { status: 200, headers: Vec::new(), body })
    }
}

fn page(symbols: &str) -> Vec<u8> {
    let mut days: Vec<Date> = std::iter::successors(Some(THROUGH), |day| day.yesterday().ok())
        .filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
        .take(BARS)
        .collect();
    days.reverse();
    let mut text = String::from("{\"bars\":{");
    for (nth, symbol) in symbols.split(',').enumerate() {
        let comma = if nth == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\"{symbol}\":[");
        for (number, day) in days.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let cents = (number * 37 + nth * 11) % 90;
            let _ = write!(
                text,
                "{comma}{{\"c\":{0}.{cents:02},\"h\":{0}.95,\"l\":{0}.01,\"n\":612345,\"o\":{0}.52,\"t\":\"{day}T04:00:00Z\",\"v\":58123344,\"vw\":{0}.177431}}",
                100 + number,
            );
        }
        text.push(']');
    }
    text.push_str("},\"next_page_token\":null,\"currency\":\"USD\"}");
    text.into_bytes()
}

fn ingest(criterion: &mut Criterion) {
    let wanted: BTreeMap<Symbol, usize> = (0..SYMBOLS)
        .map(|nth| (Symbol::parse(&format!("SYM{nth}")).expect("a ticker"), BARS))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let transport = Arc::new(Pages::default());
    let read = || {
        let connection = Connection {
            transport: transport.clone(),
            credentials: Arc::new(StaticKeys::new("PKBENCHMARK", "invented")),
            clock: Arc::new(MachineClock),
            mode: Mode::Paper,
            deadline: None,
        };
        let feeds = Feeds { bars: "sip".to_owned(), quotes: "iex".to_owned() };
        let alpaca = Alpaca::new(connection, feeds);
        let histories = runtime.block_on(alpaca.daily(&wanted, THROUGH)).expect("histories");
        assert_eq!(histories.iter().map(|(_, h)| h.closes().len()).sum::<usize>(), SYMBOLS * BARS);
        histories
    };
    let _ = read();
    let bytes: usize = transport.0.lock().expect("not poisoned").values().map(Vec::len).sum();
    let mut group = criterion.benchmark_group("ingest");
    group.measurement_time(Duration::from_secs(5));
    group.throughput(Throughput::Bytes(u64::try_from(bytes).expect("a few megabytes")));
    group.bench_function("70 symbols x 300 bars", |bencher| bencher.iter(read));
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);
