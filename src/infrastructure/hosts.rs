//! The closed list of hosts that a request with keys may go to.
//!
//! The broker's own hosts are written here and nowhere else. Only paper mode may be pointed
//! elsewhere, and only at this machine: at loopback or at the host of the container we run in.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::domain::run::Mode;
use crate::infrastructure::http::Host;

const LIVE: &str = "https://api.alpaca.markets";
const PAPER: &str = "https://paper-api.alpaca.markets";
const DATA: &str = "https://data.alpaca.markets";
const LIVE_STREAM: &str = "wss://api.alpaca.markets/stream";
const PAPER_STREAM: &str = "wss://paper-api.alpaca.markets/stream";
/// How a container names the machine it runs on.
const CONTAINER_HOST: &str = "host.docker.internal";

/// Where each kind of request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    trading: String,
    data: String,
    stream: String,
}

/// Why an override of the hosts is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostsError {
    /// Live mode knows only the broker's own hosts.
    #[error("hosts cannot be overridden in live mode")]
    Live,
    /// Neither encrypted nor this machine; the address is a secret and not told.
    #[error("not an https address")]
    NotEncrypted,
    /// Neither loopback nor the container's host.
    #[error("not an address of this machine, such as http://127.0.0.1:8080: {0:?}")]
    NotLocal(String),
}

impl Hosts {
    /// The broker's own hosts.
    pub fn of(mode: Mode) -> Self {
        let (trading, stream) = match mode {
            Mode::Paper => (PAPER, PAPER_STREAM),
            Mode::Live => (LIVE, LIVE_STREAM),
        };
        Self { trading: trading.to_owned(), data: DATA.to_owned(), stream: stream.to_owned() }
    }

    /// An exchange on this machine that answers trading, data and stream at one origin, such as
    /// `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`HostsError`] in live mode and for any other machine.
    pub fn local(mode: Mode, origin: &str) -> Result<Self, HostsError> {
        match mode {
            Mode::Live => return Err(HostsError::Live),
            Mode::Paper => {}
        }
        let origin = origin.strip_suffix('/').unwrap_or(origin);
        let refused = || HostsError::NotLocal(origin.chars().take(80).collect());
        let authority = origin.strip_prefix("http://").ok_or_else(refused)?;
        if !is_local(authority) {
            return Err(refused());
        }
        Ok(Self {
            trading: origin.to_owned(),
            data: origin.to_owned(),
            stream: format!("ws://{authority}/stream"),
        })
    }

    /// Scheme and authority of a host, without a path.
    pub fn base(&self, host: Host) -> &str {
        match host {
            Host::Trading => &self.trading,
            Host::Data => &self.data,
        }
    }

    /// Full address of the stream of order messages.
    pub fn stream(&self) -> &str {
        &self.stream
    }
}

/// Whether a push may go to an address: anywhere that is encrypted, and to this machine. No key
/// goes along.
///
/// # Errors
/// [`HostsError::NotEncrypted`] for any other.
pub fn may_be_pushed_to(address: &str) -> Result<(), HostsError> {
    let authority = |rest: &str| rest.split(['/', '?', '#']).next().map(str::to_owned);
    let allowed = if let Some(rest) = address.strip_prefix("https://") {
        authority(rest).is_some_and(|host| !host.is_empty() && !host.contains('@'))
    } else {
        address.strip_prefix("http://").and_then(authority).is_some_and(|host| is_local(&host))
    };
    if allowed { Ok(()) } else { Err(HostsError::NotEncrypted) }
}

/// True for `host` or `host:port` of this machine and nothing around it.
fn is_local(authority: &str) -> bool {
    let (known, port) = if let Some(rest) = authority.strip_prefix('[') {
        let Some((inside, after)) = rest.split_once(']') else { return false };
        (inside.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback()), after)
    } else {
        let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let loopback = name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
        (loopback || name == "localhost" || name == CONTAINER_HOST, port)
    };
    let port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|number| number.parse::<u16>().is_ok());
    known && port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_has_its_own_trading_host_and_shares_the_data_host() {
        let (paper, live) = (Hosts::of(Mode::Paper), Hosts::of(Mode::Live));
        assert_eq!(paper.base(Host::Trading), "https://paper-api.alpaca.markets");
        assert_eq!(live.base(Host::Trading), "https://api.alpaca.markets");
        assert_eq!(paper.base(Host::Data), live.base(Host::Data));
        assert_eq!(live.stream(), "wss://api.alpaca.markets/stream");
    }

    #[test]
    fn paper_may_be_pointed_at_this_machine() {
        for origin in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:9",
            "http://host.docker.internal:8080/",
        ] {
            let hosts = Hosts::local(Mode::Paper, origin).unwrap();
            assert!(hosts.stream().starts_with("ws://") && hosts.stream().ends_with("/stream"));
            assert!(!hosts.base(Host::Data).ends_with('/'), "{origin}");
        }
    }

    #[test]
    fn a_push_goes_over_an_encrypted_connection_or_stays_on_this_machine() {
        for address in [
            "https://ntfy.sh/topic",
            "https://10.0.0.1:8443/hook?key=1",
            "http://127.0.0.1:8080/topic",
            "http://localhost/hook",
        ] {
            assert_eq!(may_be_pushed_to(address), Ok(()), "{address}");
        }
        for address in [
            "http://ntfy.sh/topic",
            "http://127.0.0.1@evil.example/topic",
            "http://127.0.0.1.evil.example/topic",
            "https://name:password@ntfy.sh/topic",
            "https:///topic",
            "https://",
            "ftp://ntfy.sh/topic",
            "ntfy.sh/topic",
            "",
        ] {
            assert_eq!(may_be_pushed_to(address), Err(HostsError::NotEncrypted), "{address}");
        }
    }

    #[test]
    fn no_other_machine_and_no_live_account_is_ever_pointed_elsewhere() {
        for origin in [
            "https://127.0.0.1",
            "http://127.0.0.1@evil.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example:80",
            "http://evil.example/127.0.0.1",
            "http://127.0.0.1:80/path",
            "http://127.0.0.1:80:80",
            "http://127.0.0.1:x",
            "http://10.0.0.1",
            "http://[::1",
            "http://[::1]x:9",
            "http://[2001:db8::1]:9",
            "ftp://127.0.0.1",
            "http://",
            "",
        ] {
            let refused = Hosts::local(Mode::Paper, origin);
            assert!(matches!(refused, Err(HostsError::NotLocal(_))), "{origin:?} {refused:?}");
        }
        assert_eq!(Hosts::local(Mode::Live, "http://127.0.0.1:8080"), Err(HostsError::Live));
    }
}
