//! Connections to the measured server.

use std::io::{Error, Result};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use sekali_client::{ServerUrl, configuration};
use sekali_tls::{ClientTls, TlsError};

/// The address and TLS of a server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Route {
    address: Arc<str>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Route {
    /// The route to the server at `url`.
    pub(super) fn new(url: &ServerUrl, tls: &ClientTls) -> std::result::Result<Self, TlsError> {
        let tls = match configuration(url, tls)? {
            None => None,
            Some(tls) => {
                let name = ServerName::try_from(url.host().to_owned()).map_err(TlsError::setup)?;
                Some((Arc::new(tls).into(), name))
            }
        };
        Ok(Self { address: url.authority().into(), tls })
    }

    /// Host and port.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&*self.address).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => begin(stream).await,
            Some((connector, name)) => begin(connector.connect(name.clone(), stream).await?).await,
        }
    }
}

async fn begin(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<SendRequest<Full<Bytes>>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(Error::other)?;
    // The next request notices its end.
    tokio::spawn(connection);
    Ok(sender)
}
