//! The list of an account's runs: one HTML file beside their pages, with their equity and a search.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::money::Usd;
use crate::domain::report::{EquityPoint, RunReport, Verdict};
use crate::domain::run::{RunKey, StrategyName};
use crate::domain::symbol::Symbol;
use crate::presentation::answers::headline;
use crate::presentation::chart::equity::curve_of;
use crate::presentation::chart::picture::push_svg;
use crate::presentation::figures::{count, day, dollars, money, percent_change};
use crate::presentation::line::clip;
use crate::presentation::markup::Markup;
use crate::presentation::page::{SECURED, STYLED, cell, class};
use crate::presentation::sheet::Align;
use crate::presentation::tally::equity_change;
use crate::presentation::words::{listed, verdict_tone};

/// Most runs listed: four years of sessions.
pub const RUNS_MAX: usize = 1000;
/// Most symbols and codes remembered of a run.
const NAMES_MAX: usize = 40;
/// Names shown in one cell.
const SHOWN_MAX: usize = 12;
/// The search. It is the one script of all our pages, and its hash is all that the page lets run.
const SCRIPT: &str = include_str!("index.js");
/// SHA-256 of the script, base64.
const SCRIPT_HASH: &str = "e9hdeReHWu1jko+iwedoQBJekxatZXd3Qs4u1INuJPU=";

/// One run in the list of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRow {
    /// The run.
    pub key: RunKey,
    /// How it ended.
    pub verdict: Verdict,
    /// What it did, in a few words.
    pub headline: String,
    /// Equity after it, if known.
    pub equity: Option<Usd>,
    /// Change of equity since the close before, as a fraction, if known.
    pub change: Option<Decimal>,
    /// What each sleeve was worth after it, as far as prices are known.
    #[serde(default)]
    pub sleeves: BTreeMap<StrategyName, Usd>,
    /// What it ordered.
    #[serde(default)]
    pub symbols: Vec<Symbol>,
    /// Codes of what went wrong.
    #[serde(default)]
    pub incidents: Vec<String>,
}

impl IndexRow {
    /// The row of a run.
    pub fn of(report: &RunReport) -> Self {
        let sleeves = report.ledger.iter().flat_map(|ledger| &ledger.sleeves);
        let worth = |shares: &BTreeMap<Symbol, _>| -> Option<Usd> {
            shares.iter().map(|(symbol, held)| Some(*held * *report.prices.get(symbol)?)).sum()
        };
        let ordered: BTreeSet<Symbol> =
            report.execution.outcomes().map(|order| order.symbol.clone()).collect();
        let codes: BTreeSet<String> =
            report.incidents.iter().map(|incident| clip(&incident.code, 60)).collect();
        Self {
            key: report.key.clone(),
            verdict: report.verdict,
            headline: headline(report),
            equity: report.account.as_ref().map(|account| account.equity_after),
            change: equity_change(report).and_then(|(_, rate)| rate),
            sleeves: sleeves
                .filter_map(|(name, sleeve)| Some((name.clone(), worth(&sleeve.shares)?)))
                .collect(),
            symbols: ordered.into_iter().take(NAMES_MAX).collect(),
            incidents: codes.into_iter().take(NAMES_MAX).collect(),
        }
    }
}

