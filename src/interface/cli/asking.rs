//! Asking the operator before something that cannot be taken back.

use std::io::{IsTerminal, Write, stderr, stdin};

use clap::Args;

use crate::interface::cli::Trouble;

/// Longest answer read.
const ANSWER_MAX: usize = 64;

/// How an operator agrees beforehand.
#[derive(Debug, Clone, Args)]
pub(super) struct Consent {
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

impl Consent {
    /// Returns when the operator agreed, by the option or by typing the word.
    pub(super) fn obtain(&self, question: &str, word: &str) -> Result<(), Trouble> {
        if self.yes {
            return Ok(());
        }
        if !stdin().is_terminal() {
            return Err(Trouble::setting(
                format!("{question} Nobody was there to be asked; nothing was done."),
                "look at what it says, then call again with --yes",
            ));
        }
        let _ = write!(stderr(), "{question} Type {word} to go on: ");
        let _ = stderr().flush();
        let mut answer = String::new();
        let read = stdin().read_line(&mut answer);
        if read.is_ok() && answer.len() <= ANSWER_MAX && answer.trim() == word {
            return Ok(());
        }
        Err(Trouble::setting("not confirmed; nothing was done", "call again to be asked again"))
    }
}
