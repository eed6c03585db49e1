//! The protocol: how a session is traded once, whatever breaks on the way.
//!
//! No code lives here. This page says what the modules beside it keep to together, what happens
//! after a break at every point, what is assumed of the broker, and what is not promised. The
//! trials of `alchemiser simulate` try to prove it wrong.
//!
//! # The idea in five sentences
//!
//! Nobody can make a store and a broker change together, so neither tries. What is decided is
//! written down once, before anything of it is sent. What was sent has a name that follows from
//! what was decided, so that sending it again is asking about it. What happened is read from the
//! broker, every time, and never remembered in place of it. Whoever comes second goes on from
//! there.
//!
//! # Records
//!
//! [`journal`](crate::application::journal) lists them. Each is **put once**: of many writers one
//! stores its bytes, and all others read those and go on with them. A write without an answer is
//! repeated with the same bytes, up to four times; if still nobody answers, the run stops and stays
//! open. No record is ever changed or taken back.
//!
//! Each begins with a digest of its bytes and names the SHA-256 of its **parent**, the bytes that
//! it was decided on:
//!
//! ```text
//! final.json of the run before
//!  ├─ snapshot.json ── plan.json ─┬─ att/../2.json ── 3 ── 4
//!  │                              ├─ intent/../{k}.json      (at-most-once only)
//!  │                              ├─ refused/../{k}.json
//!  │                              ├─ sells.json
//!  │                              └─ buyplan.json ── buys.json
//!  └─ final.json ── mail/run.json
//! ```
//!
//! Parents are told from what is stored and not from what a process remembers, so that two writers
//! of one run name the same ones. Digest, run and parent are looked at before anything continues
//! from a record (`journal::chain`). One that does not fit is `journal-corrupt`: the run stops,
//! what it has open is cancelled, and nothing is repaired.
//!
//! One record is read only to be compared: the closes of the run before, for a past that was
//! rewritten (`hindsight`). Nothing continues from it and nothing waits for it; missing, damaged or
//! late, it is a line of the report.
//!
//! # States
//!
//! There is no field that says how far a run is. What exists says it:
//!
//! | there is | the run is |
//! |---|---|
//! | nothing, or only a delivery | not begun; only a `trade` event begins it |
//! | `open.json` | begun, nothing decided, nothing sent |
//! | `plan.json` | decided; any order of the plan may be at the broker |
//! | `buyplan.json` or `sells.json` | past its sells: none of them is sent any more |
//! | `final.json` | over; at most its letter is still owed |
//!
//! # Turn
//!
//! Two slots of one account are two runs, with leases of their own, the same shares and the same
//! cash. Before a run keeps its plan it takes the session's next **turn**,
//! `runs/{mode}/{account}/{session}/turn/{n}.json`, put once like everything else, `n` from 1
//! upward. A turn that is stored for this run is its own, whichever invocation took it. One that
//! is another run's is passed by only if this run plans from that run's final record, and so knows
//! its fills. Otherwise it stops with `overlap`, sends nothing and stays open; its resume looks
//! back anew. So of two runs that may both plan, one does. Before a run cancels an order of ours
//! that it takes for left over, or stops at shares that no fact explains, it looks whether another
//! has the turn: then they are that run's, and `overlap` is the reason too.
//!
//! # Lease
//!
//! `lease/{epoch}.json` says that an invocation works on the run, for the time it has left and five
//! seconds more, by the store's clock. It is given back at the end and never renewed. Another
//! invocation steps back at once while it holds, and takes the next epoch when it is over. **Safety
//! does not rest on it.** Two processes that both believe to be alone share one plan, one buy plan
//! and one set of order ids; the lease saves requests and second letters.
//!
//! # Attempts
//!
//! An order of the plan is worked on in attempts, one at a time. The id of attempt `k` is a
//! function of run, symbol, side and `k` ([`ClientOrderId`](crate::domain::order::ClientOrderId));
//! the first is permitted by the plan or the buy plan. Before attempt `k + 1` two things must hold:
//! the broker shows attempt `k` as ended, and `att/{side}/{symbol}/{k+1}.json` is kept, with what
//! is left after the executions of all that ended. Executions of an ended order do not change, so
//! two writers of that record write the same, and the sum of all attempts stays within the plan. A
//! process that still takes attempt `k` for open cannot make `k + 1`; one that sends `k` late meets
//! its own id.
//!
//! # A submission without an answer
//!
//! It counts as sent and as not sent, both. Nothing else is done with that order until a look by
//! its id decides: found, it is taken up; not found, *the same request under the same id* goes out
//! again after the control object was read again. Looks come at growing intervals. The answer "this
//! id is taken" is no refusal but means: it is there, look. A refusal in words means that there is
//! no order. If the broker would take fewer shares, the same id goes out once more with those; else
//! the words are kept (`refused/`), for they leave no trace at the broker, and nobody asks twice.
//!
//! # Adoption
//!
//! An invocation that finds a plan it did not just make looks for the orders first: the broker's
//! list from ten minutes before the plan, attempt by attempt in turn. What is found is taken up
//! with its executions and, if open, watched to its end. It has to be of the right symbol and side
//! and of no more shares than the rest; anything else is `adopted-order-differs` and stops every
//! further order. A list may lag behind: where orders may still be sent, an order it does not show
//! goes out again under the same id, and the broker knows it. Where nothing may be sent any more,
//! it is looked up by its id, three times at half-second intervals, before it counts as never sent.
//! While the list cannot be read, nobody knows what was sent: the run stays open and no end is
//! recorded.
//!
//! # Unknown
//!
//! An order that had to be given up before its end was seen is UNKNOWN: neither filled nor gone. It
//! is in the letter (a sell in an alert before it), stays in the ledger as unsettled, and the next
//! run books what became of it from the broker's orders before it decides. If it turns up while the
//! run still works, it is cancelled. After `unknowns_max` of them no more orders are sent.
//!
//! # Sells, buy plan, buys
//!
//! Phases do not overlap. When every sell has ended or is unknown, cash is read from the broker,
//! for a while again and again until it shows what the sells brought; the smaller of shown and
//! expected counts. `buyplan.json` cuts the buys to it and is kept before the first buy leaves. It
//! is one budget for all invocations: whoever resumes takes the stored one, never fresh cash, part
//! of which may already be spent. What sells were expected to bring buys nothing.
//!
//! # Resume, and a run left behind
//!
//! The same event again and a `resume` do the same with a begun run: without a plan they decide
//! anew, if the event is young enough; with one they adopt and go on, up to the first of plan's
//! age, cut-off before the close, end of permission and own deadline. After that, or on a closed
//! exchange, they **settle**: what works is cancelled, what happened is booked, the run ends. A run
//! with a plan that is still open on a later run's morning is settled by that run before it decides
//! (`left_open`), because its ledger has to know the fills.
//!
//! # Force
//!
//! [`force`](crate::application::force): the next generation of a finished session, at most the
//! third, with a reason and a term. It is a run of its own with ids of its own, decided from what
//! the account then holds; after a complete run that is an empty plan. It skips no check.
//!
//! # Two versions of the code
//!
//! The hash of the program is in every record. A plan of another program is settled, not carried
//! on: what one version would send of the other's plan, nobody has tested. A record of a newer form
//! stops the run.
//!
//! # At most once
//!
//! `submit_mode = "at-most-once"` is for a broker whose ids are not unique. Each attempt then needs
//! `intent/{side}/{symbol}/{k}.json`; the one invocation whose bytes were stored sends it, once,
//! and everybody else only looks. No answer, a rate limit or "fewer shares, please" sends nothing
//! again. The price: an order lost on its way, or a process killed between intent and request,
//! leaves that order undone or unknown until the next session.
//!
//! # Halt
//!
//! [`control`](crate::application::control) is read before the plan is kept, before every round of
//! orders, before a request is repeated, and every second while orders work. A word that counts for
//! a round is at most a second old. `halt-new` lets an attempt work to its end, `halt-all` cancels
//! at once, no object at all means stop. While it cannot be read nothing leaves, and the run may go
//! on later.
//!
//! # Crash points
//!
//! "Next" is the next invocation of the run: a second delivery, a resume, or a later session's run.
//!
//! | | killed | what is there | next does | safe because |
//! |---|---|---|---|---|
//! | C1 | before `open.json` | at most a delivery | a `trade` begins; a resume finds nothing, the watch tells | nothing happened |
//! | C2 | `open.json` on its way | perhaps it | opens it, or reads it | put once |
//! | C3 | after the lease, nothing decided | opening, lease | steps back until the lease is over, then takes the next epoch | nothing is sent without a plan |
//! | C4 | while reading or deciding | the same, perhaps stale orders cancelled | cancels the rest, reads and decides anew | deciding is pure, and cancelling twice is cancelling |
//! | C5 | decided, plan not stored | perhaps a snapshot, perhaps a turn | decides anew on a snapshot of its own, `snapshot/{writer}.json`, and finds its own turn | an unstored plan sent nothing |
//! | C6 | `plan.json` on its way | perhaps it | goes on with the stored one | put once; the loser carries out the winner's plan |
//! | C7 | plan stored, nothing sent | plan | finds no order, sends the first attempts | the ids are unused |
//! | C8 | an order on its way | plan, perhaps an order | takes it up, or sends the same id | whichever arrives first is the order, the other is refused |
//! | C9 | order accepted, answer unread | plan, order | finds it by its id | as C8 |
//! | C10 | between two orders of a phase | plan, some orders | each order for itself: takes up or sends | orders do not depend on each other within a phase |
//! | C11 | while waiting | plan, open orders | reads them, watches on; past its attempt's time cancels | the stream only ends waits early |
//! | C12 | cancellation sent | order open or ended | cancels again until the end is seen | no next attempt before that |
//! | C13 | `att/../{k}.json` on its way | perhaps it | writes the same, or reads it | made from executions that do not change |
//! | C14 | attempt `k` recorded, order on its way | the record, perhaps an order | as C8 | as C8; never more than recorded |
//! | C15 | sells ended, `sells.json` not stored | ended orders | reads their ends again, tries what is left while there is time | ends are ends |
//! | C16 | `sells.json` stored, no buy plan | it | sends no sell; reads cash, makes the buy plan | no buy has left yet |
//! | C17 | `buyplan.json` on its way | perhaps it | takes the stored one; with it, no sell is sent either | one budget |
//! | C18 | during the buys | buy plan, some orders | as C7 to C14 | as there |
//! | C19 | buys ended, no `final.json` | ended orders, perhaps `buys.json` | reads all ends again, books, ends | the books follow from plan and ends |
//! | C20 | `final.json` on its way | perhaps it | takes the stored one, or as C19 | put once |
//! | C21 | ended, letter not sent | `final.json`, perhaps `begun/N/mail/run.json` | sends the letter, if it is the same event or a resume, once whoever ended the run or began to send has given up (`given-up/N/mail/run.json`) or two minutes have passed | no `mail/run.json` |
//! | C22 | letter taken, `mail/run.json` not stored | `final.json` | sends it a second time | two letters are better than none |
//! | C23 | everything done, answer lost | all | does nothing | `final.json` is read first |
//! | C24 | before a line of ours ran | nothing | as C1; the watch tells | nothing happened |
//! | C25 | while cancelling everything | some orders cancelled | reads them, cancels the others | cancelling is idempotent |
//! | C26 | not killed but frozen, and thawed later | lease over, perhaps another at work | the thawed one reads the clock before each round and sends nothing past its time; what it had already begun to send carries the shared ids | ids, limits and day orders; not the lease |
//!
//! Every call that leaves the process is one of these points on both of its sides. `make simulate`
//! kills a run at each of them, and at pairs of them in a run and its resume.
//!
//! # What is assumed of the broker
//!
//! * **A client order id is taken once for ever**: also when two requests come at the same moment,
//!   and also after its order was filled, cancelled or rejected. Everything above about sending
//!   again rests on this.
//! * An order that was refused in words does not exist.
//! * An ended order stays ended, with its executions.
//! * An order that exists is found by its id within the looks above, and by the next morning for
//!   sure.
//! * Orders are good for the day: none of ours lives on into the next session.
//!
//! If the first is false, a repeated request whose first copy was only slow buys or sells twice.
//! The books would not hide it: positions would differ from the ledger after the run, which is
//! CRITICAL, and the next run would stop at what no fact explains. But the trade would be done.
//! Then set `submit_mode = "at-most-once"`.
//!
//! How to look: `alchemiser check-broker` on a paper account orders one share of SPY far below the
//! market, reads it by its id, sends the same id while it is open, cancels, and sends the same id
//! once more; both must be refused. It sends one request after the other, so it says nothing about
//! two at the same moment. Do it before real money, and again when the broker announces changes.
//!
//! # What is not claimed
//!
//! * That a session is traded. Doubt, lateness, a halt or a store that is away end in no order.
//! * That buys follow sells. A run can end between them, with the money in cash and a letter.
//! * Exactly one letter: at least one, when mail can be sent, and two where one died between
//!   sending and recording it.
//! * Anything about a person or another program that trades the same account at the same time,
//!   beyond not selling their shares and saying what differs.
//! * That a request on its way cannot arrive after everybody has stopped looking for it. It is
//!   bounded: by its timeout, its limit, the cut-off, the day; the next run cancels what it finds
//!   of ours before it decides, and books what was executed.
//! * That a broker which lies consistently is found out, or a store that loses the end of a history
//!   without a trace. A ledger that is missing while orders of ours exist stops everything.
//! * That the trials prove more than they try: their exchange is ours. `check-broker` and weeks on
//!   paper are the other half.
