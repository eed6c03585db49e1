//! What a run does, told in sentences: the real broker adapter on the simulated exchange, in
//! virtual time, with records and mail kept in memory.

#![cfg(test)]

mod agree;
mod cut;
mod kept;
mod stage;
mod told;

mod again;
mod arming;
mod blips;
mod books;
mod brake;
mod chain;
mod days;
mod defaults;
mod faults_broker;
mod faults_late;
mod faults_life;
mod faults_market;
mod force;
#[path = "../form/mod.rs"]
mod form;
mod guards;
mod hindsight;
mod incidents;
mod large;
mod lessons;
mod limits;
mod older;
mod opposed;
mod orders;
mod past;
mod periods;
mod permission;
mod push;
#[path = "../python/mod.rs"]
mod python;
mod rates;
mod receipt;
mod records;
mod recount;
mod replay;
mod shapes;
mod sleeves;
mod slots;
mod time;
mod trials;
mod turmoil;
mod watch;
mod wire;
