//! Alpaca's REST interface and stream, over the one transport.
