//! The limits of the risk gate.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::money::Weight;
use crate::domain::policy::{PolicyError, out_of_range};

/// Limits of the risk gate; see the README for what each is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Larger of bought and sold value in a run, as a fraction of D, or of the sleeves if they are
    /// worth more.
    pub turnover_run_max: Decimal,
    /// Bought plus sold value of all runs of a day, as a fraction of the same.
    pub turnover_day_max: Decimal,
    /// Value of one symbol in all sleeves, as a fraction of E; targets are cut to it.
    pub position_max: Weight,
    /// Orders of a run.
    pub orders_run_max: u32,
    /// Orders of a day.
    pub orders_day_max: u32,
    /// Orders submitted in any one second.
    pub submits_per_second_max: u32,
    /// An order's shares as a fraction of those traded on a median day; larger orders are cut.
    pub volume_share_max: Decimal,
    /// Widest spread traded, as a fraction of the mid price.
    pub spread_max: Decimal,
    /// Oldest quote traded on, in seconds.
    pub quote_age_max_seconds: u32,
    /// How far the last attempt may reach beyond the fresh quote.
    pub collar: Decimal,
    /// A move from the last close beyond this is a suspected split.
    pub split_suspect_move: Decimal,
    /// Loss since the previous close, net of transfers, that stops trading.
    pub daily_loss_max: Decimal,
    /// Loss from the highest recorded equity, net of transfers, that stops trading.
    pub drawdown_max: Decimal,
    /// Change of equity since the last record, net of transfers, that stops trading.
    pub equity_jump_max: Decimal,
    /// How far cash, sleeves and foreign shares at our prices may lie from the broker's own equity.
    pub equity_mismatch_max: Decimal,
    /// Allocation of failed strategies above which nothing is traded.
    pub failed_allocation_max: Weight,
    /// Refused or rejected orders after which no more are sent.
    pub rejections_max: u32,
    /// Unknown orders after which no more are sent.
    pub unknowns_max: u32,
}

impl Limits {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        let half = Decimal::new(5, 1);
        for (key, value, most, allowed) in [
            ("limits.turnover_run_max", self.turnover_run_max, Decimal::TWO, "above 0 to 2"),
            ("limits.turnover_day_max", self.turnover_day_max, Decimal::TEN, "above 0 to 10"),
            ("limits.position_max", self.position_max.decimal(), Decimal::ONE, "above 0 to 1"),
            ("limits.volume_share_max", self.volume_share_max, Decimal::ONE, "above 0 to 1"),
            ("limits.spread_max", self.spread_max, half, "above 0 to 0.5"),
            ("limits.collar", self.collar, half, "above 0 to 0.5"),
            ("limits.split_suspect_move", self.split_suspect_move, Decimal::ONE, "above 0 to 1"),
            ("limits.daily_loss_max", self.daily_loss_max, Decimal::ONE, "above 0 to 1"),
            ("limits.drawdown_max", self.drawdown_max, Decimal::ONE, "above 0 to 1"),
            ("limits.equity_jump_max", self.equity_jump_max, Decimal::TEN, "above 0 to 10"),
            ("limits.equity_mismatch_max", self.equity_mismatch_max, half, "above 0 to 0.5"),
        ] {
            if value <= Decimal::ZERO || value > most {
                return Err(out_of_range(key, value, allowed));
            }
        }
        for (key, count) in [
            ("limits.orders_run_max", self.orders_run_max),
            ("limits.orders_day_max", self.orders_day_max),
            ("limits.submits_per_second_max", self.submits_per_second_max),
            ("limits.quote_age_max_seconds", self.quote_age_max_seconds),
        ] {
            if !(1..=1000).contains(&count) {
                return Err(out_of_range(key, count, "1 to 1000"));
            }
        }
        Ok(())
    }
}
