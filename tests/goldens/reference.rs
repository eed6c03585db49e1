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

    fn window(rest: &[Self]) -> usize {
        match rest {
            [Self::Curly(entry)] => entry[1].word().parse().unwrap(),
            _ => 1,
        }
    }
}

fn children(words: &[Words]) -> Vec<&Words> {
    let listed = words.iter().flat_map(|words| match words {
        Words::Square(inside) => inside.iter().collect(),
        Words::Word(_) | Words::Round(_) | Words::Curly(_) => vec![words],
    });
    listed.collect()
}

pub(crate) fn weights(closes: &Closes, node: &Words, day: usize) -> Result<Portfolio, Gap> {
    let (name, rest) = node.call();
    let shares: Vec<(&Words, f64)> = match name {
        "asset" => return Ok(Portfolio::from([(rest[0].word().to_owned(), 1.0)])),
        "group" => equally(children(&rest[1..])),
        "weight-equal" => equally(children(rest)),
        "weight-specified" => {
            let pairs = rest.chunks(2);
            pairs.map(|pair| (&pair[1], pair[0].word().parse().unwrap())).collect()
        }
        "if" => {
            let (sign, sides) = rest[0].call();
            let (left, right) = (value(closes, &sides[0], day)?, value(closes, &sides[1], day)?);
            let holds = if sign == ">" { left > right } else { left < right };
            equally(children(std::slice::from_ref(&rest[if holds { 1 } else { 2 }])))
        }
        "filter" => {
            let ((function, window), (select, count)) = (rest[0].call(), rest[1].call());
            let mut scored = Vec::new();
            for child in children(&rest[2..]) {
                let score = score(closes, child, function, Words::window(window), day)?;
                scored.push(((score * 1e9).round(), child));
            }
            let falling = select == "select-top";
            scored.sort_by(|(a, _), (b, _)| if falling { b.total_cmp(a) } else { a.total_cmp(b) });
            scored.truncate(count[0].word().parse().unwrap());
            equally(scored.into_iter().map(|(_, child)| child).collect())
        }
        "weight-inverse-volatility" => {
            let window = rest[0].word().parse().unwrap();
            let mut inverse = Vec::new();
            for child in children(&rest[1..]) {
                inverse.push((child, 1.0 / score(closes, child, "stdev-return", window, day)?));
            }
            let sum: f64 = inverse.iter().map(|(_, share)| share).sum();
            inverse.into_iter().map(|(child, share)| (child, share / sum)).collect()
        }
        other => panic!("{other}"),
    };
    let mut portfolio = Portfolio::new();
    for (child, share) in shares {
        for (symbol, weight) in weights(closes, child, day)? {
            *portfolio.entry(symbol).or_insert(0.0) += share * weight;
        }
    }
    Ok(portfolio)
}

fn equally(children: Vec<&Words>) -> Vec<(&Words, f64)> {
    let share = 1.0 / f64::from(u32::try_from(children.len()).unwrap());
    children.into_iter().map(|child| (child, share)).collect()
}

fn score(
    closes: &Closes,
    child: &Words,
    function: &str,
    window: usize,
    day: usize,
) -> Result<f64, Gap> {
    let (name, rest) = child.call();
    if name == "asset" {
        return indicator(function, window, &until(closes, rest[0].word(), day)?);
    }
    let mut returns = Vec::new();
    for d in (1..=day).rev() {
        if function != "rsi" && returns.len() == window {
            break;
        }
        match day_return(closes, child, d) {
            Ok(change) => returns.push(change),
            Err(Gap) => break,
        }
    }
    returns.reverse();
    if function == "rsi" {
        let mut level = 1.0;
        let rises = returns.iter().map(|change| {
            level *= 1.0 + change;
            level
        });
        return rsi(&std::iter::once(1.0).chain(rises).collect::<Vec<f64>>(), window);
    }
    of_returns(function, window, &returns)
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
    let (function, rest) = side.call();
    let seen = until(closes, rest[0].word(), day)?;
    indicator(function, Words::window(&rest[1..]), &seen)
}

/// A symbol's closes up to a day on which it has one.
pub(crate) fn until(closes: &Closes, symbol: &str, day: usize) -> Result<Vec<f64>, Gap> {
    let column = &closes[symbol][..=day];
    if column[day].is_none() { Err(Gap) } else { Ok(column.iter().flatten().copied().collect()) }
}

pub(crate) fn indicator(function: &str, window: usize, closes: &[f64]) -> Result<f64, Gap> {
    match function {
        "current-price" => closes.last().copied().ok_or(Gap),
        "moving-average-price" if closes.len() < window => Err(Gap),
        "moving-average-price" => Ok(mean(&closes[closes.len() - window..])),
        "rsi" => rsi(closes, window),
        _ => {
            let returns: Vec<f64> = closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
            of_returns(function, window, &returns)
        }
    }
}

fn of_returns(function: &str, window: usize, returns: &[f64]) -> Result<f64, Gap> {
    if returns.len() < window {
        return Err(Gap);
    }
    let last = &returns[returns.len() - window..];
    match function {
        "moving-average-return" => Ok(mean(last) * 100.0),
        "cumulative-return" => {
            Ok((last.iter().map(|change| 1.0 + change).product::<f64>() - 1.0) * 100.0)
        }
        "stdev-return" => {
            let middle = mean(last);
            let squares: Vec<f64> = last.iter().map(|r| (r - middle).powi(2)).collect();
            let count = f64::from(u32::try_from(window).unwrap());
            Ok((mean(&squares) * count / (count - 1.0)).sqrt() * 100.0)
        }
        other => panic!("{other}"),
    }
}

fn rsi(closes: &[f64], window: usize) -> Result<f64, Gap> {
    let moves: Vec<f64> = closes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if moves.len() < window {
        return Err(Gap);
    }
    let smoothed = |side: f64| {
        let sided: Vec<f64> = moves.iter().map(|step| (step * side).max(0.0)).collect();
        let count = f64::from(u32::try_from(window).unwrap());
        sided[window..]
            .iter()
            .fold(mean(&sided[..window]), |average, step| (average * (count - 1.0) + step) / count)
    };
    let (up, down) = (smoothed(1.0), smoothed(-1.0));
    if up + down > 0.0 { Ok(100.0 * up / (up + down)) } else { Ok(50.0) }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap())
}
