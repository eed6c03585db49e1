//! What is outside, furnished into a house for one invocation.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::application::desk::Desk;
use crate::application::journal::listing::Listing;
use crate::application::meter::{Machine, Meter, Metered};
use crate::application::ports::{
    Clock, Credentials, Mailer, Messenger, Store, StoreError, TradeUpdates,
};
use crate::application::push::Pushes;
use crate::application::run::House;
use crate::application::trouble;
use crate::domain::book::{self, StrategyFiles};
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::policy::Policy;
use crate::domain::run::{AccountName, Mode, StrategyName};
use crate::domain::session::exchange_date;
use crate::domain::strategy::{StrategyError, StrategySlot};
use crate::infrastructure::alpaca::{Alpaca, Connection, Feeds};
use crate::infrastructure::hosts::may_be_pushed_to;
use crate::infrastructure::http::Transport;
use crate::presentation::Pictures;

/// Strategy files read from a store; more are a mistake, not a book.
const STRATEGY_FILES_MAX: usize = 50;
/// Where the store's own strategies lie.
const STRATEGIES: &str = "strategies/";

/// The broker is asked nothing any more so long before the invocation's end: a broker that hangs
/// must leave time for the final record and the mail.
const RECORDING: SignedDuration = SignedDuration::from_secs(12);

/// What lies outside: the world's ends of all ports.
#[derive(Clone)]
pub struct Outside {
    /// Carries requests to the broker.
    pub transport: Arc<dyn Transport>,
    /// The broker's keys.
    pub credentials: Arc<dyn Credentials>,
    /// The broker's push messages.
    pub updates: Arc<dyn TradeUpdates>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Records.
    pub store: Arc<dyn Store>,
    /// Mail.
    pub mailer: Arc<dyn Mailer>,
    /// Policy laid over the default instead of the store's, as text.
    pub policy_text: Option<String>,
    /// Sender over the policy's.
    pub mail_from: Option<String>,
    /// Recipients over the policy's.
    pub mail_to: Option<Vec<String>>,
    /// Carries pushes; `None` where none are sent.
    pub messenger: Option<Arc<dyn Messenger>>,
    /// What it runs on.
    pub machine: Machine,
    /// Which code this is, see [`code`](crate::interface::code).
    pub code: String,
}

/// Which invocation this is.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// A name that no other invocation has.
    pub writer: String,
    /// It is over at this moment.
    pub deadline: Timestamp,
}

/// Everything one invocation works with.
pub struct Site {
    outside: Outside,
    invocation: Invocation,
    meter: Arc<Meter>,
    store: Metered<dyn Store>,
    mailer: Metered<dyn Mailer>,
    broker: Alpaca,
    policy: Policy,
    book: Vec<StrategySlot>,
    listing: Option<Listing>,
}

impl Outside {
    /// Reads policy and strategies and furnishes the site of one invocation.
    ///
    /// # Errors
    /// The incident that keeps the invocation from having rules to work by.
    pub async fn furnish(
        &self,
        mode: Mode,
        account: &AccountName,
        invocation: Invocation,
    ) -> Result<Site, Incident> {
        let meter = Arc::new(Meter::new(self.machine));
        let store = Metered::new(&self.store, &meter);
        let clock = self.clock.as_ref();
        let (policy, texts, listing) = tokio::join!(
            self.policy(&store, mode, account),
            strategy_files(&store),
            Listing::of(&store, clock, (mode, account), exchange_date(clock.now())),
        );
        let policy = policy?;
        let texts = texts.map_err(|error| trouble::journal(&error.into()))?;
        let feeds = Feeds { bars: policy.bars_feed.clone(), quotes: policy.quotes_feed.clone() };
        let asked_until = invocation.deadline.checked_sub(RECORDING).ok();
        Ok(Site {
            outside: self.clone(),
            invocation,
            mailer: Metered::new(&self.mailer, &meter),
            store,
            meter,
            broker: Alpaca::new(self.connection(mode, asked_until), feeds),
            book: book::slots(&policy, &texts),
            policy,
            listing: listing.ok(), // the run lists again and says what is wrong
        })
    }

    /// The broker alone, for what needs no policy.
    pub fn broker(&self, mode: Mode, deadline: Option<Timestamp>) -> Alpaca {
        let policy = Policy::compiled_in();
        let feeds = Feeds { bars: policy.bars_feed, quotes: policy.quotes_feed };
        Alpaca::new(self.connection(mode, deadline), feeds)
    }