/// The runs of one account, newest first, each with a link to its page beside this one.
pub fn index_html(rows: &[IndexRow]) -> String {
    let mut newest: Vec<&IndexRow> = rows.iter().collect();
    newest.sort_by(|a, b| (b.key.session, &b.key).cmp(&(a.key.session, &a.key)));
    newest.truncate(RUNS_MAX);
    let mut out = Markup::default();
    out.put(SECURED).put("; script-src 'sha256-").put(SCRIPT_HASH).put("'").put(STYLED);
    out.put("Runs</title></head><body><main><header class=\"quiet\"><p><b>ALCHEMISER</b> <span>");
    let whose = newest.first().map(|row| format!("{} · {}", row.key.mode, row.key.account));
    out.text(&whose.unwrap_or_default().into()).put("</span></p><h1>Runs</h1>");
    let equity = newest.iter().find_map(|row| row.equity);
    if let Some(equity) = equity {
        out.put("<p class=\"money\">").text(&money(equity).into()).put("</p>");
    }
    out.put("</header>");
    push_curve(&mut out, &newest);
    out.put(
        "<section class=\"find\" hidden><label for=\"find\">Find a session, symbol, strategy, ",
    );
    out.put("verdict or incident</label> <input id=\"find\" type=\"search\" autocomplete=\"off\">");
    out.put(" <span id=\"count\" role=\"status\"></span></section>");
    out.put("<table class=\"index\"><thead><tr><th>Session</th><th>Verdict</th>");
    out.put("<th class=\"right\">Equity</th><th class=\"right\">Change</th><th>Sleeves</th>");
    out.put("<th>Ordered</th><th>Incidents</th></tr></thead><tbody>");
    for row in newest {
        push_row(&mut out, row);
    }
    out.put("</tbody></table></main><script>").put(SCRIPT).put("</script></body></html>\n");
    out.finish()
}

/// The equity after the last run of each session.
fn push_curve(out: &mut Markup, newest: &[&IndexRow]) {
    let open = newest.iter().rev().filter(|row| row.verdict != Verdict::Closed);
    let points =
        open.filter_map(|row| Some(EquityPoint { session: row.key.session, equity: row.equity? }));
    let points: Vec<EquityPoint> = points.collect();
    if let Some(chart) = curve_of(&points, &BTreeMap::new(), None) {
        out.put("<section class=\"curve\"><h2>Equity over ")
            .text(&count(points.len(), "run").into());
        out.put("</h2>");
        push_svg(out, &chart.picture, &chart.alt);
        out.put("</section>");
    }
}

fn push_row(out: &mut Markup, row: &IndexRow) {
    let RunKey { session, slot, generation, .. } = &row.key;
    let repeat = if *generation > 0 { format!(", repeat {generation}") } else { String::new() };
    let verdict = format!("{}: {}", row.verdict.word(), clip(&row.headline, 80));
    out.put("<tr><td data-name=\"Session\"><a href=\"");
    out.text(&format!("{session}/{slot}/g{generation}.html").into()).put("\">");
    out.text(&format!("{}, {slot}{repeat}", day(*session)).into()).put("</a></td>");
    out.put("<td data-name=\"Verdict\" class=\"").put(class(verdict_tone(row.verdict)));
    out.put("\">").text(&verdict.into()).put("</td>");
    let equity = row.equity.map(money).unwrap_or_default();
    let change = row.change.map(percent_change).unwrap_or_default();
    cell(out, ("Equity", Align::Right), &equity.into());
    cell(out, ("Change", Align::Right), &change.into());
    let sleeves = row.sleeves.iter().map(|(name, worth)| format!("{name} {}", dollars(*worth)));
    cell(out, ("Sleeves", Align::Left), &listed(&sleeves.collect::<Vec<_>>(), SHOWN_MAX).into());
    let symbols: Vec<String> = row.symbols.iter().map(Symbol::to_string).collect();
    cell(out, ("Ordered", Align::Left), &listed(&symbols, SHOWN_MAX).into());
    let codes: Vec<String> = row.incidents.iter().map(|code| clip(code, 60)).collect();
    cell(out, ("Incidents", Align::Left), &listed(&codes, SHOWN_MAX).into());
    out.put("</tr>");
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_page_lets_its_own_script_run_and_no_other() {
        let digest = ring::digest::digest(&ring::digest::SHA256, SCRIPT.as_bytes());
        assert_eq!(STANDARD.encode(digest), SCRIPT_HASH);
        assert!(!SCRIPT.contains("</"), "it would end itself");
    }
}
