//! No key ever appears where a person or a log could see it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use alchemiser::application::ports::Broker;
use alchemiser::infrastructure::http::{Response, TransportError};
use tracing_subscriber::fmt::MakeWriter;

use crate::script::{FRESH_ID, FRESH_SECRET, KEY_ID, SECRET, World, status};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn shows_a_key(text: &str) -> bool {
    [KEY_ID, SECRET, FRESH_ID, FRESH_SECRET].iter().any(|key| text.contains(key))
}

type Form = fn(&str) -> Result<Response, TransportError>;

/// Ways in which an answer may repeat what was sent.
const FORMS: [Form; 7] = [
    |echo| status(401, echo),
    |echo| status(503, format!("<html>{echo}</html>")),
    |echo| status(403, format!(r#"{{"code":40310000,"message":"{echo}"}}"#)),
    |echo| status(422, format!(r#"{{"code":42210000,"message":"{echo}"}}"#)),
    |echo| status(401, format!(r#"{{"message":"{}"}}"#, escaped(echo))),
    |echo| Err(TransportError::NoAnswer(echo.to_owned())),
    |echo| Err(TransportError::NotSent(echo.to_owned())),
];

/// The same text as JSON may spell it: what reads the text finds what no search of the bytes does.
fn escaped(text: &str) -> String {
    text.encode_utf16()
        .flat_map(|unit| format!("\\u{unit:04x}").into_bytes())
        .map(char::from)
        .collect()
}

#[tokio::test]
async fn no_error_and_no_log_line_shows_a_key_even_if_the_broker_echoes_it() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut shown = String::new();
    for form in FORMS {
        let world = World::ruled(move |request| {
            let sent: Vec<&str> = request.headers.iter().map(|(_, v)| v.as_str()).collect();
            form(&format!("you sent {}", sent.join(" and ")))
        });
        let alpaca = world.alpaca();
        let read = alpaca.account().await.map(drop);
        let written = alpaca.cancel("o1").await;
        shown.extend([format!("{read:?} {written:?}\n")]);
        for error in [read, written].into_iter().filter_map(Result::err) {
            shown.extend([format!("{error}\n")]);
        }
    }
    assert!(shown.contains("you sent") && shown.contains("[key]"), "{shown}");
    assert!(!shows_a_key(&shown), "{shown}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!shows_a_key(&log), "{log}");
    // The log does say what support would ask for.
    assert!(log.contains("request_id=\"f00d\"") && log.contains("target=\"/v2/account\""), "{log}");
}