    fn connection(&self, mode: Mode, deadline: Option<Timestamp>) -> Connection {
        Connection {
            transport: Arc::clone(&self.transport),
            credentials: Arc::clone(&self.credentials),
            clock: Arc::clone(&self.clock),
            mode,
            deadline,
        }
    }

    /// The default policy with the mail addresses of the settings, for when there is no other.
    pub fn default_policy(&self) -> Policy {
        self.addressed(Policy::compiled_in())
    }

    async fn policy(
        &self,
        store: &dyn Store,
        mode: Mode,
        account: &AccountName,
    ) -> Result<Policy, Incident> {
        let key = policy_key(mode, account);
        let text = match &self.policy_text {
            Some(text) => text.clone(),
            None => match store.get(&key).await {
                Ok(Some(record)) => String::from_utf8(record.bytes).map_err(|_| {
                    configuration(Code::PolicyMalformed, &format!("{key} is not UTF-8"))
                })?,
                Ok(None) => String::new(),
                Err(error) => return Err(trouble::journal(&error.into())),
            },
        };
        let policy = Policy::parse(&text).map_err(|error| error.to_string());
        let policy = policy.and_then(|policy| pushable(&policy).map(|()| policy));
        policy.map(|policy| self.addressed(policy)).map_err(|wrong| {
            configuration(Code::PolicyMalformed, &wrong)
                .meaning("Nothing was traded: a policy is either right or not followed at all.")
                .action("Correct the key it names and run again.")
        })
    }

    fn addressed(&self, mut policy: Policy) -> Policy {
        if let Some(from) = &self.mail_from {
            policy.mail.from.clone_from(from);
        }
        if let Some(to) = &self.mail_to {
            policy.mail.to.clone_from(to);
        }
        policy
    }
}

impl Site {
    /// The house for this invocation.
    pub fn house(&self) -> House<'_> {
        House {
            desk: Desk {
                broker: &self.broker,
                market: &self.broker,
                updates: self.outside.updates.as_ref(),
                clock: self.outside.clock.as_ref(),
                policy: &self.policy,
            },
            store: &self.store,
            mailer: &self.mailer,
            book: &self.book,
            listing: self.listing.as_ref(),
            writer: &self.invocation.writer,
            code: &self.outside.code,
            deadline: self.invocation.deadline,
            pictures: Pictures::Drawn,
            meter: &self.meter,
            messenger: self.outside.messenger.as_deref(),
            pushes: Pushes::default(),
        }
    }
}

/// Whether pushes may go where the policy wants them; the address stays hidden.
fn pushable(policy: &Policy) -> Result<(), String> {
    policy.push.channels().try_for_each(|channel| {
        let allowed = may_be_pushed_to(channel.address().expose());
        allowed.map_err(|error| format!("{} is {error}", channel.key()))
    })
}

/// The store's own strategies by name, in any encoding; files of another ending or name are left
/// alone.
pub(super) async fn strategy_files(store: &dyn Store) -> Result<StrategyFiles, StoreError> {
    let mut files = StrategyFiles::new();
    for key in store.list(STRATEGIES).await?.into_iter().take(STRATEGY_FILES_MAX) {
        let file = key.trim_start_matches(STRATEGIES).rsplit_once('.');
        let Some((stem, "clj" | "edn" | "json")) = file else { continue };
        let Ok(name) = StrategyName::parse(stem) else { continue };
        let Some(record) = store.get(&key).await? else { continue };
        let unreadable = |reason: String| StrategyError::Unreadable { reason };
        let read = String::from_utf8(record.bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            unreadable(format!("{key} is not UTF-8 text: its byte {valid} is none"))
        });
        // Nobody knows which of two files is meant.
        let twice = || Err(unreadable(format!("{key} is not the only file of {name}: keep one")));
        let read = if files.contains_key(&name) { twice() } else { read };
        files.insert(name, read);
    }
    Ok(files)
}

/// Where an account's policy lies in the store.
pub fn policy_key(mode: Mode, account: &AccountName) -> String {
    format!("config/{mode}/{account}/policy.toml")
}

pub(super) fn configuration(code: Code, what: &str) -> Incident {
    Incident::new(Category::Configuration, code, "wiring", what)
        .meaning("Nothing was traded.")
        .action("Correct the setting it names and run again.")
}
