//! The risk gate: limits, and the only maker of approved plans and orders.
