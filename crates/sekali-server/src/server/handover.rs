//! Handing a data directory and its listening sockets over to another process, so that a restart
//! refuses no connection.
//!
//! The two talk through a Unix socket in the data directory, line by line. The new process asks,
//! gets the sockets and prepares everything that needs no store. Then the running one drains,
//! closes the store and says so, while connections wait in the sockets. It ends when the new one
//! serves. Until then it can take everything back: if the new one fails, it opens the store again.

mod claim;
mod offer;
mod wire;

use tracing::info;

use super::bind::Open;
use super::prepared::Prepared;
use super::{Config, Internals, Server, Sockets, StartError};
use crate::limits::HANDOVER_TIMEOUT;
use claim::Claim;

pub(super) use offer::{Offer, Taker};

/// Starts a server in the place of the one that runs on the data directory, if one does.
pub(super) async fn take_over(config: Config, internals: Internals, sockets: Sockets) -> Result<Server, StartError> {
    let Some((mut claim, offered)) = Claim::make(&config.data_dir).await? else {
        info!("no server runs on this data directory: there is nothing to take over");
        return Prepared::new(config, internals, Open::of(sockets)).await?.open().await;
    };
    let open = if sockets.is_empty() { Open::Offered(offered) } else { Open::Supervised(sockets) };
    // If this fails, the claim is dropped and the other goes on undisturbed.
    let prepared = Prepared::new(config, internals, open).await?;
    info!("taking over: the other server finishes its requests");
    claim.release().await;
    match prepared.open_within(HANDOVER_TIMEOUT).await {
        Ok(server) => {
            claim.confirm().await;
            Ok(server)
        }
        Err(error) => {
            claim.give_back(&error.to_string()).await;
            Err(error)
        }
    }
}
