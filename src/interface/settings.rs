//! The environment as typed settings: raw texts in, meaning out, each fault named.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::receipt::{Architecture, Function};
use crate::domain::run::{AccountName, Mode};
use crate::infrastructure::https::Trust;

/// Where records live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket.
    Bucket(String),
}

impl FromStr for StorePlace {
    type Err = String;

    /// A folder, or a bucket when it is spelt `s3://bucket`.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some(bucket) = text.strip_prefix("s3://") else { return Ok(Self::Folder(text.into())) };
        let bucket = bucket.strip_suffix('/').unwrap_or(bucket);
        let plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        if (3..=63).contains(&bucket.len()) && bucket.chars().all(plain) {
            Ok(Self::Bucket(bucket.to_owned()))
        } else {
            Err(format!("not a bucket such as s3://records: {text}"))
        }
    }
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Bucket(name) => write!(f, "s3://{name}"),
        }
    }
}

/// What the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where records live: `ALCHEMISER_STORE`.
    pub store: StorePlace,
    /// Folder that takes mail as files instead of the mail carrier: `ALCHEMISER_OUTBOX`.
    pub outbox: Option<PathBuf>,
    /// File with the broker's key pair instead of the kept secret: `ALCHEMISER_SECRET_FILE`.
    pub secret_file: Option<PathBuf>,
    /// Another address for the paper broker: `ALCHEMISER_BROKER_URL`, loopback only.
    pub broker_url: Option<String>,
    /// Sender of the mail, over the policy's: `ALCHEMISER_MAIL_FROM`.
    pub mail_from: Option<String>,
    /// Recipients, separated by commas, over the policy's: `ALCHEMISER_MAIL_TO`.
    pub mail_to: Option<Vec<String>>,
    /// Whose secret is read before the first event comes: `ALCHEMISER_PREFETCH`, as `paper/main`.
    pub prefetch: Option<(Mode, AccountName)>,
    /// The function that the process belongs to, by the platform's `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`.
    pub function: Option<Function>,
    /// Whose certificates are believed: `ALCHEMISER_TRUST`, `compiled` or `system`.
    pub trust: Trust,
}

/// What is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A variable is not set.
    #[error("environment variable {name} is missing: {what}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it is for.
        what: &'static str,
    },
    /// A variable starts like ours and is none of ours.
    #[error("environment variable {0} is not known")]
    Unknown(String),
    /// A variable's value makes no sense.
    #[error("environment variable {name}: {why}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        why: String,
    },
}

const PREFIX: &str = "ALCHEMISER_";
const STORE: &str = "ALCHEMISER_STORE";
const OUTBOX: &str = "ALCHEMISER_OUTBOX";
const SECRET_FILE: &str = "ALCHEMISER_SECRET_FILE";
const BROKER_URL: &str = "ALCHEMISER_BROKER_URL";
const MAIL_FROM: &str = "ALCHEMISER_MAIL_FROM";
const MAIL_TO: &str = "ALCHEMISER_MAIL_TO";
const PREFETCH: &str = "ALCHEMISER_PREFETCH";
const TRUST: &str = "ALCHEMISER_TRUST";
/// Set by the platform from the function's logging configuration.
const LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
/// Set by the platform to the function's memory in mebibytes.
const MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
/// Set by whatever logged the user in.
const USER: &str = "USER";
/// Every variable of ours that means something.
pub const KNOWN: [&str; 8] =
    [STORE, OUTBOX, SECRET_FILE, BROKER_URL, MAIL_FROM, MAIL_TO, PREFETCH, TRUST];

impl Settings {
    /// Reads the settings out of the process's environment.
    ///
    /// # Errors
    /// [`SettingsError`] naming the variable.
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::from_variables(&environment().collect())
    }

    /// Reads the settings out of some variables; a misspelt one of ours is refused.
    ///
    /// # Errors
    /// [`SettingsError`] naming the variable.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, SettingsError> {
        let misspelt = |name: &&String| name.starts_with(PREFIX) && !KNOWN.contains(&name.as_str());
        if let Some(name) = variables.keys().find(misspelt) {
            return Err(SettingsError::Unknown(name.clone()));
        }
        let optional = |name: &str| {
            variables.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let required = |name: &'static str, what: &'static str| {
            optional(name).ok_or(SettingsError::Missing { name, what })
        };
        let mail_to = optional(MAIL_TO).map(|list| {
            list.split(',').map(|address| address.trim().to_owned()).collect::<Vec<_>>()
        });
        let mail_from = optional(MAIL_FROM);
        let recipients = mail_to.iter().flatten().map(|address| (MAIL_TO, address));
        for (name, address) in recipients.chain(mail_from.iter().map(|from| (MAIL_FROM, from))) {
            if !address.contains('@') {
                let why = format!("not a mail address: {address}");
                return Err(SettingsError::Invalid { name, why });
            }
        }
        let outbox = optional(OUTBOX).map(PathBuf::from);
        if outbox.is_none() {
            required(MAIL_FROM, "the sender that the mail carrier knows")?;
            required(MAIL_TO, "who gets the mail; several are separated by commas")?;
        }
        Ok(Self {
            store: required(STORE, "a folder for the records, or s3://bucket")?
                .parse()
                .map_err(|why| SettingsError::Invalid { name: STORE, why })?,
            outbox,
            secret_file: optional(SECRET_FILE).map(PathBuf::from),
            broker_url: optional(BROKER_URL),
            mail_from,
            mail_to,
            prefetch: optional(PREFETCH).map(|text| whose(&text)).transpose()?,
            function: optional(MEMORY_SIZE).and_then(|size| function(&size)),
            trust: trust(optional(TRUST).as_deref())?,
        })
    }
}

