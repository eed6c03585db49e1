//! What a run does, told in sentences: the real broker adapter on the simulated exchange, in
//! virtual time, with records and mail kept in memory.

#![cfg(test)]

mod cut;
mod kept;
mod stage;
mod told;

mod again;
mod blips;
mod days;
mod faults_broker;
mod faults_life;
mod faults_market;
mod guards;
mod lessons;
mod orders;
mod records;
mod replay;
mod sleeves;
mod time;
mod turmoil;
mod watch;
mod wire;
