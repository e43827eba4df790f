//! Who a request counts for.

use std::net::{IpAddr, Ipv6Addr};

use sekali_wire::secret::KeyId;

/// A client, as far as clients can be told apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// All requests with this key, wherever they come from.
    Key(KeyId),
    /// All requests without one from this [`network`].
    Network(IpAddr),
}

#[cfg(test)]
impl Client {
    /// One of several clients, for tests.
    pub(crate) fn numbered(number: u8) -> Self {
        Self::Network([10, 0, 0, number].into())
    }
}

/// The network of an address: in IPv6 the first half, since one client has the whole /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        ip => ip,
    }
}
