//! As much HTTP as the tests need: whole messages over plain sockets, one at a time.

use std::io::{BufRead, BufReader, Error, ErrorKind, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// No answer that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_mins(2);

/// A request or an answer.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// First line and headers, each ended by a line break, without the blank line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Reads a message; `None` when the other side has hung up before it.
    pub(crate) fn read(reader: &mut impl BufRead) -> Result<Option<Self>> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return if head.is_empty() { Ok(None) } else { Err(cut()) };
            }
        }
        head.truncate(head.len() - 2);
        let mut message = Self { head, body: Vec::new() };
        if message.header("transfer-encoding").is_some() {
            while let Some(chunk) = chunk(reader)? {
                message.body.extend(chunk);
            }
        } else if let Some(length) = message.header("content-length") {
            message.body = vec![0; length.parse().map_err(|_| cut())?];
            reader.read_exact(&mut message.body)?;
        } else if message.head.starts_with("HTTP/") {
            reader.read_to_end(&mut message.body)?;
        }
        Ok(Some(message))
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// A word of the first line: method, target and version, or version, status and reason.
    pub(crate) fn word(&self, place: usize) -> &str {
        self.head.lines().next().and_then(|line| line.split(' ').nth(place)).unwrap_or_default()
    }

    pub(crate) fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The bytes of this request for a server that is to close the connection after it.
    pub(crate) fn forwarded(&self) -> Vec<u8> {
        let ours = ["connection", "expect", "transfer-encoding", "content-length"];
        let kept = |line: &&str| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            !ours.contains(&name.as_str())
        };
        let mut text: String =
            self.head.lines().filter(kept).flat_map(|line| [line, "\r\n"]).collect();
        let ending = format!("content-length: {}\r\nconnection: close\r\n\r\n", self.body.len());
        text += &ending;
        [text.as_bytes(), &self.body].concat()
    }
}

/// Sends a request on a connection of its own and reads the answer.
pub(crate) fn call(
    address: &str,
    request: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Message> {
    let mut head = format!("{request} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let request = Message { head, body: body.to_vec() };
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.write_all(&request.forwarded())?;
    Message::read(&mut BufReader::new(connection))?.ok_or_else(cut)
}

fn chunk(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let size = line.split(';').next().unwrap_or_default().trim();
    let size = usize::from_str_radix(size, 16).map_err(|_| cut())?;
    let mut bytes = vec![0; size + 2]; // a line break follows
    reader.read_exact(&mut bytes)?;
    bytes.truncate(size);
    Ok((size > 0).then_some(bytes))
}

fn cut() -> Error {
    Error::from(ErrorKind::UnexpectedEof)
}
