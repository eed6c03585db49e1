//! A second evaluator, as plain as possible: words in lists, one day at a time, nothing
//! remembered, weights as maps. It shares no code with the first and is far too slow to use.

use std::collections::BTreeMap;

use crate::generated::Closes;

/// A word, or a bracket with its contents.
#[derive(Debug)]
pub(crate) enum Words {
    Word(String),
    Round(Vec<Words>),
    Square(Vec<Words>),
    Curly(Vec<Words>),
}

/// Something cannot be computed on that day.
#[derive(Debug)]
pub(crate) struct Gap;

pub(crate) type Portfolio = BTreeMap<String, f64>;

/// The body of a symphony.
pub(crate) fn read(text: &str) -> Words {
    let mut spaced = String::new();
    for line in text.lines() {
        let code = line.split(';').next().unwrap();
        let mut quoted = false;
        for sign in code.chars() {
            quoted ^= sign == '"';
            match sign {
                '(' | ')' | '[' | ']' | '{' | '}' => spaced.extend([' ', sign, ' ']),
                // A blank inside quotes must not split the word.
                ' ' if quoted => spaced.push('_'),
                ',' if !quoted => spaced.push(' '),
                _ => spaced.push(sign),
            }
        }
        spaced.push(' ');
    }
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let Words::Round(mut whole) = take(&mut words) else { panic!("a symphony") };
    whole.pop().unwrap()
}

fn take(words: &mut Vec<&str>) -> Words {
    let word = words.pop().unwrap();
    if !["(", "[", "{"].contains(&word) {
        return Words::Word(word.trim_matches('"').to_owned());
    }
    let mut inside = Vec::new();
    while ![")", "]", "}"].contains(words.last().unwrap()) {
        inside.push(take(words));
    }
    words.pop();
    match word {
        "(" => Words::Round(inside),
        "[" => Words::Square(inside),
        _ => Words::Curly(inside),
    }
}

impl Words {
    fn word(&self) -> &str {
        if let Self::Word(word) = self { word } else { panic!("a word, not {self:?}") }
    }

    fn call(&self) -> (&str, &[Self]) {
        let Self::Round(words) = self else { panic!("a call, not {self:?}") };
        (words[0].word(), &words[1..])
    }

    /// A function and what follows it, also where an exporter could not name it.
    fn function(&self) -> (&str, &[Self]) {
        let Self::Round(words) = self else { panic!("a call, not {self:?}") };
        let name = if let Self::Round(head) = &words[0] { &head[1] } else { &words[0] };
        (name.word(), &words[1..])
    }

    /// Windows by name, or in the order of their names here.
    fn windows(rest: &[Self]) -> Vec<usize> {
        let [Self::Curly(entries)] = rest else {
            return rest.iter().map(|word| word.word().parse().unwrap()).collect();
        };
        let days = |name: &str| {
            let found = entries.chunks(2).find(|entry| entry[0].word() == name)?;
            Some(found[1].word().parse().unwrap())
        };
        let names = [":window", ":short-window", ":long-window", ":smooth-window"];
        names.into_iter().filter_map(days).collect()
    }

    /// A ticker in the broker's spelling.
    fn ticker(&self) -> String {
        let plain = self.word().trim_start_matches("EQUITIES::").trim_end_matches("//USD");
        plain.replace(['/', '-'], ".")
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Square(inside) if inside.is_empty())
    }
}

fn children(words: &[Words]) -> Vec<&Words> {
    let listed = words.iter().flat_map(|words| match words {
        Words::Square(inside) => inside.iter().collect(),
        Words::Word(_) | Words::Round(_) | Words::Curly(_) => vec![words],
    });
    listed.collect()
}

