//! One run's report, rendered again from its record alone, or a period's from all of its records.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use jiff::civil::Date;
use serde_json::json;

use crate::application::index::{place as list_place, rebuild};
use crate::application::journal::{JournalError, final_record};
use crate::application::ports::{Clock, Store};
use crate::domain::period::Span;
use crate::domain::report::RunReport;
use crate::domain::run::RunKey;
use crate::domain::session::exchange_date;
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::records::{history, open};
use crate::interface::cli::{Place, Trouble, day, period, say};
use crate::interface::settings::StorePlace;
use crate::presentation::{
    letter_text, page_html, period_letter, period_page, period_terminal, terminal,
};

/// The program that shows a file to people, as the system has one.
const SHOWS: &[&str] = if cfg!(target_os = "macos") { &["open"] } else { &["xdg-open"] };

/// The form of a record, as programs read it.
const SCHEMA: &str = include_str!("../../domain/record.schema.json");
/// Longest record that is read from a file: a record of a year has a hundredth of that.
const RECORD_BYTES_MAX: usize = 32_000_000;
/// What a record that cannot be read means, and what to do about it.
const UNREADABLE: &str = "its report cannot be shown, and no run goes on from it; restore it from the store's versions or a copy";

/// What is to be shown, and as what.
#[derive(Debug, Clone, Args)]
pub(super) struct Shown {
    /// The run, such as `paper/main/2026-11-20/open/g0`, or the folder or file of its record; the
    /// store's newest without one.
    run: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Tell of the `day`, `week` or `month` that holds the newest record.
    #[arg(long, value_name = "SPAN", value_parser = span, conflicts_with = "run")]
    period: Option<Span>,
    /// Tell of the period that holds this date instead.
    #[arg(long, value_name = "DATE", value_parser = day, requires = "period")]
    of: Option<Date>,
    /// Make the list of all runs anew from their records; `--open` shows it.
    #[arg(long, conflicts_with_all = ["run", "period", "html", "text"])]
    index: bool,
    /// Write the report page there; `-` is standard output.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "open"])]
    html: Option<PathBuf>,
    /// Write the letter's text there; `-` is standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "open")]
    text: Option<PathBuf>,
    /// Show the page in the browser.
    #[arg(long)]
    open: bool,
    /// Print the JSON Schema of the record instead, which says what every field means.
    #[arg(long, exclusive = true)]
    schema: bool,
}

/// Shows a run; the answer is the exit code.
pub(super) async fn report(shown: &Shown, as_json: bool) -> Result<u8, Trouble> {
    if shown.schema {
        return write(Path::new("-"), SCHEMA);
    }
    if shown.index {
        return index(shown, as_json).await;
    }
    if let Some(span) = shown.period {
        let told = period::told(&shown.place, span, shown.of).await?;
        let name = PathBuf::from(format!(
            "reports/{}/{}/{}.html",
            told.mode, shown.place.account, told.period
        ));
        let code = u8::from(!told.is_good());
        return put(
            shown,
            as_json,
            &Rendering {
                name,
                page: &|| period_page(&told),
                letter: &|| period_letter(&told).text,
                terminal: &|| period_terminal(&told),
                json: &|| period::figures(&told).to_string(),
            },
        )
        .map(|_| code);
    }
    let report = found(shown).await?;
    put(
        shown,
        as_json,
        &Rendering {
            name: PathBuf::from(format!("reports/{}.html", report.key)),
            page: &|| page_html(&report),
            letter: &|| letter_text(&report),
            terminal: &|| terminal(&report),
            json: &|| serde_json::to_string(&report).unwrap_or_default(),
        },
    )
}

/// Makes the list of runs anew; 1 when a record cannot be read.
async fn index(shown: &Shown, as_json: bool) -> Result<u8, Trouble> {
    let Place { mode, account, store: at } = &shown.place;
    let store = open(&shown.place).await?;
    let today = exchange_date(MachineClock.now());
    let rebuilt = rebuild(store.as_ref(), (*mode, account), today).await;
    let (runs, unreadable) =
        rebuilt.map_err(|error| Trouble::setting(error, "check the store and the rights on it"))?;
    let page = format!("{}.html", list_place(*mode, account));
    if as_json {
        say(&json!({"runs": runs, "page": page, "unreadable": unreadable}).to_string());
    } else {
        say(&format!("{runs} runs listed in {at}: {page}"));
        for why in &unreadable {
            say(&format!("left out: {why}"));
        }
    }
    if shown.open {
        let kept = store.get(&page).await.ok().flatten().map(|record| record.bytes);
        let html = String::from_utf8(kept.unwrap_or_default()).unwrap_or_default();
        show(&PathBuf::from(page), &|| html.clone(), &shown.place)?;
    }
    Ok(u8::from(!unreadable.is_empty()))
}

/// What can be shown of a report: where its page lies in a store, and its forms.
struct Rendering<'a> {
    name: PathBuf,
    page: &'a dyn Fn() -> String,
    letter: &'a dyn Fn() -> String,
    terminal: &'a dyn Fn() -> String,
    json: &'a dyn Fn() -> String,
}

