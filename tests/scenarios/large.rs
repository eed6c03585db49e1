//! Letters that are too large for their carrier: a smaller one tells all the same.

use alchemiser::application::tell::Mailed;
use alchemiser::domain::report::Verdict;
use mail_parser::MessageParser;

use crate::stage::Stage;

/// Bytes that a letter without pictures has room in, and bytes that only its beginning has.
const SIZES: [usize; 2] = [40_000, 6_000];

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// The kinds of a letter's parts, in order.
fn kinds(raw: &[u8]) -> Vec<String> {
    let message = MessageParser::default().parse(raw).unwrap();
    let kinds = message.parts.iter().map(|part| {
        let kind = mail_parser::MimeHeaders::content_type(part).unwrap();
        format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
    });
    kinds.collect()
}

#[tokio::test(flavor = "current_thread")]
async fn a_letter_too_large_for_its_carrier_is_sent_without_pictures_and_then_as_its_beginning() {
    let whole = stage();
    whole.run().await;
    let whole = whole.post.letters().remove(0);
    assert!(kinds(&whole.raw).contains(&"image/png".to_owned()), "{:?}", kinds(&whole.raw));
    for (most, expected) in [
        (whole.raw.len(), kinds(&whole.raw)),
        (
            whole.raw.len() - 1,
            ["multipart/alternative", "text/plain", "text/html"].map(str::to_owned).to_vec(),
        ),
        (
            SIZES[0],
            ["multipart/alternative", "text/plain", "text/html"].map(str::to_owned).to_vec(),
        ),
        (SIZES[1], vec!["text/plain".to_owned()]),
    ] {
        let stage = stage();
        stage.post.takes_at_most(most);
        let told = stage.run().await;
        assert!(matches!(told.mailed(), Mailed::Sent(_)), "{most}: {:?}", told.mailed());
        assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]), "{most}");
        let letters = stage.post.letters();
        assert_eq!((letters.len(), kinds(&letters[0].raw)), (1, expected), "{most}");
        assert_eq!(letters[0].subject, whole.subject, "{most}");
        let text = MessageParser::default().parse(&letters[0].raw).unwrap();
        let text = text.body_text(0).unwrap().replace("\r\n", "\n");
        for words in
            ["Traded?  Yes, 2 of 2 orders filled", "Open?    Nothing open", "To do?   Nothing."]
        {
            assert!(text.contains(words), "{most}: {text}");
        }
        let tells = text.contains("The mail carrier did not take the whole letter, which was too large. The whole report: `alchemiser report paper/main/2026-11-20/open/g0`.");
        assert_eq!(tells, most == SIZES[1], "{most}: {text}");
        let again = stage.run().await;
        assert!(again.is_repeated() && stage.post.letters().len() == 1, "{most}: told once");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_carrier_that_takes_no_size_is_a_failure_that_is_told() {
    let stage = stage();
    stage.post.takes_at_most(100);
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.is_kept()), (Verdict::Done, true));
    let Mailed::Failed(why) = told.mailed() else { panic!("{:?}", told.mailed()) };
    assert!(why.starts_with("mail too large: Message length is more than 100 bytes"), "{why}");
    assert_eq!(told.errors(), ["NOTIFICATION mail-not-sent"]);
    stage.post.refuses(false);
    let again = stage.run().await;
    assert!(matches!(again.mailed(), Mailed::Sent(_)), "the next event tells it");
}

#[tokio::test(flavor = "current_thread")]
async fn an_alert_too_large_for_its_carrier_is_sent_as_its_beginning() {
    let stage = stage();
    stage.permits("nonsense");
    stage.post.takes_at_most(SIZES[1]);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    let letters = stage.post.letters();
    assert!(!letters.is_empty());
    for letter in letters {
        assert_eq!(kinds(&letter.raw), ["text/plain"], "{}", letter.subject);
    }
}
