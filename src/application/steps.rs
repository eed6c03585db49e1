//! The words between one order and those who work for it: its next step, until when it may take
//! one, and what an answer means beyond it.

use jiff::Timestamp;

use crate::domain::code::Code;
use crate::domain::money::Shares;
use crate::domain::order::{ClientOrderId, OrderRequest};

/// What an order needs next.
pub(super) enum Step {
    /// A price and a request for its next attempt.
    Draft,
    /// To be sent, or sent again under the same id.
    Send(OrderRequest),
    /// A look whether the broker has it.
    Look(ClientOrderId),
    /// A cancellation, by the broker's id.
    Cancel(String),
    /// Nothing before this moment, unless the broker has news.
    Wait(Timestamp),
    /// Nothing any more.
    Over,
}

/// What an answer means beyond the order itself.
pub(super) enum Concern {
    /// Nothing.
    None,
    /// The broker refused the order.
    Refused,
    /// The same id may be sent with this many shares.
    Fewer(Shares),
    /// Nothing more may be sent at all.
    Stop(Code, String),
}

/// Until when attempts may begin, and until when those at work may go on.
#[derive(Clone, Copy)]
pub(super) struct Until {
    pub(super) begins: Timestamp,
    pub(super) works: Timestamp,
}

impl Until {
    /// The same moment for both.
    pub(super) const fn both(moment: Timestamp) -> Self {
        Self { begins: moment, works: moment }
    }
}
