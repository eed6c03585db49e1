//! The built-in exchange on a loopback port, for any client.

use std::net::SocketAddr;

use clap::Args;
use serde_json::json;

use crate::interface::cli::offline::{first_session, market, world};
use crate::interface::cli::{Trouble, WorldChoice, say};
use crate::simulator::routes::Keys;
use crate::simulator::server::{Pace, Server, Serving};

/// Where to listen, and what to show.
#[derive(Debug, Clone, Args)]
pub(super) struct Listen {
    /// Loopback address and port; port 0 takes a free one.
    #[arg(long = "listen", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// Key id that clients must send; without one any pair is accepted.
    #[arg(long, requires = "secret_key")]
    key: Option<String>,
    /// Secret key that clients must send.
    #[arg(long, requires = "key")]
    secret_key: Option<String>,
    #[command(flatten, next_help_heading = "The built-in exchange")]
    world: WorldChoice,
}

/// Listens until interrupted.
pub(super) async fn listen(what: &Listen, json: bool) -> Result<u8, Trouble> {
    if !what.address.ip().is_loopback() {
        let refused = format!("{} is no loopback address", what.address.ip());
        return Err(Trouble::setting(
            refused,
            "listen on 127.0.0.1: the exchange is for this machine",
        ));
    }
    let market = market(&what.world)?;
    let date = first_session(&what.world, &market)?;
    let world = world(&what.world, market, date)?;
    if let (Some(key), Some(secret)) = (&what.key, &what.secret_key) {
        world.door(|door| door.keys = Keys::Only { id: key.clone(), secret: secret.clone() });
    }
    let serving = Serving { port: what.address.port(), pace: Pace::Wall, ..Serving::default() };
    let mut server = Server::start(world, serving).await.map_err(|error| {
        Trouble::setting(format!("{}: {error}", what.address), "choose a free port")
    })?;
    if json {
        let (url, stream) = (server.url(), server.stream_url());
        say(&json!({ "url": url, "stream": stream, "session": date }).to_string());
    } else {
        say(&format!("exchange   {} (REST below /v2, /v1beta1 and /v1)", server.url()));
        say(&format!("stream     {}", server.stream_url()));
        say(&format!("session    {date}; ends with an interrupt"));
    }
    tokio::select! {
        () = server.finished() => Err(Trouble::setting("the server ended", "start it again")),
        _ = tokio::signal::ctrl_c() => Ok(0),
    }
}
