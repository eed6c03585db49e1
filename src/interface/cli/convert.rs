//! A strategy file written out in the other encoding, or in its own as an operator writes it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::domain::symphony::Encoding;
use crate::interface::cli::strategy_file::read;
use crate::interface::cli::{Trouble, say};

/// What to write out.
#[derive(Debug, Clone, Args)]
pub(super) struct Convert {
    /// A strategy file, as text or as JSON or EDN steps.
    file: PathBuf,
    /// How to write it.
    #[arg(long, value_name = "FORM")]
    to: Form,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// The text that operators write: `(defsymphony ..)`.
    Text,
    /// Composer's steps.
    Json,
}

/// Writes the strategy to standard output. Read again, it is the same strategy.
pub(super) fn convert(what: &Convert) -> Result<u8, Trouble> {
    let encoding = match what.to {
        Form::Text => Encoding::Text,
        Form::Json => Encoding::Json,
    };
    let written = read(&what.file)?.write(encoding).map_err(|error| {
        let said = format!("{}: {error}", what.file.display());
        Trouble::setting(said, "keep it in its own encoding")
    })?;
    say(written.trim_end());
    Ok(0)
}
