//! A strategy over a market that was made up as well: short, flat, tiny, enormous, torn.

use super::symphony::{decide, histories, read};

/// Bytes that describe the market, before the text of the strategy.
const MARKET: usize = 9;
/// Highest close that a history takes.
const CLOSE_MAX: f64 = 10_000_000.0;

/// Three bytes for each of three symbols: how many closes, how they go, how the last one differs.
pub(crate) fn enter(bytes: &[u8]) {
    let Some((shape, text)) = bytes.split_at_checked(MARKET) else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Some(engine) = read(text) else { return };
    let closes = |at: usize| column(&shape[3 * at..3 * at + 3]);
    decide(&engine, &histories([("SPY", closes(0)), ("QQQ", closes(1)), ("BIL", closes(2))]));
}

fn column(shape: &[u8]) -> Vec<f64> {
    let count = usize::from(shape[0]).max(1);
    let level = [100.0, 1e-6, 1e6, 1e-300, 9e6][usize::from(shape[1] / 8) % 5];
    let step = |day: usize| f64::from(u16::try_from(day).unwrap_or(0));
    let way = |day: usize| match shape[1] % 8 {
        0 => 1.0,
        1 => 1.0 + step(day) / 100.0,
        2 => 1.0 / (1.0 + step(day)),
        3 => 1.0 + (step(day) * 0.7).sin() / 10.0,
        4 => 1.0 + step(day % 2),
        5 => 1.0 + step(day) * 1e-15,
        6 => 2.0_f64.powi(i32::try_from(day % 9).unwrap_or(0)),
        _ => 1.0 + step((day * day) % 7) / 50.0,
    };
    let mut closes: Vec<f64> = (0..count).map(|day| level * way(day)).collect();
    let last = [1.0, 1.0, 1e-9, 1e9, 0.5, 2.0, 1.0 + 1e-12, 0.97][usize::from(shape[2] % 8)];
    if let Some(close) = closes.last_mut() {
        *close *= last;
    }
    closes.into_iter().map(|close| close.clamp(f64::MIN_POSITIVE, CLOSE_MAX)).collect()
}
