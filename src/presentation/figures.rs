//! Numbers, money and times as people read them.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::domain::money::{Price, Shares, Usd};
use crate::domain::session::exchange_zone;

/// The sign of negative figures; as wide as a digit, unlike the hyphen.
pub(crate) const MINUS: char = '−';
/// Decimals of a share quantity in a letter; the stored record has all nine.
const SHARE_DECIMALS: u32 = 4;
/// Most decimals used to tell two compared values apart.
const VALUE_DECIMALS_MAX: usize = 6;

/// `$104,231.50`, `−$12.30`.
pub(crate) fn money(amount: Usd) -> String {
    let amount = amount.round_cents();
    let sign = if amount.is_negative() { "−" } else { "" };
    format!("{sign}${}", grouped(amount.decimal().abs(), 2))
}

/// Money to a hundredth of a cent: `$0.0194`.
pub(crate) fn small_money(amount: Usd) -> String {
    let sign = if amount.is_negative() { "−" } else { "" };
    format!("{sign}${}", grouped(round(amount.decimal().abs(), 4), 4))
}

/// Money with its sign shown: `+$415.20`, `−$12.30`, `$0.00`.
pub(crate) fn change(amount: Usd) -> String {
    let plus = if amount.round_cents().is_positive() { "+" } else { "" };
    format!("{plus}{}", money(amount))
}

/// Whole dollars, the cents cut off: `$104,231`.
pub(crate) fn dollars(amount: Usd) -> String {
    let whole = amount.decimal().trunc();
    let sign = if whole < Decimal::ZERO { "−" } else { "" };
    format!("{sign}${}", grouped(whole.abs(), 0))
}

/// A price with two to four decimals: `$71.25`, `$0.1234`.
pub(crate) fn price(price: Price) -> String {
    let rounded = round(price.decimal(), 4);
    let decimals = rounded.normalize().scale().clamp(2, 4);
    format!("${}", grouped(rounded, decimals))
}

/// Shares, cut off after four decimals: `1,204.5`.
pub(crate) fn shares(shares: Shares) -> String {
    let cut = shares.decimal().trunc_with_scale(SHARE_DECIMALS).normalize();
    if cut.is_zero() && !shares.is_zero() {
        return "under 0.0001".to_owned();
    }
    grouped(cut, cut.scale())
}

/// A fraction as a percentage with one decimal: `41.0%`.
pub(crate) fn percent(fraction: Decimal) -> String {
    let tenths = round(fraction.saturating_mul(Decimal::ONE_HUNDRED), 1);
    let sign = if tenths < Decimal::ZERO { "−" } else { "" };
    format!("{sign}{}%", grouped(tenths.abs(), 1))
}

/// A percentage with its sign shown: `+0.4%`.
pub(crate) fn percent_change(fraction: Decimal) -> String {
    let shown = percent(fraction);
    if shown.starts_with(MINUS) || shown == "0.0%" { shown } else { format!("+{shown}") }
}

/// A fraction as basis points with one decimal: `3.2 bps`.
pub(crate) fn basis_points(fraction: Decimal) -> String {
    let points = round(fraction.saturating_mul(Decimal::from(10_000)), 1);
    let sign = if points < Decimal::ZERO { "−" } else { "" };
    format!("{sign}{} bps", grouped(points.abs(), 1))
}

/// A part from 0 to 100 of a hundred, for bars.
pub(crate) fn hundredths(fraction: Decimal) -> u8 {
    let rounded = round(fraction.saturating_mul(Decimal::ONE_HUNDRED), 0);
    u8::try_from(rounded.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED)).unwrap_or_default()
}

/// A statistic from 0 to 1 as a percentage: `0.1%`.
pub(crate) fn ratio(value: f64) -> String {
    if value.is_finite() { format!("{:.1}%", value * 100.0) } else { "no number".to_owned() }
}

/// Two compared values and their distance, with as many decimals as it takes to see it.
pub(crate) fn compared(left: f64, right: f64) -> [String; 3] {
    let decimals = decimals_between(left, right);
    [left, right, (left - right).abs()].map(|value| statistic(value, decimals))
}

/// Two ranked scores, and in words how far apart they are: a difference below what decides is a tie.
pub(crate) fn ranked(last: f64, next: f64) -> [String; 3] {
    let decimals = if is_tie(last, next) { 2 } else { decimals_between(last, next) };
    let [last_told, next_told] = [last, next].map(|score| statistic(score, decimals));
    [last_told, next_told, apart(last, next, decimals)]
}

