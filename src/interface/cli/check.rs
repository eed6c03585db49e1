//! Strategy files looked at before they trade.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::market::Histories;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::form::JSON_BYTES_MAX;
use crate::domain::symphony::lint::{Against, Checked, Code, Severity, check};
use crate::interface::cli::asset_list::assets;
use crate::interface::cli::offline::causes;
use crate::interface::cli::{Trouble, alias, say};
use crate::presentation::findings::{CheckedFile, document, text};
use crate::simulator::market::histories;

/// What to check, and against what.
#[derive(Debug, Clone, Args)]
pub(super) struct Check {
    /// Strategy files, as text or as JSON or EDN steps.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The broker's list of assets: its answer as JSON, or a ticker per line.
    #[arg(long, value_name = "FILE")]
    assets: Option<PathBuf>,
    /// Folder of `SYMBOL.csv` files with `date,close`.
    #[arg(long, value_name = "DIR")]
    prices: Option<PathBuf>,
    /// Read a symbol from another's file, such as `FNGU=FNGU_EXT`.
    #[arg(long, value_name = "A=B", value_parser = alias, requires = "prices")]
    alias: Vec<(Symbol, String)>,
    /// Say nothing of one kind of warning, such as `duplicate-candidate`.
    #[arg(long, value_name = "CODE", value_parser = code)]
    allow: Vec<Code>,
}

/// Checks all files; the answer is the exit code: 1 with warnings, 3 with errors.
pub(super) fn check_files(what: &Check, as_json: bool) -> Result<u8, Trouble> {
    let listed = what.assets.as_deref().map(assets).transpose()?;
    let aliases: BTreeMap<Symbol, String> = what.alias.iter().cloned().collect();
    let closes = what.prices.as_deref().map(|folder| histories(folder, &aliases)).transpose();
    let closes = closes
        .map_err(|error| Trouble::setting(causes(&error), "correct the price folder"))?
        .map(Histories::new);
    let against = Against { assets: listed.as_ref(), histories: closes.as_ref() };
    let read: Vec<Vec<u8>> = what.files.iter().map(|path| bytes(path)).collect::<Result<_, _>>()?;
    let texts: Vec<Cow<'_, str>> =
        read.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    let mut files = Vec::with_capacity(texts.len());
    for (path, (bytes, text)) in what.files.iter().zip(read.iter().zip(&texts)) {
        let mut checked = match str::from_utf8(bytes) {
            Ok(text) => check(text, &against),
            Err(wrong) => Checked::not_text(wrong.valid_up_to()),
        };
        checked.findings.retain(|finding| !what.allow.contains(&finding.code));
        files.push(CheckedFile { name: path.display().to_string(), text, checked });
    }
    if as_json {
        say(&document(&files).to_string());
    } else {
        say(text(&files).trim_end());
    }
    let has = |severity| files.iter().any(|file| file.count(severity) > 0);
    Ok(match (has(Severity::Error), has(Severity::Warning)) {
        (true, _) => 3,
        (false, true) => 1,
        (false, false) => 0,
    })
}

/// A file, but no more of it than is ever read as a strategy.
fn bytes(path: &Path) -> Result<Vec<u8>, Trouble> {
    let most = u64::try_from(JSON_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let read = |path: &Path| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read(path).map_err(|error| {
        Trouble::setting(format!("{}: {error}", path.display()), "name a strategy file that exists")
    })
}

/// Reads the word of a kind of warning.
fn code(word: &str) -> Result<Code, String> {
    let may = |code: &Code| code.severity() == Severity::Warning;
    Code::worded(word).filter(may).ok_or_else(|| {
        let known: Vec<&str> = Code::ALL.into_iter().filter(may).map(Code::word).collect();
        format!("expected one of {}", known.join(", "))
    })
}
