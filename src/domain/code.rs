//! The codes of incidents: what alarms, repeats and the guide are keyed by.
//!
//! A code stands here or nowhere, and everything that stands here has its page in the guide.

use std::borrow::Cow;

macro_rules! codes {
    ($($name:ident $word:literal,)+) => {
        /// What went wrong, in one word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(
                #[doc = concat!("`", $word, "`")]
                $name,
            )+
            /// A limit or law of the gate over the whole plan, by its own name.
            Gate(&'static str),
        }

        impl Code {
            /// All but those of the gate.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word in records, logs and letters.
            pub fn word(self) -> Cow<'static, str> {
                match self {
                    $(Self::$name => Cow::Borrowed($word),)+
                    Self::Gate(rule) => Cow::Owned(format!("gate-{rule}")),
                }
            }
        }
    };
}

codes! {
    AccountBlocked "account-blocked",
    ActivityUnknown "activity-unknown",
    AdoptUndecided "adopt-undecided",
    AdoptedOrderDiffers "adopted-order-differs",
    AnswersChanged "answers-changed",
    BeforeOpen "before-open",
    BooksDiffer "books-differ",
    BrokerHost "broker-host",
    BrokerMalformed "broker-malformed",
    BrokerRateLimited "broker-rate-limited",
    BrokerRefused "broker-refused",
    BrokerUnauthorised "broker-unauthorised",
    BrokerUnreachable "broker-unreachable",
    CalendarShort "calendar-short",
    ClockCalendar "clock-calendar",
    ClockSkew "clock-skew",
    CodeChanged "code-changed",
    ControlUnreadable "control-unreadable",
    CutOff "cut-off",
    Deadline "deadline",
    Drill "drill",
    Dust "dust",
    Environment "environment",
    EventEarly "event-early",
    EventLate "event-late",
    EventRefused "event-refused",
    FewFilled "few-filled",
    FillPrice "fill-price",
    ForceRefused "force-refused",
    ForeignOrder "foreign-order",
    ForeignOrderUnsized "foreign-order-unsized",
    Halted "halted",
    HistoryRevised "history-revised",
    InstructionBooked "instruction-booked",
    InstructionRefused "instruction-refused",
    InternalFault "internal-fault",
    JournalCorrupt "journal-corrupt",
    LedgerLost "ledger-lost",
    LimitsLoosened "limits-loosened",
    LiveRefused "live-refused",
    MailNotSent "mail-not-sent",
    ManyRefused "many-refused",
    ManyRejections "many-rejections",
    ManyWrites "many-writes",
    MostOrdersFailed "most-orders-failed",
    NoCloud "no-cloud",
    NoRun "no-run",
    NotArmed "not-armed",
    NotTradable "not-tradable",
    OrderNotFilled "order-not-filled",
    OrderStopped "order-stopped",
    OrderUnknown "order-unknown",
    OrderUnsettled "order-unsettled",
    Overlap "overlap",
    OwnOrderOpen "own-order-open",
    Panic "panic",
    PolicyMalformed "policy-malformed",
    PositionMismatch "position-mismatch",
    PositionMismatchAfter "position-mismatch-after",
    PriceMissing "price-missing",
    PushNotSent "push-not-sent",
    QuoteUnusable "quote-unusable",
    RecordNewer "record-newer",
    RunAtWork "run-at-work",
    RunLeftOpen "run-left-open",
    RunNotGood "run-not-good",
    SecretDenied "secret-denied",
    SecretMalformed "secret-malformed",
    SecretMissing "secret-missing",
    SecretUnavailable "secret-unavailable",
    SettingsMoved "settings-moved",
    SleeveTouched "sleeve-touched",
    SplitSuspect "split-suspect",
    StoreDenied "store-denied",
    StoreUnavailable "store-unavailable",
    StrategyData "strategy-data",
    StrategyFailed "strategy-failed",
    Transport "transport",
    WatchNotRecorded "watch-not-recorded",
    Wiring "wiring",
}

impl PartialEq<Code> for String {
    fn eq(&self, code: &Code) -> bool {
        *self == *code.word()
    }
}
