//! The broker's push messages, as bytes of a socket and as frames.

use std::time::Duration;

use alchemiser::application::ports::{KeyPair, Secret, Wake};
use alchemiser::infrastructure::alpaca::stream::listen_over;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio_tungstenite::accept_async;

/// Bytes on their way in each direction.
const ROOM: usize = 256 * 1024;
/// First bytes of a whole message of text and of bytes (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
/// Longer than any wait that must end because the other end is gone.
const LONG: Duration = Duration::from_mins(1);

/// The first byte says how the rest arrives: `h` instead of a greeting, `r` as raw bytes after
/// the greeting, anything else one frame a line, text frames for `t` and binary ones otherwise.
/// Then the line breaks, so that a listener must always learn that it is lost.
pub(crate) fn enter(bytes: &[u8]) {
    let Some((how, rest)) = bytes.split_first() else { return };
    let keys =
        KeyPair { id: Secret::new("PKFUZZ".to_owned()), secret: Secret::new("secret".to_owned()) };
    super::wait_for(async {
        let (near, far) = duplex(ROOM);
        tokio::join!(listener(near, &keys), broker(far, *how, rest));
    });
}

async fn listener(socket: DuplexStream, keys: &KeyPair) {
    let Ok(mut updates) = listen_over(socket, keys).await else { return };
    loop {
        match updates.wait(LONG).await {
            Wake::Message => {}
            Wake::Lost => break,
            Wake::Silence => unreachable!("the line is cut at once"),
        }
    }
    updates.close().await;
}

async fn broker(socket: DuplexStream, how: u8, bytes: &[u8]) {
    let socket = if how == b'h' {
        socket
    } else {
        let Ok(greeted) = accept_async(socket).await else { return };
        greeted.into_inner()
    };
    let (mut from_listener, mut to_listener) = split(socket);
    let said = match how {
        b'h' | b'r' => bytes.to_vec(),
        b't' => frames(bytes, TEXT),
        _ => frames(bytes, BINARY),
    };
    let talk = async {
        let _ = to_listener.write_all(&said).await; // the listener may have gone already
        let _ = to_listener.shutdown().await;
    };
    let hear = async {
        let mut heard = [0; 1024];
        while from_listener.read(&mut heard).await.is_ok_and(|count| count > 0) {}
    };
    tokio::join!(talk, hear);
}

/// A message of one frame for each line, unmasked as a server's are.
fn frames(bytes: &[u8], first: u8) -> Vec<u8> {
    let mut said = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        said.push(first);
        match (u8::try_from(line.len()), u16::try_from(line.len())) {
            (Ok(length @ ..126), _) => said.push(length),
            (_, Ok(length)) => {
                said.push(126);
                said.extend(length.to_be_bytes());
            }
            (_, Err(_)) => {
                said.push(127);
                said.extend(line.len().to_be_bytes());
            }
        }
        said.extend(line);
    }
    said
}
