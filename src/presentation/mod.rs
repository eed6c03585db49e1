//! The report as people read it: letter, HTML, terminal text. Pure.

pub mod explain;
use crate::domain::report::RunReport;
/// x
pub struct MailParts {
    /// x
    pub from: String,
    /// x
    pub to: Vec<String>,
    /// x
    pub subject: String,
    /// x
    pub text: String,
    /// x
    pub html: String,
    /// x
    pub date: jiff::Timestamp,
    /// x
    pub message_id: String,
    /// x
    pub boundary: String,
}
/// x
pub fn page_html(_: &RunReport) -> String {
    String::new()
}
/// x
pub fn subject(_: &RunReport) -> String {
    String::new()
}
/// x
pub fn letter_text(_: &RunReport) -> String {
    String::new()
}
/// x
pub fn letter_html(_: &RunReport) -> String {
    String::new()
}
/// x
pub fn mime(_: &MailParts) -> Vec<u8> {
    Vec::new()
}
/// x
pub struct Mail {
    /// x
    pub subject: String,
    /// x
    pub text: String,
    /// x
    pub html: String,
}
/// x
pub fn alert(
    _: &[crate::domain::incident::Incident],
    _: Option<&crate::domain::run::RunKey>,
) -> Mail {
    Mail { subject: String::new(), text: String::new(), html: String::new() }
}
/// x
pub fn terminal(r: &RunReport) -> String {
    format!("{:?} {} {:#?}\n{:#?}", r.verdict, r.summary, r.incidents, r.execution)
}
