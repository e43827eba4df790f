//! One consumer.

use sekali_wire::secret::KeyId;
use sekali_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::query::{EventQuery, Positions, WrongFilter};

/// A named position among the events of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consumer {
    pub(crate) name: String,
    /// The parameters of its query.
    pub(crate) filters: Vec<(String, String)>,
    /// Behind the last event that was acknowledged, by partition.
    pub(crate) positions: Positions,
    /// When it was made. Tells it from an earlier one of the same name.
    pub(crate) created: Timestamp,
    /// When it was acknowledged last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) acknowledged: Option<Timestamp>,
    /// The key that made it, if it needed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) maker: Option<KeyId>,
}

/// The attributes of a new consumer.
#[derive(Debug, Clone)]
pub(crate) struct NewConsumer {
    /// See [`Consumer::name`].
    pub(crate) name: String,
    /// See [`Consumer::filters`].
    pub(crate) filters: Vec<(String, String)>,
    /// See [`Consumer::positions`].
    pub(crate) positions: Positions,
    /// See [`Consumer::maker`].
    pub(crate) maker: Option<KeyId>,
}

impl Consumer {
    pub(super) fn new(new: NewConsumer, now: Timestamp) -> Self {
        let NewConsumer { name, filters, positions, maker } = new;
        Self { name, filters, positions, created: now, acknowledged: None, maker }
    }

    /// The events that it is for. Times that are told by how long ago they were count from when it
    /// was made.
    ///
    /// # Errors
    /// A filter is wrong, which was right when the consumer was made.
    pub(crate) fn query(&self) -> Result<EventQuery, WrongFilter> {
        query(&self.filters, self.created)
    }
}

impl NewConsumer {
    /// The events that it is for, if it is made now.
    ///
    /// # Errors
    /// The first filter that is wrong.
    pub(crate) fn query(&self, now: Timestamp) -> Result<EventQuery, WrongFilter> {
        query(&self.filters, now)
    }
}

fn query(filters: &[(String, String)], made: Timestamp) -> Result<EventQuery, WrongFilter> {
    EventQuery::parse(filters.iter().map(|(name, value)| (name.as_str(), value.as_str())), made.0)
}
