//! A letter as it goes over the wire: headers, plain text and HTML as alternatives, the images that
//! the HTML shows beside it.
//!
//! Date, message id and boundary come in, so that the same letter gives the same bytes.

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::text::Text;
use mail_builder::mime::MimePart;

use crate::domain::hash::sha256_hex;
use crate::presentation::chart::InlineImage;
use crate::presentation::line::clip;

/// Longest subject sent; longer ones are cut.
const SUBJECT_MAX: usize = 150;
/// Longest address; the standard's own bound is 254.
const ADDRESS_MAX: usize = 254;
/// Longest message id.
const MESSAGE_ID_MAX: usize = 200;
/// Signs of the boundary that come from the letter itself; 96 bits cannot be met by accident.
const BOUNDARY_HASH_MAX: usize = 24;

/// A letter and what its envelope says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailParts {
    /// Sender: an address, or a name with the address in angle brackets.
    pub from: String,
    /// Recipients, in the same form.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// The text twin.
    pub text: String,
    /// The HTML; a letter without any is its text alone.
    pub html: String,
    /// The images that the HTML shows.
    pub images: Vec<InlineImage>,
    /// Date of the letter.
    pub date: Timestamp,
    /// Its lasting id, without angle brackets, such as `run-key@alchemiser`.
    pub message_id: String,
    /// Seed of the boundary between the parts.
    pub boundary: String,
}

/// The whole message, headers included.
pub fn mime(letter: &MailParts) -> Vec<u8> {
    let text = MimePart::new("text/plain", letter.text.as_str());
    let body = if letter.html.is_empty() {
        text
    } else {
        let kind = ContentType::new("multipart/alternative");
        MimePart::new(kind.attribute("boundary", boundary(letter, "a")), vec![text, html(letter)])
    };
    let mut bytes = Vec::new();
    MessageBuilder::new()
        .from(address(&letter.from))
        .to(letter.to.iter().map(|to| address(to)).collect::<Vec<_>>())
        .subject(clip(&letter.subject, SUBJECT_MAX))
        .date(letter.date.as_second())
        .message_id(message_id(&letter.message_id))
        .header("Auto-Submitted", Text::new("auto-generated"))
        .body(body)
        .serialize(&mut bytes);
    bytes
}

/// The HTML, together with its images if it has any.
fn html(letter: &MailParts) -> MimePart<'_> {
    let html = MimePart::new("text/html", letter.html.as_str());
    if letter.images.is_empty() {
        return html;
    }
    let kind = ContentType::new("multipart/related").attribute("type", "text/html");
    let images = letter.images.iter().map(image);
    let parts = std::iter::once(html).chain(images).collect::<Vec<_>>();
    MimePart::new(kind.attribute("boundary", boundary(letter, "r")), parts)
}

fn image(image: &InlineImage) -> MimePart<'_> {
    let file = format!("{}.png", image.name);
    MimePart::new("image/png", image.png.as_slice())
        .header("Content-Disposition", ContentType::new("inline").attribute("filename", file))
        .cid(message_id(&image.content_id))
}

/// `=_` stands in no quoted-printable and no base64 text, and the hash of the letter in no letter;
/// the level's sign keeps one boundary from being the beginning of another.
fn boundary(letter: &MailParts, level: &str) -> String {
    let seed = format!("{}\n{}\n{}", letter.boundary, letter.text, letter.html);
    let hash: String = sha256_hex(seed.as_bytes()).chars().take(BOUNDARY_HASH_MAX).collect();
    format!("=_{level}{hash}")
}

/// An address whose text can neither end its header nor smuggle in a second recipient.
fn address(text: &str) -> Address<'static> {
    let (name, email) = match text.split_once('<') {
        Some((name, rest)) => (clip(name, ADDRESS_MAX), rest),
        None => (String::new(), text),
    };
    let plain = |sign: &char| {
        !sign.is_whitespace()
            && !sign.is_control()
            && !matches!(sign, '<' | '>' | ',' | ';' | '"' | '(' | ')' | '\\')
    };
    let email: String = clip(email, ADDRESS_MAX).chars().filter(plain).collect();
    let name = name.trim_matches(|sign| matches!(sign, '"' | ' ')).to_owned();
    Address::new_address((!name.is_empty()).then_some(name), email)
}

