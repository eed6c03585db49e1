//! Which code this is: the version for people, and the hash of the program, which every deployment
//! changes.
//!
//! Records carry it, so that one version does not go on with another's plan, and an arming record
//! names it, so that a deployment disarms. The hash is that of the running file, as `sha256sum`
//! gives it: nothing that a build could forget to raise.

use tracing::warn;

use crate::domain::hash::sha256_hex;

/// The version of this package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version and the hash of the running program, as `0.1.0+` and 64 digits; the version alone
/// when the program's file cannot be read, and such code can never be armed.
///
/// Reads the whole file: once in a process's life.
pub fn of_this_program() -> String {
    match std::env::current_exe().and_then(std::fs::read) {
        Ok(program) => format!("{VERSION}+{}", sha256_hex(&program)),
        Err(error) => {
            warn!(%error, "this program's file is not readable");
            VERSION.to_owned()
        }
    }
}