/// How far apart two ranked scores are, in words.
pub(crate) fn apart(last: f64, next: f64, decimals: usize) -> String {
    let gap = statistic((last - next).abs(), decimals);
    if is_tie(last, next) {
        "a tie, the first listed stays".to_owned()
    } else if gap == statistic(0.0, decimals) {
        format!("under {gap} apart").replace("0 apart", "1 apart")
    } else {
        format!("{gap} apart")
    }
}

/// Whether two scores rank alike: what differs below nine decimals does not decide.
pub(crate) fn is_tie(last: f64, next: f64) -> bool {
    (last - next).abs() < 1e-9
}

/// How many decimals it takes to tell two values apart, at least two.
pub(crate) fn decimals_between(left: f64, right: f64) -> usize {
    let mut decimals = 2;
    while decimals < VALUE_DECIMALS_MAX
        && format!("{left:.decimals$}") == format!("{right:.decimals$}")
    {
        decimals += 1;
    }
    decimals
}

/// How far a decision is from turning: `4.01%`.
pub(crate) fn margin(value: f64) -> String {
    if !value.is_finite() {
        "no number".to_owned()
    } else if value > 0.0 && value < 0.000_05 {
        "under 0.01%".to_owned()
    } else {
        format!("{:.2}%", value * 100.0)
    }
}

/// One statistic with two decimals.
pub(crate) fn value(value: f64) -> String {
    statistic(value, 2)
}

/// A close at which something turns, to the cent on the side on which it is turned: downwards when
/// that is below (`away` is negative), else upwards. Below a dollar it has four decimals.
pub(crate) fn edge_price(close: f64, away: f64) -> String {
    let decimals = if close < 1.0 { 4 } else { 2 };
    let ticks = if close < 1.0 { 10_000.0 } else { 100.0 };
    // What is a tick but for the last digits of a float is that tick.
    let near = (close * ticks).round();
    let exact = (close * ticks - near).abs() < 1e-6;
    let ticked = match (exact, away < 0.0) {
        (true, _) => near,
        (false, true) => (close * ticks).floor(),
        (false, false) => (close * ticks).ceil(),
    };
    statistic(ticked / ticks, decimals)
}

/// One statistic with so many decimals.
pub(crate) fn statistic(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "no number".to_owned();
    }
    let digits = format!("{:.decimals$}", value.abs());
    let sign =
        if value < 0.0 && digits.chars().any(|c| matches!(c, '1'..='9')) { "−" } else { "" };
    match digits.split_once('.') {
        Some((whole, rest)) => format!("{sign}{}.{rest}", with_thousands(whole)),
        None => format!("{sign}{}", with_thousands(&digits)),
    }
}

/// `20 Nov`.
pub(crate) fn day_month(date: Date) -> String {
    date.strftime("%-d %b").to_string()
}

/// `20 Nov 2026`.
pub(crate) fn day_month_year(date: Date) -> String {
    date.strftime("%-d %b %Y").to_string()
}