fn message_id(text: &str) -> String {
    let plain =
        |sign: &char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '-' | '_' | '@' | '+');
    text.chars()
        .map(|sign| if sign == '/' { '.' } else { sign })
        .filter(plain)
        .take(MESSAGE_ID_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use mail_parser::{Message, MessageParser, MimeHeaders};

    use super::*;

    fn letter() -> MailParts {
        MailParts {
            from: "alchemiser <run@example.com>".to_owned(),
            to: vec!["operator@example.com".to_owned(), "second@example.com".to_owned()],
            subject: "[PAPER OK] 20 Nov open: 5/5 filled".to_owned(),
            text: "Traded?  Yes, −$12.30\n.\nFrom here\nlast line without end".to_owned(),
            html: format!("<p>−$12.30 {}</p>\n", "long ".repeat(400)),
            date: "2026-11-20T14:36:00Z".parse().unwrap(),
            message_id: "paper/main/2026-11-20/open/g0@alchemiser".to_owned(),
            images: Vec::new(),
            boundary: "seed".to_owned(),
        }
    }

    fn parsed(bytes: &[u8]) -> Message<'_> {
        MessageParser::default().parse(bytes).unwrap()
    }

    #[test]
    fn a_parser_of_another_hand_reads_back_what_went_in() {
        let letter = letter();
        let bytes = mime(&letter);
        let message = parsed(&bytes);
        assert_eq!(message.subject().unwrap(), letter.subject);
        let twin = message.body_text(0).unwrap().replace("\r\n", "\n");
        assert_eq!(twin.trim_end(), letter.text);
        let html = message.body_html(0).unwrap().replace("\r\n", "\n");
        assert_eq!(html.trim_end(), letter.html.trim_end());
        let to: Vec<_> = message.to().unwrap().iter().filter_map(|a| a.address()).collect();
        assert_eq!(to, letter.to);
        let from = message.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some("alchemiser"), Some("run@example.com")));
        assert_eq!(message.date().unwrap().to_timestamp(), letter.date.as_second());
        assert_eq!(message.message_id().unwrap(), "paper.main.2026-11-20.open.g0@alchemiser");
        assert_eq!(message.parts.len(), 3);
    }

    #[test]
    fn a_letter_without_html_is_its_text_alone() {
        let letter = MailParts { html: String::new(), ..letter() };
        let bytes = mime(&letter);
        let message = parsed(&bytes);
        let kind = message.parts[0].content_type().unwrap();
        assert_eq!((message.parts.len(), kind.ctype(), kind.subtype()), (1, "text", Some("plain")));
        assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), letter.text);
    }

    fn illustrated() -> MailParts {
        let image = |name: &'static str| InlineImage {
            name,
            content_id: format!("{name}.0f@alchemiser"),
            size: (2, 2),
            png: (0..=255).cycle().take(4000).collect(),
        };
        MailParts { images: vec![image("equity"), image("allocation")], ..letter() }
    }

    #[test]
    fn the_html_travels_with_its_images_and_the_text_twin_stays_its_alternative() {
        let letter = illustrated();
        let bytes = mime(&letter);
        let message = parsed(&bytes);
        let kinds: Vec<String> = message
            .parts
            .iter()
            .map(|part| part.content_type().unwrap())
            .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap()))
            .collect();
        let expected = ["multipart/alternative", "text/plain", "multipart/related", "text/html"];
        assert_eq!(kinds[..4], expected);
        assert_eq!(kinds[4..], ["image/png", "image/png"]);
        for (image, part) in letter.images.iter().zip(&message.parts[4..]) {
            assert_eq!(part.content_id(), Some(image.content_id.as_str()));
            assert_eq!(part.attachment_name(), Some(format!("{}.png", image.name).as_str()));
            assert!(part.content_disposition().unwrap().is_inline());
            assert_eq!(part.contents(), image.png);
        }
        assert_eq!(message.body_html(0).unwrap().trim_end(), letter.html.trim_end());
    }

    #[test]
    fn no_boundary_is_the_beginning_of_another() {
        let bytes = mime(&illustrated());
        let message = parsed(&bytes);
        let kinds = message.parts.iter().filter_map(|part| part.content_type());
        let found: Vec<&str> = kinds.filter_map(|kind| kind.attribute("boundary")).collect();
        let [outer, inner] = found.as_slice() else { panic!("{found:?}") };
        assert!(!inner.starts_with(outer) && !outer.starts_with(inner), "{found:?}");
    }

    #[test]
    fn images_leave_seven_bits_and_short_lines_as_a_carrier_wants_them() {
        let bytes = mime(&illustrated());
        assert_eq!(bytes, mime(&illustrated()));
        assert!(bytes.is_ascii());
        assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 79));
    }

    #[test]
    fn the_same_letter_gives_the_same_bytes_and_no_line_is_too_long() {
        let bytes = mime(&letter());
        assert_eq!(bytes, mime(&letter()));
        let lines = String::from_utf8(bytes).unwrap();
        assert!(lines.split("\r\n").all(|line| line.len() <= 78), "{lines}");
        assert!(!lines.replace("\r\n", "").contains(['\r', '\n']), "bare line break");
    }

    #[test]
    fn no_value_can_add_a_header_or_a_recipient() {
        let mut hostile = letter();
        hostile.subject = "fine\r\nBcc: thief@evil.com\r\n\r\n<script>".to_owned();
        hostile.from = "a\r\nBcc: thief@evil.com <x@example.com>".to_owned();
        hostile.to = vec!["me@example.com>, <thief@evil.com\r\nCc: thief@evil.com".to_owned()];
        hostile.message_id = "id>\r\nBcc: thief@evil.com".to_owned();
        hostile.boundary = "b\"\r\nBcc: thief@evil.com".to_owned();
        let bytes = mime(&hostile);
        let message = parsed(&bytes);
        assert!(message.bcc().is_none() && message.cc().is_none());
        assert_eq!(message.to().unwrap().iter().count(), 1);
        let known = [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
        ];
        let strange: Vec<_> = message
            .headers()
            .iter()
            .map(mail_parser::Header::name)
            .filter(|n| !known.contains(n))
            .collect();
        assert_eq!(strange, Vec::<&str>::new());
    }

    #[test]
    fn a_long_subject_in_another_script_comes_back_whole_up_to_the_bound() {
        let mut long = letter();
        long.subject = "Ω−é".repeat(200);
        let bytes = mime(&long);
        let back = parsed(&bytes).subject().unwrap().to_owned();
        assert_eq!(back, clip(&long.subject, SUBJECT_MAX));
    }

    #[test]
    fn a_body_that_names_the_boundary_of_another_letter_does_not_end_its_part() {
        let first = mime(&letter());
        let first = String::from_utf8(first).unwrap();
        let at = first.find("=_").unwrap();
        let mut second = letter();
        second.text = format!("--{}\n\nsmuggled", &first[at..at + 27]);
        let bytes = mime(&second);
        assert!(parsed(&bytes).body_text(0).unwrap().contains("smuggled"));
        assert_eq!(parsed(&bytes).parts.len(), 3);
    }
}
