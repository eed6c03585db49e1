//! Acting: the sells, the wait, the cash, the buy plan, the buys. Decides nothing.
//!
//! *What* is fixed by the plan, *how* by `pricing` and `order_life`. Orders of one phase go
//! together, phases never overlap, and the broker's answers to reading requests are the truth.

use tokio::{join, try_join};

use crate::application::dealing::Dealing;
use crate::application::desk::Watch;
use crate::application::floor::{Floor, Sent};
use crate::application::journal::Kept;
use crate::application::stop::Stop;
use crate::application::{outcomes, trouble};
use crate::domain::execution::{Execution, OrderOutcome};
use crate::domain::incident::Incident;
use crate::domain::money::Usd;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::Side;
use crate::domain::plan::{BuyPlan, fund::fund};
use crate::domain::report::LimitUse;
use crate::domain::risk::ApprovedPlan;

/// What came of acting.
#[derive(Default)]
pub struct Executed {
    /// The outcomes.
    pub execution: Execution,
    /// The buy plan as it is kept, if it came to that.
    pub buy_plan: Option<Kept<BuyPlan>>,
    /// What went wrong.
    pub incidents: Vec<Incident>,
    /// Why a later invocation should go on with it, if one may.
    pub(super) unfinished: Option<Stop>,
    /// Use of the limits on sending.
    pub limits: Vec<LimitUse>,
}

/// Carries a plan out; a plan already carried out in part is continued from the broker's truth.
///
/// # Errors
/// [`Stop`] when an earlier invocation's orders cannot be known: the run stays open then, for its
/// end must not be told without them.
pub(super) async fn execute(
    plan: &ApprovedPlan,
    floor: &Floor<'_>,
    watch: Option<Watch>,
) -> Result<Executed, Stop> {
    let mut dealing = Dealing::new(plan, floor, watch);
    let mut done = Executed::default();
    let mut unknown = phases(plan, floor, &mut dealing, &mut done).await.err();
    if floor.sent == Sent::Nothing
        && let Some(incident) = unknown.take().and_then(|stop| stop.incident)
    {
        dealing.stop(*incident); // all that was sent is in memory, so the run can be ended
    }
    done.unfinished = dealing.unfinished();
    (done.execution.stopped, done.incidents, done.limits) = dealing.close().await;
    unknown.map_or(Ok(done), Err)
}

async fn phases(
    plan: &ApprovedPlan,
    floor: &Floor<'_>,
    dealing: &mut Dealing<'_>,
    done: &mut Executed,
) -> Result<(), Stop> {
    let (ended_before, funded_before) = outcomes::kept_before(floor).await?;
    let sells = plan.plan().orders(Side::Sell).map(|(item, n)| (item.symbol.clone(), n)).collect();
    done.execution.sells = dealing.phase(Side::Sell, sells, None, ended_before).await?;
    if dealing.unfinished().is_some() {
        return Ok(()); // the sells go on later: no record may say that they have ended
    }
    let fresh = match funded_before {
        Some(_) => None,
        None => funded(plan, floor, dealing, &done.execution.sells).await,
    };
    ((), done.buy_plan) = try_join!(outcomes::keep_sells(floor, &done.execution.sells), async {
        let Some(fresh) = fresh else { return Ok(funded_before) };
        if is_planted(Mutant::BuyPlanNotKept) {
            let (at, code) = (floor.desk.clock.now(), String::new());
            let hash = floor.plan_hash.to_owned();
            return Ok(Some(Kept { body: fresh, hash, previous: None, at, mine: true, code }));
        }
        let kept = floor.journal.keep_after(floor.plan_hash, "buyplan.json", &fresh);
        let (kept, ()) = join!(kept, dealing.ask_permission());
        kept.map(Some)
    })?;
    let buy_plan = done.buy_plan.as_ref().map(|kept| &kept.body);
    let buys = buy_plan.map(BuyPlan::orders).unwrap_or_default();
    done.execution.buys = dealing.phase(Side::Buy, buys, buy_plan, false).await?;
    Ok(())
}

/// The buy plan, when buys are wanted and may still be sent.
async fn funded(
    plan: &ApprovedPlan,
    floor: &Floor<'_>,
    dealing: &mut Dealing<'_>,
    sold: &[OrderOutcome],
) -> Option<BuyPlan> {
    plan.plan().orders(Side::Buy).next()?;
    if floor.desk.clock.now() >= floor.no_submit_after {
        dealing.stop(trouble::too_late());
    }
    if dealing.is_stopped() {
        return None;
    }
    if sold.is_empty() && floor.sent == Sent::Nothing {
        return Some(fund(plan, sold, plan.plan().capital.cash, floor.desk.policy)); // read just now
    }
    let proceeds: Usd = sold.iter().map(OrderOutcome::value).sum();
    if is_planted(Mutant::PlannedProceeds) {
        let cash = plan.plan().capital.cash + plan.plan().value(Side::Sell);
        return Some(fund(plan, sold, cash, floor.desk.policy));
    }
    match dealing.cash(plan.plan().capital.cash + proceeds).await {
        Ok(cash) if is_planted(Mutant::BuyingPower) => {
            Some(fund(plan, sold, cash + cash, floor.desk.policy))
        }
        Ok(cash) => Some(fund(plan, sold, cash, floor.desk.policy)),
        Err(error) => {
            dealing.stop(trouble::broker(&error, "reading cash before the buys"));
            None
        }
    }
}
