//! Listening sockets that are open before the server starts, and stay open when it ends.

use std::io;
use std::net::{SocketAddr, TcpListener};

/// Listening sockets that were opened elsewhere: by a supervisor, or by the server before this one.
/// Connections wait in them while nobody accepts.
#[derive(Debug, Default)]
pub struct Sockets(Vec<(String, TcpListener)>);

impl Sockets {
    /// With their names.
    pub fn new(sockets: Vec<(String, TcpListener)>) -> Self {
        Self(sockets)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all of them.
    pub(super) fn take(&mut self) -> Vec<TcpListener> {
        self.0.drain(..).map(|(_, listener)| listener).collect()
    }

    /// Takes those of this name that listen on one of these addresses, of which port 0 means any.
    pub(super) fn take_at(&mut self, name: &str, addrs: &[SocketAddr]) -> Vec<TcpListener> {
        let is_meant = |(known, listener): &mut (String, TcpListener)| {
            known == name && listener.local_addr().is_ok_and(|at| is_among(at, addrs))
        };
        self.0.extract_if(.., is_meant).map(|(_, listener)| listener).collect()
    }

    /// The names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The sockets, in order.
    pub(super) fn listeners(&self) -> impl Iterator<Item = &TcpListener> {
        self.0.iter().map(|(_, listener)| listener)
    }

    /// The same sockets once more.
    ///
    /// # Errors
    /// Too many open files.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        let clone = |(name, listener): &(String, TcpListener)| Ok((name.clone(), listener.try_clone()?));
        self.0.iter().map(clone).collect::<io::Result<_>>().map(Self)
    }
}

fn is_among(at: SocketAddr, addrs: &[SocketAddr]) -> bool {
    addrs.iter().any(|addr| addr.ip() == at.ip() && (addr.port() == 0 || addr.port() == at.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(name: &str) -> (String, TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        (name.to_owned(), listener, addr)
    }

    #[test]
    fn a_socket_is_taken_for_its_own_name_and_address_only() {
        let ((a, first, first_at), (b, second, second_at)) = (open("main"), open("other"));
        let mut sockets = Sockets::new(vec![(a, first), (b, second)]);
        assert!(sockets.take_at("main", &[second_at]).is_empty());
        assert!(sockets.take_at("main", &["127.0.0.2:0".parse().unwrap()]).is_empty());
        assert_eq!(sockets.take_at("main", &["127.0.0.1:0".parse().unwrap()]).len(), 1, "port 0 is any");
        assert!(sockets.take_at("main", &[first_at]).is_empty(), "it is taken once");
        assert_eq!(sockets.take_at("other", &[first_at, second_at]).len(), 1);
        assert!(sockets.is_empty());
    }
}
