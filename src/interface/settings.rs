//! The environment as typed settings: raw texts in, meaning out, each fault named.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::incident::{Category, Incident};

/// Where records live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket.
    Bucket(String),
}

/// What the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where records live: `ALCHEMISER_STORE`.
    pub store: StorePlace,
    /// Folder that takes mail as files: `ALCHEMISER_OUTBOX`.
    pub outbox: PathBuf,
    /// File with the broker's key pair: `ALCHEMISER_SECRET_FILE`.
    pub secret_file: PathBuf,
    /// Another address for the paper broker: `ALCHEMISER_BROKER_URL`, loopback only.
    pub broker_url: Option<String>,
    /// Sender of the mail, over the policy's: `ALCHEMISER_MAIL_FROM`.
    pub mail_from: Option<String>,
    /// Recipients, separated by commas, over the policy's: `ALCHEMISER_MAIL_TO`.
    pub mail_to: Option<Vec<String>>,
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
/// Set by the platform from the function's logging configuration.
const LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
const KNOWN: [&str; 6] = [STORE, OUTBOX, SECRET_FILE, BROKER_URL, MAIL_FROM, MAIL_TO];

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
        Ok(Self {
            store: place(&required(STORE, "a folder for the records, or s3://bucket")?),
            outbox: required(OUTBOX, "a folder that takes mail as files")?.into(),
            secret_file: required(SECRET_FILE, "a file with the broker's key pair")?.into(),
            broker_url: optional(BROKER_URL),
            mail_from,
            mail_to,
        })
    }
}

/// The level of detail that the function's configuration asks its logs to have.
pub fn log_level() -> Option<String> {
    environment().find(|(name, _)| name == LOG_LEVEL).map(|(_, level)| level)
}

/// The process's variables, as far as they are text.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// A folder, or a bucket when it is spelt `s3://bucket`.
pub fn place(text: &str) -> StorePlace {
    match text.strip_prefix("s3://") {
        Some(bucket) => StorePlace::Bucket(bucket.trim_end_matches('/').to_owned()),
        None => StorePlace::Folder(text.into()),
    }
}

impl From<&SettingsError> for Incident {
    fn from(error: &SettingsError) -> Self {
        Self::new(Category::Configuration, "environment", "settings", error.to_string())
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
        for name in [STORE, OUTBOX, SECRET_FILE] {
            let mut some = variables(&[]);
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
        assert_eq!(place("s3://records/"), StorePlace::Bucket("records".to_owned()));
    }
}
