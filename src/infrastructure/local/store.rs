//! Records in a folder, created once and for good.
//!
//! A record is written beside its place under a name of its own, made durable, and then linked
//! into place: the link fails if anything is there. So of any number of processes exactly one
//! stores its bytes, no reader ever sees half a record, and a crash leaves at most a stray file
//! that no list shows.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::application::ports::{Put, Record, Store, StoreError};

/// Longest key; the longest record path of ours has about 90 characters.
const KEY_LENGTH_MAX: usize = 256;
/// What files in the making start with; no key may.
const IN_THE_MAKING: &str = ".new-";
/// Folders below folders; our keys have eight parts.
const DEPTH_MAX: usize = 16;

/// Tells apart the files that one process has in the making.
static MADE: AtomicU64 = AtomicU64::new(0);

/// A folder of records.
#[derive(Debug, Clone)]
pub struct FolderStore {
    root: PathBuf,
}

impl FolderStore {
    /// Records go below this folder, which is made when the first one comes.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a key's record lies; a key cannot leave the folder.
    fn path(&self, key: &str) -> Result<PathBuf, StoreError> {
        if is_key(key) {
            Ok(self.root.join(key))
        } else {
            let shown = key.chars().take(80).collect();
            Err(StoreError::Denied { key: shown, reason: "not a key".to_owned() })
        }
    }
}

#[async_trait]
impl Store for FolderStore {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let path = self.path(key)?;
        let put = || -> Result<Put, Error> {
            let made = InTheMaking::write(&path, bytes)?;
            match fs::hard_link(&made.path, &path) {
                Ok(()) => {
                    sync_folder(&path)?;
                    Ok(Put::Stored { at: modified(&path)? })
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    Ok(Put::Exists(record(&path)?))
                }
                Err(error) => Err(error),
            }
        };
        put().map_err(|error| failed(key, &error))
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(key)?;
        let put = || -> Result<(), Error> {
            let made = InTheMaking::write(&path, bytes)?;
            fs::rename(&made.path, &path)?;
            sync_folder(&path)
        };
        put().map_err(|error| failed(key, &error))
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        match record(&self.path(key)?) {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(key, &error)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        let start = if folder.is_empty() { self.root.clone() } else { self.path(folder)? };
        let mut keys = Vec::new();
        let walked = walk(&start, folder, DEPTH_MAX, &mut keys);
        walked.map_err(|error| failed(prefix, &error))?;
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        Ok(keys)
    }
}

/// A file beside its later place, gone again when dropped.
struct InTheMaking {
    path: PathBuf,
}

impl InTheMaking {
    fn write(target: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let folder = target.parent().ok_or(ErrorKind::InvalidInput)?;
        fs::create_dir_all(folder)?;
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("{IN_THE_MAKING}{}-{number}", std::process::id());
        let made = Self { path: folder.join(name) };
        let mut file = File::create(&made.path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(made)
    }
}

impl Drop for InTheMaking {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // after a rename there is nothing left to remove
    }
}

/// Plain parts with slashes between: letters, digits, dash, dot and underline, no dot in front.
fn is_key(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '=');
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain);
    key.len() <= KEY_LENGTH_MAX && key.split('/').all(part)
}

fn record(path: &Path) -> Result<Record, Error> {
    Ok(Record { bytes: fs::read(path)?, at: modified(path)? })
}

fn modified(path: &Path) -> Result<Timestamp, Error> {
    Timestamp::try_from(fs::metadata(path)?.modified()?).map_err(Error::other)
}

/// Makes the new name itself survive a power cut.
fn sync_folder(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn walk(folder: &Path, key: &str, depth: usize, keys: &mut Vec<String>) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let below = if key.is_empty() { name } else { format!("{key}/{name}") };
        if !is_key(&below) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            let left = depth.checked_sub(1);
            let left = left.ok_or_else(|| Error::other("folders too deep"))?;
            walk(&entry.path(), &below, left, keys)?;
        } else {
            keys.push(below);
        }
    }
    Ok(())
}

fn failed(key: &str, error: &Error) -> StoreError {
    let (key, reason) = (key.chars().take(120).collect(), error.to_string());
    if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) {
        StoreError::Denied { key, reason }
    } else {
        StoreError::Unavailable { key, reason }
    }
}
