//! Which code this is: the version for people, and the hash of the program, which every deployment
//! changes.
//!
//! Records carry it, so that one version does not go on with another's plan, and an arming record
//! names it, so that a deployment disarms. The hash is that of the running file, as `sha256sum`
//! gives it: nothing that a build could forget to raise.

use std::fs::File;
use std::io::{Error, Read};

use ring::digest::{Context, SHA256};
use tracing::warn;

use crate::domain::hash::hex;

/// Bytes read at once: a program is ten megabytes, and a day's memory is bounded.
const PIECE: usize = 64 * 1024;

/// The version of this package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version and the hash of the running program, as `0.1.0+` and 64 digits; the version alone
/// when the program's file cannot be read, and such code can never be armed.
///
/// Reads the whole file piece by piece: once in a process's life, and not before an event needs it.
pub fn of_this_program() -> String {
    match std::env::current_exe().and_then(File::open).and_then(hash_of) {
        Ok(hash) => format!("{VERSION}+{hash}"),
        Err(error) => {
            warn!(%error, "this program's file is not readable");
            VERSION.to_owned()
        }
    }
}

fn hash_of(mut program: File) -> Result<String, Error> {
    let (mut hash, mut piece) = (Context::new(&SHA256), vec![0; PIECE]);
    loop {
        match program.read(&mut piece)? {
            0 => break,
            count => hash.update(&piece[..count]),
        }
    }
    Ok(hex(hash.finish().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arming::code_hash;
    use crate::domain::hash::sha256_hex;

    #[test]
    fn a_program_is_named_by_its_version_and_the_hash_of_its_whole_file() {
        let named = of_this_program();
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(named, format!("{VERSION}+{}", sha256_hex(&whole)));
        assert!(code_hash(&named).is_some());
    }
}
