//! A folder instead of a mail carrier: each letter becomes a file any mail program opens.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use async_trait::async_trait;

use crate::application::ports::{Letter, MailError, Mailer};

/// Longest part of a subject in a file name.
const SLUG_LENGTH_MAX: usize = 60;
/// Letters a folder takes before somebody must tidy it: the number has four digits.
const LETTERS_MAX: u32 = 9_999;

/// A folder of `.eml` files, numbered in the order they came.
#[derive(Debug, Clone)]
pub struct Outbox {
    folder: PathBuf,
}

impl Outbox {
    /// Letters go into this folder, which is made when the first one comes.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The highest number in the folder.
    fn last(&self) -> std::io::Result<u32> {
        let mut last = 0;
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.split('-').next()?.parse().ok());
            last = last.max(number.unwrap_or(0));
        }
        Ok(last)
    }

    /// Writes under the next free number; another process may take one meanwhile.
    fn write(&self, letter: &Letter) -> std::io::Result<PathBuf> {
        fs::create_dir_all(&self.folder)?;
        for number in self.last()? + 1..=LETTERS_MAX {
            let path = self.folder.join(format!("{number:04}-{}.eml", slug(&letter.subject)));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(&letter.raw)?;
                    file.sync_all()?;
                    return Ok(path);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(std::io::Error::other(format!("more than {LETTERS_MAX} letters")))
    }
}

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, letter: &Letter) -> Result<String, MailError> {
        let path = self.write(letter);
        let path = path.map_err(|error| {
            MailError::Unavailable(format!("{}: {error}", self.folder.display()))
        })?;
        Ok(path.display().to_string())
    }
}

/// The subject as a file name: lower-case words with dashes.
fn slug(subject: &str) -> String {
    let mut slug = String::new();
    for c in subject.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(SLUG_LENGTH_MAX);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "letter".to_owned() } else { slug.to_owned() }
}
