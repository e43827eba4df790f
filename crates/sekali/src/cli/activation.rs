//! Sockets that a supervisor has opened for this process, as systemd does (sd_listen_fds(3)): they
//! stay open while the server restarts, and connections wait in them.

use listenfd::ListenFd;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use sekali_server::server::Sockets;

/// The sockets, with the names that the supervisor gave them. There are none without a supervisor.
pub(crate) fn sockets() -> Result<Sockets, Failure> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut given = ListenFd::from_env();
    let mut sockets = Vec::new();
    for number in 0..given.len() {
        let name = names.next().unwrap_or_default().to_owned();
        let listener = given.take_tcp_listener(number).map_err(|error| {
            let reason = format!("socket {number} of the supervisor ({name:?}) is no listening TCP socket: {error}");
            Failure::new(Exit::CannotListen, reason)
        })?;
        sockets.extend(listener.map(|listener| (name, listener)));
    }
    Ok(Sockets::new(sockets))
}