/// A mode and an account, as `paper/main`.
fn whose(text: &str) -> Result<(Mode, AccountName), SettingsError> {
    let parts = text.split_once('/');
    let mode = parts.and_then(|(mode, _)| match mode {
        "paper" => Some(Mode::Paper),
        "live" => Some(Mode::Live),
        _ => None,
    });
    let account = parts.and_then(|(_, account)| AccountName::parse(account).ok());
    mode.zip(account).ok_or_else(|| SettingsError::Invalid {
        name: PREFETCH,
        why: format!("not a mode and an account such as paper/main: {text}"),
    })
}

/// The function with so much memory; what the platform says otherwise is no reason to fail.
fn function(memory_mb: &str) -> Option<Function> {
    let architecture =
        if cfg!(target_arch = "aarch64") { Architecture::Arm } else { Architecture::X86 };
    Some(Function { memory_mb: memory_mb.parse().ok()?, architecture })
}

fn trust(text: Option<&str>) -> Result<Trust, SettingsError> {
    match text {
        None | Some("compiled") => Ok(Trust::Compiled),
        Some("system") => Ok(Trust::System),
        Some(other) => {
            let why = format!("neither `compiled` nor `system`: {other}");
            Err(SettingsError::Invalid { name: TRUST, why })
        }
    }
}

/// The level of detail that the function's configuration asks its logs to have.
pub fn log_level() -> Option<String> {
    environment().find(|(name, _)| name == LOG_LEVEL).map(|(_, level)| level)
}

/// The name of the user who calls, as the system gives it.
pub fn user() -> Option<String> {
    let name = environment().find(|(name, _)| name == USER).map(|(_, user)| user);
    name.filter(|user| !user.is_empty())
}

/// The process's variables, as far as they are text.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

impl From<&SettingsError> for Incident {
    fn from(error: &SettingsError) -> Self {
        Self::new(Category::Configuration, Code::Environment, "settings", error.to_string())
            .meaning(
                "The function cannot know where its records, keys or mail are; nothing was traded.",
            )
            .action("Set the variable in the template and deploy again.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let base = [(STORE, "out/store"), (OUTBOX, "out/mail"), (SECRET_FILE, "key.json")];
        base.iter().chain(pairs).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_missing_variable_is_named_with_its_purpose() {
        for name in [STORE, MAIL_FROM, MAIL_TO] {
            let mut some = variables(&[(MAIL_FROM, "a@x.org"), (MAIL_TO, "b@x.org")]);
            some.remove(OUTBOX);
            assert!(Settings::from_variables(&some).is_ok());
            some.remove(name);
            let error = Settings::from_variables(&some).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            some.insert(name.to_owned(), " ".to_owned());
            assert_eq!(Settings::from_variables(&some).unwrap_err(), error);
        }
    }

    #[test]
    fn a_misspelt_variable_is_refused() {
        let error = Settings::from_variables(&variables(&[("ALCHEMISER_STOER", "x")])).unwrap_err();
        assert_eq!(error, SettingsError::Unknown("ALCHEMISER_STOER".to_owned()));
        assert!(Settings::from_variables(&variables(&[("PATH", "/bin")])).is_ok());
    }

    #[test]
    fn recipients_are_a_list_of_addresses() {
        let settings =
            Settings::from_variables(&variables(&[(MAIL_TO, "a@x.org, b@x.org")])).unwrap();
        assert_eq!(settings.mail_to.unwrap(), ["a@x.org", "b@x.org"]);
        for name in [MAIL_TO, MAIL_FROM] {
            let error = Settings::from_variables(&variables(&[(name, "nobody")])).unwrap_err();
            let said = error.to_string();
            assert_eq!(said, format!("environment variable {name}: not a mail address: nobody"));
        }
    }

    #[test]
    fn a_store_is_a_folder_or_a_bucket() {
        assert_eq!("s3://records/".parse(), Ok(StorePlace::Bucket("records".to_owned())));
        assert_eq!("out/store".parse(), Ok(StorePlace::Folder("out/store".into())));
        for text in ["s3://", "s3://a/b", "s3://UPPER", "s3://a b"] {
            assert!(text.parse::<StorePlace>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_prefetch_and_a_trust_that_mean_nothing_are_refused() {
        let right = variables(&[(PREFETCH, "paper/main"), (TRUST, "system")]);
        let settings = Settings::from_variables(&right).unwrap();
        assert_eq!(settings.prefetch, Some((Mode::Paper, AccountName::parse("main").unwrap())));
        assert_eq!(settings.trust, Trust::System);
        for wrong in [(PREFETCH, "main"), (PREFETCH, "real/main"), (TRUST, "all")] {
            let error = Settings::from_variables(&variables(&[wrong])).unwrap_err();
            assert!(error.to_string().contains(wrong.0), "{error}");
        }
    }
}
