//! A script in words.

use std::fmt;

use crate::simulator::trial::lifeline::Fate;
use crate::simulator::trial::script::{Code, Delivery, Happening, What};

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.after.as_secs();
        write!(f, "+{:02}:{:02} {}", seconds / 60, seconds % 60, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivery(delivery) => write!(f, "{delivery}"),
            Self::Request(on, trouble) => write!(f, "request {on}: {trouble:?}"),
            Self::Order(symbol, times, trouble) => {
                write!(f, "next {times} orders of {symbol}: {trouble:?}")
            }
            Self::Stream(trouble) => write!(f, "order stream: {trouble:?}"),
            Self::ReadsLag(lag) => write!(f, "account and positions are {lag:?} old"),
            Self::Shelf(trouble) => write!(f, "store: {trouble}"),
            Self::Post(times, trouble) => write!(f, "next {times} mails: {trouble:?}"),
            Self::Keys(trouble) => write!(f, "keys: {trouble:?}"),
            Self::Hand(what) => write!(f, "by hand: {what:?}"),
            Self::Operator(permit) => write!(f, "operator: {permit:?}"),
            Self::Market(turn) => write!(f, "market: {turn:?}"),
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.action)?;
        if self.fate != Fate::Lives {
            write!(f, ", {}", self.fate)?;
        }
        if !self.skew.is_zero() {
            write!(f, ", clock off by {:#}", self.skew)?;
        }
        if !self.scheduled_before.is_zero() {
            write!(f, ", comes {} s late", self.scheduled_before.as_secs())?;
        }
        if self.code == Code::Other {
            write!(f, ", another version")?;
        }
        Ok(())
    }
}
