//! Compression of requests, as by remote producers.

use std::io::{self, Write as _};

use bytes::Bytes;
use clap::ValueEnum;
use flate2::write::GzEncoder;
use serde::Serialize;

/// Compression of requests: fast levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all
    #[default]
    None,
    /// gzip, level 1
    Gzip,
    /// zstd, level 1
    Zstd,
}

const ZSTD_LEVEL: i32 = 1;

impl Compression {
    /// Its `Content-Encoding`, if any.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    pub(super) fn compress(self, body: Bytes) -> io::Result<Bytes> {
        match self {
            Self::None => Ok(body),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), flate2::Compression::fast());
                encoder.write_all(&body)?;
                encoder.finish().map(Bytes::from)
            }
            Self::Zstd => zstd::bulk::compress(&body, ZSTD_LEVEL).map(Bytes::from),
        }
    }
}
