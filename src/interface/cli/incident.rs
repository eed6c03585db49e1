//! What an incident means, and what to do.

use clap::Args;
use serde_json::json;

use crate::interface::cli::{Trouble, say};
use crate::presentation::guide::{Page, meant, page, pages};

/// Which incident.
#[derive(Debug, Clone, Args)]
pub(super) struct Asked {
    /// Its code as a letter shows it, such as `order-unknown`; all of them without one.
    code: Option<String>,
}

/// Shows a page of the guide, or all codes; the answer is the exit code.
pub(super) fn incident(asked: &Asked, as_json: bool) -> Result<u8, Trouble> {
    let Some(code) = asked.code.as_deref() else {
        if as_json {
            say(&pages().map(document).collect::<serde_json::Value>().to_string());
        } else {
            pages().for_each(|page| say(&format!("{:<26}{}", page.code, page.what)));
        }
        return Ok(0);
    };
    let code = code.to_lowercase();
    let Some(page) = page(&code) else {
        let next =
            meant(&code).unwrap_or_else(|| "`alchemiser incident` lists them all".to_owned());
        return Err(Trouble::setting(format!("no incident has the code {code}"), &next));
    };
    if as_json {
        say(&document(page).to_string());
    } else {
        let Page { what, why, now, prevent, .. } = page;
        say(&format!(
            "{code}\n  What     {what}\n  Why      {why}\n  Now      {now}\n  Prevent  {prevent}"
        ));
    }
    Ok(0)
}

fn document(page: Page) -> serde_json::Value {
    let Page { code, what, why, now, prevent } = page;
    json!({"code": code, "what": what, "why": why, "now": now, "prevent": prevent})
}
