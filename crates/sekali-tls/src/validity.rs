//! Whether a certificate is valid by the clock.
//!
//! rustls does not care whether our own certificate is: whoever is shown it will. So it is asked as if it were
//! somebody else's, and of what it says only what is about time counts.

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};

use crate::provider;

/// What is wrong with the dates of `certificate` at `now`.
pub(crate) fn problem(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<String> {
    // There must be a root. The dates are looked at before any root is, so that it does not matter which.
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone().into_owned()).ok()?;
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider()).build().ok()?;
    let name = ServerName::try_from("localhost").ok()?;
    match verifier.verify_server_cert(certificate, &[], &name, &[], now) {
        Err(Error::InvalidCertificate(error)) => of_time(&error),
        _ => None,
    }
}

fn of_time(error: &CertificateError) -> Option<String> {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => Some(format!("expired at {}", date(*not_after))),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Some(format!("not valid before {}", date(*not_before)))
        }
        CertificateError::Expired => Some("expired".to_owned()),
        CertificateError::NotValidYet => Some("not valid yet".to_owned()),
        _ => None,
    }
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "a time out of range".to_owned(), |time| time.to_string())
}
