//! TLS with the real binary and certificates made for the test.

mod files;
mod protocols;
mod reload;
mod trust;

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use sekali_testkit::{Authority, KeyPairFiles};

use crate::process::{Run, command, run};
use crate::served::Served;

/// A directory for data and certificates, and the authority that clients trust.
struct Place {
    dir: tempfile::TempDir,
    authority: Authority,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new(dir.path(), "our-ca");
        Self { dir, authority }
    }

    /// The command line of a server that presents `pair`.
    fn serve(&self, pair: &KeyPairFiles, more: &[&str]) -> Command {
        let data_dir = self.dir.path().join("data");
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--data-dir", text(&data_dir)];
        arguments.extend(["--tls-cert", text(&pair.cert), "--tls-key", text(&pair.key)]);
        arguments.extend(more);
        command(&arguments)
    }

    /// Requests a server's health as `https://localhost`, trusting the test's authority.
    fn ask(&self, served: &Served, more: &[&str]) -> Run {
        let url = format!("https://localhost:{}", served.port());
        run(&[&["health", "--url", &url, "--ca-cert", text(&self.authority.cert)], more].concat())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A TLS connection on which the test writes HTTP itself.
type Connection = StreamOwned<ClientConnection, TcpStream>;

/// Trusts the CA in the file.
fn trusting(ca: &Path) -> ClientConfig {
    trusting_in(ALL_VERSIONS, ca)
}

/// Trusts the CA, and accepts only these versions.
fn trusting_in(versions: &[&'static SupportedProtocolVersion], ca: &Path) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    builder.with_protocol_versions(versions).unwrap().with_root_certificates(roots).with_no_client_auth()
}

fn connect(served: &Served, config: ClientConfig) -> Connection {
    let mut stream = TcpStream::connect(served.address()).unwrap();
    let mut connection = ClientConnection::new(config.into(), "localhost".try_into().unwrap()).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).unwrap();
    }
    StreamOwned::new(connection, stream)
}