/// What a node holds on a day; what is missing is cash.
pub(crate) fn weights(closes: &Closes, node: &Words, day: usize) -> Result<Portfolio, Gap> {
    if node.is_empty() {
        return Ok(Portfolio::new());
    }
    let (name, rest) = node.call();
    let shares: Vec<(&Words, f64)> = match name {
        "asset" => return Ok(Portfolio::from([(rest[0].ticker(), 1.0)])),
        "group" => equally(children(&rest[1..])),
        "weight-equal" => equally(children(rest)),
        "weight-specified" => {
            let mut portfolio = Portfolio::new();
            for pair in rest.chunks(2) {
                let share: f64 = pair[0].word().parse().unwrap();
                if share > 0.0 {
                    let branch = equally(children(std::slice::from_ref(&pair[1])));
                    add(&mut portfolio, share, held(closes, branch, day)?);
                }
            }
            return Ok(portfolio);
        }
        "if" => {
            let taken = if holds(closes, &rest[0], day)? { 1 } else { 2 };
            equally(children(std::slice::from_ref(&rest[taken])))
        }
        "filter" => {
            let ((function, windows), (select, count)) = (rest[0].function(), rest[1].call());
            let mut scored = Vec::new();
            for child in children(&rest[2..]) {
                let score = score(closes, child, function, &Words::windows(windows), day)?;
                scored.push(((score * 1e9).round(), child));
            }
            let falling = select == "select-top";
            // Minus zero is zero.
            let order = |a: &f64, b: &f64| a.partial_cmp(b).unwrap();
            scored.sort_by(|(a, _), (b, _)| if falling { order(b, a) } else { order(a, b) });
            scored.truncate(count[0].word().parse().unwrap());
            equally(scored.into_iter().map(|(_, child)| child).collect())
        }
        "weight-inverse-volatility" => {
            let window = rest[0].word().parse().unwrap();
            let mut inverse = Vec::new();
            for child in children(&rest[1..]) {
                let share = 1.0 / score(closes, child, "stdev-return", &[window], day)?;
                inverse.push((child, finite(share)?));
            }
            let sum: f64 = inverse.iter().map(|(_, share)| share).sum();
            inverse.into_iter().map(|(child, share)| (child, share / sum)).collect()
        }
        "unreachable" => panic!("a branch said to be unreachable is walked on day {day}"),
        other => panic!("{other}"),
    };
    held(closes, shares, day)
}

fn held(closes: &Closes, shares: Vec<(&Words, f64)>, day: usize) -> Result<Portfolio, Gap> {
    let mut portfolio = Portfolio::new();
    for (child, share) in shares {
        add(&mut portfolio, share, weights(closes, child, day)?);
    }
    Ok(portfolio)
}

fn add(portfolio: &mut Portfolio, share: f64, part: Portfolio) {
    for (symbol, weight) in part {
        *portfolio.entry(symbol).or_insert(0.0) += share * weight;
    }
}

fn equally(children: Vec<&Words>) -> Vec<(&Words, f64)> {
    let share = 1.0 / f64::from(u32::try_from(children.len()).unwrap());
    children.into_iter().map(|child| (child, share)).collect()
}

fn holds(closes: &Closes, condition: &Words, day: usize) -> Result<bool, Gap> {
    let (sign, sides) = condition.call();
    if let "never" | "always" = sign {
        let held = holds(closes, &sides[0], day)?;
        assert_eq!(held, sign == "always", "said to hold {sign} on day {day}: {:?}", sides[0]);
        return Ok(held);
    }
    if let "and" | "or" = sign {
        for side in sides {
            if holds(closes, side, day)? == (sign == "or") {
                return Ok(sign == "or");
            }
        }
        return Ok(sign == "and");
    }
    let (left, right) = (value(closes, &sides[0], day)?, value(closes, &sides[1], day)?);
    Ok(match sign {
        ">" => left > right,
        "<" => left < right,
        ">=" => left >= right,
        "<=" => left <= right,
        "=" => (left - right).abs() <= 0.0,
        other => panic!("{other}"),
    })
}

fn score(
    closes: &Closes,
    child: &Words,
    function: &str,
    windows: &[usize],
    day: usize,
) -> Result<f64, Gap> {
    if let Words::Round(words) = child
        && words[0].word() == "asset"
    {
        return indicator(function, windows, &until(closes, &words[1].ticker(), day)?);
    }
    // The longest unbroken run of days that matter, as an index that starts at 1.
    let most = if function == "rsi" { day } else { windows[0] };
    let mut returns = Vec::new();
    for d in (1..=day).rev().take(most) {
        match day_return(closes, child, d) {
            Ok(change) => returns.push(change),
            Err(Gap) => break,
        }
    }
    let mut index = vec![1.0];
    for change in returns.iter().rev() {
        index.push(index[index.len() - 1] * (1.0 + change));
    }
    indicator(function, windows, &index)
}

fn day_return(closes: &Closes, node: &Words, day: usize) -> Result<f64, Gap> {
    let mut sum = 0.0;
    for (symbol, weight) in weights(closes, node, day - 1)? {
        let column = &closes[&symbol];
        sum += weight * (column[day].ok_or(Gap)? / column[day - 1].ok_or(Gap)? - 1.0);
    }
    Ok(sum)
}

