//! The broker's adapter against canned answers in the broker's shapes, and the offline twins.

#![cfg(test)]

mod canary;
mod door;
mod local;
mod market;
mod push;
mod script;
mod stream;
mod trading;
