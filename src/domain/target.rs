//! Targets: what due sleeves want to hold, and who passes shares to whom.