/// `Fri 20 Nov 2026`.
pub(crate) fn day(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

/// New York time with its zone: `09:35:02 EST`.
pub(crate) fn clock_time(moment: Timestamp) -> String {
    moment.to_zoned(exchange_zone()).strftime("%H:%M:%S %Z").to_string()
}

/// New York date and time with its zone: `20 Nov 2026 09:35:02 EST`.
pub(crate) fn moment(moment: Timestamp) -> String {
    moment.to_zoned(exchange_zone()).strftime("%-d %b %Y %H:%M:%S %Z").to_string()
}

/// The time from one moment to another: `41.3 s`, `3 min 05 s`.
pub(crate) fn elapsed(from: Timestamp, to: Timestamp) -> String {
    let milliseconds = to.duration_since(from).as_millis();
    let sign = if milliseconds < 0 { "−" } else { "" };
    let tenths = milliseconds.unsigned_abs() / 100;
    if tenths < 600 {
        return format!("{sign}{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = tenths / 10;
    format!("{sign}{} min {:02} s", seconds / 60, seconds % 60)
}

/// A time with one decimal of a second: `9.1 s`.
pub(crate) fn seconds(time: SignedDuration) -> String {
    elapsed(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH.saturating_add(time).unwrap_or_default())
}

/// `1 order`, `2 orders`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

fn round(value: Decimal, decimals: u32) -> Decimal {
    let rounded = value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    if rounded.is_zero() { Decimal::ZERO } else { rounded }
}

/// Digits of a value that is not negative, with thousands separators and so many decimals.
fn grouped(value: Decimal, decimals: u32) -> String {
    let mut value = round(value, decimals);
    value.rescale(decimals);
    let digits = value.to_string();
    match digits.split_once('.') {
        Some((whole, rest)) => format!("{}.{rest}", with_thousands(whole)),
        None => with_thousands(&digits),
    }
}

fn with_thousands(whole: &str) -> String {
    let mut shown = String::with_capacity(whole.len() + whole.len() / 3);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn usd(text: &str) -> Usd {
        Usd::parse(text).unwrap()
    }

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn money_has_separators_two_decimals_and_a_true_minus() {
        assert_eq!(money(usd("104231.5")), "$104,231.50");
        assert_eq!(money(usd("-12.3")), "−$12.30");
        assert_eq!(money(usd("999.999")), "$1,000.00");
        assert_eq!(money(usd("-0.001")), "$0.00");
        assert_eq!(money(usd("1000000000000")), "$1,000,000,000,000.00");
        assert_eq!(change(usd("415.2")), "+$415.20");
        assert_eq!(change(usd("0.004")), "$0.00");
        assert_eq!(dollars(usd("104231.99")), "$104,231");
        assert_eq!(dollars(usd("-0.9")), "$0");
    }

    #[test]
    fn percentages_have_one_decimal_and_nothing_is_minus_nothing() {
        assert_eq!(percent(dec("0.41")), "41.0%");
        assert_eq!(percent_change(dec("0.00398")), "+0.4%");
        assert_eq!(percent_change(dec("-0.0123")), "−1.2%");
        assert_eq!(percent_change(dec("-0.0001")), "0.0%");
        assert_eq!(basis_points(dec("0.00032")), "3.2 bps");
        assert_eq!(ratio(f64::NAN), "no number");
        assert_eq!(
            [hundredths(dec("-1")), hundredths(dec("0.555")), hundredths(dec("7"))],
            [0, 56, 100]
        );
    }

    #[test]
    fn prices_and_shares_show_what_matters() {
        assert_eq!(price(Price::parse("71.2").unwrap()), "$71.20");
        assert_eq!(price(Price::parse("1071.25126").unwrap()), "$1,071.2513");
        assert_eq!(shares(Shares::parse("1204.56789").unwrap()), "1,204.5678");
        assert_eq!(shares(Shares::parse("12.5").unwrap()), "12.5");
        assert_eq!(shares(Shares::parse("0.00001").unwrap()), "under 0.0001");
        assert_eq!(shares(Shares::ZERO), "0");
    }

    #[test]
    fn close_values_get_the_decimals_that_tell_them_apart() {
        assert_eq!(compared(78.9, 79.0), ["78.90", "79.00", "0.10"]);
        assert_eq!(compared(78.9996, 79.0), ["78.9996", "79.0000", "0.0004"]);
        assert_eq!(compared(1.0, 1.0), ["1.000000", "1.000000", "0.000000"]);
        assert_eq!(ranked(4.5, 4.25), ["4.50", "4.25", "0.25 apart"]);
        assert_eq!(ranked(4.000_000_04, 4.0)[2], "under 0.000001 apart");
        assert_eq!(ranked(4.0, 4.0), ["4.00", "4.00", "a tie, the first listed stays"]);
        assert_eq!(value(-0.001), "0.00");
        assert_eq!(value(-12345.678), "−12,345.68");
    }

    #[test]
    fn times_are_new_yorks_with_the_zone_of_the_season() {
        let winter: Timestamp = "2026-11-20T14:35:02Z".parse().unwrap();
        assert_eq!(moment(winter), "20 Nov 2026 09:35:02 EST");
        assert_eq!(clock_time("2026-07-01T13:35:00Z".parse().unwrap()), "09:35:00 EDT");
        assert_eq!(day(date(2026, 11, 20)), "Fri 20 Nov 2026");
        assert_eq!(elapsed(winter, "2026-11-20T14:35:43.34Z".parse().unwrap()), "41.3 s");
        assert_eq!(elapsed(winter, "2026-11-20T14:38:07Z".parse().unwrap()), "3 min 05 s");
    }
}
