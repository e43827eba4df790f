//! Bare servers: the least work, with the libraries that Sekali uses.

pub(crate) mod floor;
pub(crate) mod handler;

use std::io::{self, Write as _};

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::Outcome;

/// Serves `router` on a free port until the process exits.
fn serve(router: Router) -> Outcome<()> {
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
        // Responses are small and awaited, as in Sekali.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        Ok(axum::serve(listener, router).await?)
    })
}

/// Sekali's response to `received` new events.
fn answer(received: u64) -> String {
    format!(r#"{{"message":"stored","received":{received},"stored":{received},"duplicates":0,"conflicts":0}}"#)
}
