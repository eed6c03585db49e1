//! How virtual time moves: the earliest wait is granted once nobody is busy.
//!
//! Whichever waiter looks a few times without anything having happened moves time, but only to
//! the earliest deadline. A deadline whose owner is busy elsewhere and does not poll it is passed
//! like any other, and found over when it is polled again.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::Timestamp;

use crate::simulator::world::{State, World};

/// Looks without anything happening before a waiter moves time. Some joins turn the order of
/// polling with every wake, so two looks in a row need not have everybody else in between;
/// three do.
const LOOKS_MIN: u8 = 3;

/// A wait for a moment, or for an order message before it.
pub(super) struct Waiting {
    world: World,
    deadline: Timestamp,
    /// Ends the wait as soon as there are more messages than this.
    messages: Option<usize>,
    ticket: Option<u64>,
    seen: u64,
    /// Looks since something happened.
    looks: u8,
}

impl Waiting {
    pub(super) fn for_time(world: &World, duration: Duration) -> Self {
        let deadline = world.with(|state| state.after(duration));
        Self { world: world.clone(), deadline, messages: None, ticket: None, seen: 0, looks: 0 }
    }

    pub(super) fn for_message(world: &World, at_most: Duration, seen: usize) -> Self {
        let mut waiting = Self::for_time(world, at_most);
        waiting.messages = Some(seen);
        waiting
    }

    fn is_over(&self, state: &State) -> bool {
        let called = self.messages.is_some_and(|seen| state.exchange.updates().len() > seen);
        called || state.now >= self.deadline
    }

    /// One step: over, or entered in the list, or (when nothing has happened since the last look)
    /// time moved to the next event or to the earliest deadline of all.
    fn step(&mut self, state: &mut State) -> Poll<()> {
        if self.ticket.is_none() {
            // Even a wait of no length lets the others have a turn.
            state.tickets += 1;
            state.activity += 1;
            state.waits.insert((self.deadline, state.tickets));
            (self.ticket, self.seen) = (Some(state.tickets), state.activity);
            return Poll::Pending;
        }
        if self.is_over(state) {
            return Poll::Ready(());
        }
        if state.activity != self.seen {
            (self.seen, self.looks) = (state.activity, 0);
            return Poll::Pending;
        }
        self.looks += 1;
        if self.looks < LOOKS_MIN {
            return Poll::Pending;
        }
        self.looks = 0;
        let ahead = (state.now, u64::MAX);
        let first = state.waits.range(ahead..).next().copied();
        let target = first.map_or(self.deadline, |(deadline, _)| deadline.min(self.deadline));
        let event = state.next_event().filter(|event| *event < target);
        state.advance_to(event.unwrap_or(target));
        state.activity += 1;
        self.seen = state.activity;
        if self.is_over(state) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Future for Waiting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let world = self.world.clone();
        let poll = world.with(|state| self.step(state));
        if poll.is_pending() {
            // Nobody else would wake us: time only moves when a waiter is polled.
            context.waker().wake_by_ref();
        }
        poll
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let key = (self.deadline, ticket);
            self.world.with(|state| {
                state.waits.remove(&key);
                state.activity += 1;
            });
        }
    }
}
