//! Why a request is refused, before a protocol words it.

use sekali_wire::error_code::Code;
use sekali_wire::limits::{BATCH_EVENTS_MAX, BODY_BYTES_MAX};

use crate::ingest::DraftsError;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A setting of the request, in its query or headers, that cannot be read.
    pub(crate) fn setting(name: &str, reason: &str) -> Self {
        Self::new(Code::InvalidParameter, format!("parameter `{name}`: {reason}"))
    }
}

impl From<DraftsError> for Refusal {
    fn from(error: DraftsError) -> Self {
        match error {
            DraftsError::TooManyEvents => {
                Self::new(Code::TooLarge, format!("more than {BATCH_EVENTS_MAX} events in one request; send several"))
            }
            DraftsError::TooLarge => {
                let message =
                    format!("the events take more than {BODY_BYTES_MAX} bytes as JSON; send fewer events at a time");
                Self::new(Code::TooLarge, message)
            }
            DraftsError::Overloaded => {
                Self::new(Code::Overloaded, "too many requests are being read; nothing was stored, send it again")
            }
        }
    }
}
