//! A strategy as JSON or EDN steps: what is not steps is left to the door of the text.

/// The same laws as for the text.
pub(crate) fn enter(bytes: &[u8]) {
    if bytes.trim_ascii_start().starts_with(b"{") {
        super::symphony::enter(bytes);
    }
}
