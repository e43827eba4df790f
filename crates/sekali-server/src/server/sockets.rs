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

    /// Calls those main that have none of these names.
    pub(super) fn name_main(&mut self, main: &str, others: &[&str]) {
        for (name, _) in &mut self.0 {
            if !others.contains(&name.as_str()) {
                main.clone_into(name);
            }
        }
    }

    /// Takes those of this name that listen on one of these addresses, of which port 0 means any.
    pub(super) fn take_at(&mut self, name: &str, addrs: &[SocketAddr]) -> Vec<TcpListener> {
        let is_meant = |(known, listener): &mut (String, TcpListener)| {
            known == name && listener.local_addr().is_ok_and(|at| is_among(at, addrs))
        };
        self.0.extract_if(.., is_meant).map(|(_, listener)| listener).collect()
    }

    /// Adds one.
    pub(super) fn push(&mut self, name: &str, listener: TcpListener) {
        self.0.push((name.to_owned(), listener));
    }

    /// Names and sockets, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &TcpListener)> {
        self.0.iter().map(|(name, listener)| (name.as_str(), listener))
    }

    /// Takes all of them.
    pub(super) fn into_all(self) -> Vec<(String, TcpListener)> {
        self.0
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

    #[test]
    fn a_socket_without_the_name_of_a_port_is_a_main_one() {
        let named = ["otlp", "sekali.socket", ""].map(|name| (open(name).0, open(name).1));
        let mut sockets = Sockets::new(named.into());
        sockets.name_main("main", &["otlp", "loki"]);
        assert_eq!(sockets.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["otlp", "main", "main"]);
    }
}
