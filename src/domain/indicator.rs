//! Indicators: float slices in, one float out.
