//! The ledger carried forward by broker facts.

use crate::domain::incident::Incident;
use crate::domain::money::Usd;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::snapshot::Snapshot;

/// A ledger brought up to the moment of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Who owns which shares now.
    pub ledger: Ledger,
    /// Cash paid in (negative: out) since the ledger was last booked.
    pub transfers: Usd,
    /// What the operator should know.
    pub notes: Vec<Incident>,
}

/// Why a ledger cannot be carried forward: no orders until a person looked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Shares that no fact explains.
    #[error("shares that no fact explains: {0}")]
    Mismatch(String),
    /// An order of ours of this session is neither known nor dead.
    #[error("the end of these orders is unknown: {0}")]
    Unsettled(String),
}

/// Brings a ledger up to a snapshot by the broker's facts alone.
pub fn carry_forward(before: &Ledger, _snapshot: &Snapshot) -> Result<Carried, LedgerError> {
    Ok(Carried { ledger: before.clone(), transfers: Usd::ZERO, notes: Vec::new() })
}
