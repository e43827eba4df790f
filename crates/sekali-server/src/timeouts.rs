//! How long clients may take.

use std::time::Duration;

use crate::limits::{
    ANSWER_TIMEOUT, BODY_TIMEOUT, CONNECTION_CHECK_INTERVAL, HEADERS_TIMEOUT, TAIL_HEARTBEAT, TAIL_PATIENCE,
};
use sekali_wire::limits::IDLE_TIMEOUT;

/// How long clients may take: the constants of [`crate::limits`], of which each field has its name.
/// Tests have less time than that.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub headers: Duration,
    pub body: Duration,
    pub answer: Duration,
    pub idle: Duration,
    pub check_interval: Duration,
    pub tail_heartbeat: Duration,
    pub tail_patience: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            headers: HEADERS_TIMEOUT,
            body: BODY_TIMEOUT,
            answer: ANSWER_TIMEOUT,
            idle: IDLE_TIMEOUT,
            check_interval: CONNECTION_CHECK_INTERVAL,
            tail_heartbeat: TAIL_HEARTBEAT,
            tail_patience: TAIL_PATIENCE,
        }
    }
}