/// Puts a report where it was asked to be.
fn put(shown: &Shown, as_json: bool, rendering: &Rendering<'_>) -> Result<u8, Trouble> {
    if shown.open {
        return show(&rendering.name, rendering.page, &shown.place);
    }
    if let Some(path) = &shown.html {
        return write(path, &(rendering.page)());
    }
    if let Some(path) = &shown.text {
        return write(path, &(rendering.letter)());
    }
    if as_json {
        say(&(rendering.json)());
    } else {
        say((rendering.terminal)().trim_end());
    }
    Ok(0)
}

fn span(text: &str) -> Result<Span, String> {
    match text {
        "day" => Ok(Span::Day),
        "week" => Ok(Span::Week),
        "month" => Ok(Span::Month),
        _ => Err("one of day, week, month".to_owned()),
    }
}

/// The report that is meant: a file's, a run's of the store, or the newest.
async fn found(shown: &Shown) -> Result<RunReport, Trouble> {
    let Some(named) = shown.run.as_deref() else { return newest(&shown.place).await };
    let path = Path::new(named);
    if fs::symlink_metadata(path).is_ok() {
        return read(named, of_file(path)?);
    }
    let run: RunKey = named.parse().map_err(|error| {
        let next = "name a run as a letter does under This run, or a file or folder that exists";
        Trouble::setting(error, next)
    })?;
    let store = open(&shown.place).await?;
    let key = format!("runs/{run}/final.json");
    let record = store.get(&key).await;
    let record =
        record.map_err(|error| Trouble::setting(error, "check the rights on the store"))?;
    match record {
        Some(record) => read(&key, record.bytes),
        None => Err(missing(&run, store.as_ref(), &shown.place).await),
    }
}

/// The bytes of a run's record, from its file or the folder that has it.
fn of_file(named: &Path) -> Result<Vec<u8>, Trouble> {
    let path = if named.is_dir() { named.join("final.json") } else { named.to_owned() };
    let shown = path.display();
    let trouble = |what: &dyn std::fmt::Display| {
        let next = "name a run, or the folder or file of its final record";
        Trouble::setting(format!("no record is read from {shown}: {what}"), next)
    };
    let unreadable = |error: std::io::Error| trouble(&error);
    // Anything else, such as a pipe, may never end.
    if !fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(trouble(&"it is no file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(unreadable)?;
    let most = u64::try_from(RECORD_BYTES_MAX).unwrap_or(u64::MAX);
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(trouble(&format!(
            "it has more than {RECORD_BYTES_MAX} bytes, as no record has"
        )));
    }
    Ok(bytes)
}

async fn newest(place: &Place) -> Result<RunReport, Trouble> {
    let store = open(place).await?;
    let newest = history(store.as_ref(), place).await?.newest;
    newest.map(|kept| kept.body).ok_or_else(|| {
        let what =
            format!("no finished run of {}/{} in {}", place.mode, place.account, place.store);
        Trouble::setting(
            what,
            "name the store with --store, or run `alchemiser run --offline` once",
        )
    })
}

fn read(name: &str, bytes: Vec<u8>) -> Result<RunReport, Trouble> {
    final_record(name, bytes).map(|kept| kept.body).map_err(|error| untrusted(&error))
}

/// A record that cannot be read, with what that means and what to do.
pub(super) fn untrusted(error: &JournalError) -> Trouble {
    let next = match error {
        JournalError::Store(_) => "check the rights on the store",
        JournalError::Corrupt { .. } => UNREADABLE,
        JournalError::Newer { .. } => "newer code wrote it; call the program of that version",
    };
    Trouble::setting(error, next)
}

/// A run without a final record, with the runs that have one beside it.
async fn missing(run: &RunKey, store: &dyn Store, place: &Place) -> Trouble {
    let prefix = format!("runs/{}/{}/", run.mode, run.account);
    let keys = store.list(&prefix).await.unwrap_or_default();
    let ended =
        keys.iter().filter_map(|key| key.strip_prefix("runs/")?.strip_suffix("/final.json"));
    let last: Vec<&str> = ended.rev().take(3).collect();
    let next = if last.is_empty() {
        "name the store with --store".to_owned()
    } else {
        format!("the last that are: {}", last.join(", "))
    };
    Trouble::setting(format!("no final record of {run} in {}", place.store), &next)
}

fn write(path: &Path, text: &str) -> Result<u8, Trouble> {
    if path == Path::new("-") {
        say(text.trim_end_matches('\n'));
        return Ok(0);
    }
    std::fs::write(path, text).map(|()| 0).map_err(|error| {
        Trouble::setting(format!("{}: {error}", path.display()), "name a file that can be written")
    })
}

/// Shows a page in the browser: the store's own file, or one beside the records of a bucket.
fn show(name: &Path, page: &dyn Fn() -> String, place: &Place) -> Result<u8, Trouble> {
    let path = match &place.store {
        StorePlace::Folder(root) => root.join(name),
        StorePlace::Bucket(_) => {
            let name = name.display().to_string().replace('/', ".");
            std::env::temp_dir().join(format!("alchemiser.{name}"))
        }
    };
    if !path.exists() {
        if let Some(folder) = path.parent() {
            let _ = std::fs::create_dir_all(folder); // writing says what is wrong
        }
        write(&path, &page())?;
    }
    say(&path.display().to_string());
    let shown = SHOWS.iter().any(|program| {
        let mut command = Command::new(program);
        command.arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    });
    if shown {
        return Ok(0);
    }
    Err(Trouble::setting("no browser could be started", "open the file above in one"))
}
