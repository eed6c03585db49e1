//! The built-in exchange in a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::desk::{Desk, json};

/// The exchange; it ends with its owner.
pub(crate) struct Exchange {
    child: Child,
    address: String,
}

impl Exchange {
    /// Begins one that listens wherever there is room.
    pub(crate) fn new(desk: &Desk, options: &str) -> Self {
        let mut command = desk.command(&format!("exchange --listen 127.0.0.1:0 --json {options}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = json(&line)["url"].as_str().unwrap().to_owned();
        Self { child, address: url.trim_start_matches("http://").to_owned() }
    }

    /// The URL it said it listens at.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks with a key and its secret key.
    pub(crate) fn ask(
        &self,
        (method, path): (&str, &str),
        (key, secret): (&str, &str),
        body: &str,
    ) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, length) = (&self.address, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAPCA-API-KEY-ID: {key}\r\n\
             APCA-API-SECRET-KEY: {secret}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
