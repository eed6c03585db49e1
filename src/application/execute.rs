//! Acting: the sells, the wait, the cash, the buy plan, the buys. Decides nothing.
//!
//! *What* is fixed by the plan, *how* by `pricing` and `order_life`. Orders of one phase go
//! together, phases never overlap, and the broker's answers to reading requests are the truth.

use jiff::Timestamp;

use crate::application::dealing::Dealing;
use crate::application::desk::Desk;
use crate::application::journal::{Journal, JournalError};
use crate::application::ports::{BrokerError, Store};
use crate::application::trouble;
use crate::domain::execution::{Execution, OrderOutcome};
use crate::domain::incident::Incident;
use crate::domain::money::Usd;
use crate::domain::order::Side;
use crate::domain::plan::BuyPlan;
use crate::domain::plan::fund::fund;
use crate::domain::risk::ApprovedPlan;

/// What acting needs besides the plan.
pub struct Floor<'a> {
    /// The ways to the market.
    pub desk: &'a Desk<'a>,
    /// The run's records.
    pub journal: &'a Journal<'a>,
    /// For the control object.
    pub store: &'a dyn Store,
    /// SHA-256 of the stored plan.
    pub plan_hash: &'a str,
    /// Whether an earlier invocation may have sent orders of this plan.
    pub resumed: bool,
    /// No order leaves from here on.
    pub no_submit_after: Timestamp,
    /// Everything has to have ended by then.
    pub end: Timestamp,
}

/// What came of acting.
#[derive(Debug, Default)]
pub struct Executed {
    /// The outcomes.
    pub execution: Execution,
    /// The buy plan, if it came to that.
    pub buy_plan: Option<BuyPlan>,
    /// What went wrong.
    pub incidents: Vec<Incident>,
    /// Why nobody can say what became of the orders of an earlier invocation: the books stay open.
    pub unseen: Option<Incident>,
}

/// What ends the phases early.
enum Cut {
    Journal(JournalError),
    Orders(BrokerError),
}

/// Carries a plan out; a plan already carried out in part is continued from the broker's truth.
pub async fn execute(plan: &ApprovedPlan, floor: &Floor<'_>) -> Executed {
    let mut dealing = Dealing::new(plan, floor);
    let mut done = Executed::default();
    if let Err(cut) = phases(plan, floor, &mut dealing, &mut done).await {
        let incident = match cut {
            Cut::Journal(error) => trouble::journal(&error),
            Cut::Orders(error) => trouble::broker(&error, "reading the orders sent before"),
        };
        if floor.resumed {
            done.unseen = Some(incident.clone());
        }
        dealing.stop(incident);
    }
    (done.execution.stopped, done.incidents) = dealing.close().await;
    done
}

async fn phases(
    plan: &ApprovedPlan,
    floor: &Floor<'_>,
    dealing: &mut Dealing<'_>,
    done: &mut Executed,
) -> Result<(), Cut> {
    let chain = Some(floor.plan_hash);
    let sells = plan.plan().orders(Side::Sell).map(|(item, n)| (item.symbol.clone(), n)).collect();
    let sold_before = floor.journal.read::<Vec<OrderOutcome>>("sells.json").await?.is_some();
    done.execution.sells = dealing.phase(Side::Sell, sells, None, sold_before).await?;
    floor.journal.keep("sells.json", chain, &done.execution.sells).await?;
    done.buy_plan = match floor.journal.read::<BuyPlan>("buyplan.json").await? {
        Some(kept) => Some(kept.body),
        None => match funded(plan, floor, dealing, &done.execution.sells).await {
            Some(fresh) => Some(floor.journal.keep("buyplan.json", chain, &fresh).await?.body),
            None => return Ok(()),
        },
    };
    let items = done.buy_plan.iter().flat_map(|buy_plan| &buy_plan.items);
    let buys = items.map(|item| (item.symbol.clone(), item.shares)).collect();
    done.execution.buys = dealing.phase(Side::Buy, buys, done.buy_plan.as_ref(), false).await?;
    floor.journal.keep("buys.json", chain, &done.execution.buys).await?;
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
    let proceeds: Usd = sold.iter().map(OrderOutcome::value).sum();
    match floor.desk.cash(plan.plan().capital.cash + proceeds).await {
        Ok(cash) => Some(fund(plan, sold, cash, floor.desk.policy)),
        Err(error) => {
            dealing.stop(trouble::broker(&error, "reading cash before the buys"));
            None
        }
    }
}

impl From<JournalError> for Cut {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<BrokerError> for Cut {
    fn from(error: BrokerError) -> Self {
        Self::Orders(error)
    }
}