fn value(closes: &Closes, side: &Words, day: usize) -> Result<f64, Gap> {
    if let Words::Word(number) = side {
        return Ok(number.parse().unwrap());
    }
    let (function, rest) = side.function();
    let seen = until(closes, &rest[0].ticker(), day)?;
    indicator(function, &Words::windows(&rest[1..]), &seen)
}

/// A symbol's closes up to a day on which it has one.
pub(crate) fn until(closes: &Closes, symbol: &str, day: usize) -> Result<Vec<f64>, Gap> {
    let column = &closes[symbol][..=day];
    if column[day].is_none() { Err(Gap) } else { Ok(column.iter().flatten().copied().collect()) }
}

/// A function of all closes so far, by the letter of its definition.
pub(crate) fn indicator(function: &str, windows: &[usize], closes: &[f64]) -> Result<f64, Gap> {
    let window = windows.first().copied().unwrap_or(1);
    let last = |values: &[f64], count: usize| {
        values.len().checked_sub(count).map(|from| values[from..].to_vec()).ok_or(Gap)
    };
    let returns: Vec<f64> = closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    let value = match function {
        "current-price" => last(closes, 1)?[0],
        "moving-average-price" => mean(&last(closes, window)?),
        "stdev-price" => deviation(&last(closes, window)?),
        "moving-average-return" => mean(&last(&returns, window)?) * 100.0,
        "stdev-return" => deviation(&last(&returns, window)?) * 100.0,
        "cumulative-return" => {
            let seen = last(closes, window + 1)?;
            (seen[window] / seen[0] - 1.0) * 100.0
        }
        "max-drawdown" => {
            let seen = last(closes, window)?;
            let falls = (0..window).flat_map(|from| (from..window).map(move |to| (from, to)));
            falls.map(|(from, to)| 1.0 - seen[to] / seen[from]).fold(0.0, f64::max) * 100.0
        }
        "rsi" => rsi(closes, window)?,
        "exponential-moving-average-price" => {
            last(closes, window)?;
            averages(closes, window)[closes.len() - 1]
        }
        "percentage-price-oscillator" => *oscillator(closes, windows)?.last().unwrap(),
        "percentage-price-oscillator-signal" => {
            let gaps = oscillator(closes, windows)?;
            last(&gaps, windows[2])?;
            averages(&gaps, windows[2])[gaps.len() - 1]
        }
        other => panic!("{other}"),
    };
    finite(value)
}

fn finite(value: f64) -> Result<f64, Gap> {
    if value.is_finite() { Ok(value) } else { Err(Gap) }
}

/// Exponential averages of all values, the first being its own.
fn averages(values: &[f64], window: usize) -> Vec<f64> {
    let share = 2.0 / (count(window) + 1.0);
    let mut averages = vec![values[0]];
    for value in &values[1..] {
        averages.push(share * value + (1.0 - share) * averages[averages.len() - 1]);
    }
    averages
}

/// The oscillator from the day on which both windows are filled.
fn oscillator(closes: &[f64], windows: &[usize]) -> Result<Vec<f64>, Gap> {
    let first = windows[0].max(windows[1]) - 1;
    if closes.len() <= first {
        return Err(Gap);
    }
    let (short, long) = (averages(closes, windows[0]), averages(closes, windows[1]));
    let gap = |day: usize| (short[day] - long[day]) / long[day] * 100.0;
    Ok((first..closes.len()).map(gap).collect())
}

fn rsi(closes: &[f64], window: usize) -> Result<f64, Gap> {
    let moves: Vec<f64> = closes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if moves.len() < window {
        return Err(Gap);
    }
    let smoothed = |side: f64| {
        let sided: Vec<f64> = moves.iter().map(|step| (step * side).max(0.0)).collect();
        let days = count(window);
        let next = |average: f64, step: &f64| (average * (days - 1.0) + step) / days;
        sided[window..].iter().fold(mean(&sided[..window]), next)
    };
    let (up, down) = (smoothed(1.0), smoothed(-1.0));
    if up + down > 0.0 { Ok(100.0 * (up / (up + down))) } else { Ok(50.0) }
}

/// The sample standard deviation.
fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - middle).powi(2)).collect();
    let all = count(values.len());
    (mean(&squares) * all / (all - 1.0)).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}
