//! How consumers are answered.

use std::collections::BTreeMap;

use sekali_wire::timestamp::Timestamp;
use serde::Serialize;

use crate::consumers::Consumer;
use crate::http::answer::{ApiError, Code};
use crate::service::Service;

/// A consumer, as it is answered.
#[derive(Debug, Serialize)]
pub(super) struct ConsumerWords {
    name: String,
    filters: BTreeMap<String, Values>,
    /// Behind the last event that was acknowledged.
    cursor: String,
    /// Events behind it, whether they match or not.
    behind: u64,
    created_at: Timestamp,
    acknowledged_at: Option<Timestamp>,
}

/// One value, or several that are alternatives.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

impl ConsumerWords {
    pub(super) fn new(service: &Service, consumer: &Consumer) -> Self {
        let mut filters = BTreeMap::<String, Values>::new();
        for (name, value) in &consumer.filters {
            let joined = match filters.remove(name) {
                None => Values::One(value.clone()),
                Some(Values::One(first)) => Values::Several(vec![first, value.clone()]),
                Some(Values::Several(mut values)) => {
                    values.push(value.clone());
                    Values::Several(values)
                }
            };
            filters.insert(name.clone(), joined);
        }
        Self {
            name: consumer.name.clone(),
            filters,
            cursor: service.cursor_key().seal_for_consumer(&consumer.name, consumer.created.0, &consumer.positions),
            behind: service.behind(consumer),
            created_at: consumer.created,
            acknowledged_at: consumer.acknowledged,
        }
    }
}

pub(super) fn not_found(name: &str) -> ApiError {
    ApiError::new(Code::NotFound, format!("there is no consumer `{name}`; make it with PUT /consumers/{name}"))
}
