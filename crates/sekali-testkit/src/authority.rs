//! A certificate authority for one test.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Names of the machine that the test runs on.
const THIS_MACHINE: [&str; 2] = ["localhost", "127.0.0.1"];

/// A certificate authority that keeps its certificates and keys as PEM files in a directory.
#[derive(Debug)]
pub struct Authority {
    dir: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// File of its own certificate.
    pub cert: PathBuf,
}

/// The files of a certificate and its key.
#[derive(Debug, Clone)]
pub struct KeyPairFiles {
    /// The certificate, in PEM.
    pub cert: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
}

impl Authority {
    /// Creates an authority of this name with a new key. `dir` takes all its files.
    pub fn new(dir: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let cert = dir.join(format!("{name}.pem"));
        std::fs::write(&cert, issuer.pem()).unwrap();
        Self { dir: dir.to_owned(), issuer, cert }
    }

    /// Issues a certificate for this machine.
    pub fn issue(&self, file: &str) -> KeyPairFiles {
        self.issue_for(file, &THIS_MACHINE)
    }

    /// Issues a certificate for this machine that has expired.
    pub fn issue_expired(&self, file: &str) -> KeyPairFiles {
        self.issue_changed(file, &THIS_MACHINE, |params| params.not_after = rcgen::date_time_ymd(2020, 1, 2))
    }

    /// Issues a certificate for this machine that becomes valid in the year 3000.
    pub fn issue_not_yet_valid(&self, file: &str) -> KeyPairFiles {
        self.issue_changed(file, &THIS_MACHINE, |params| {
            params.not_before = rcgen::date_time_ymd(3000, 1, 1);
            params.not_after = rcgen::date_time_ymd(3001, 1, 1);
        })
    }

    /// Issues a certificate for `names` in `file.pem`, with its key in `file.key`.
    pub fn issue_for(&self, file: &str, names: &[&str]) -> KeyPairFiles {
        self.issue_changed(file, names, |_| {})
    }

    fn issue_changed(&self, file: &str, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> KeyPairFiles {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let pair =
            KeyPairFiles { cert: self.dir.join(format!("{file}.pem")), key: self.dir.join(format!("{file}.key")) };
        std::fs::write(&pair.cert, certificate.pem()).unwrap();
        std::fs::write(&pair.key, key.serialize_pem()).unwrap();
        pair
    }
}
