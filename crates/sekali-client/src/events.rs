//! Queries for pages of events.

use reqwest::Url;

use super::filter::EventsFilter;

/// The page of events to request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventsQuery {
    /// Conditions on the events.
    pub filter: EventsFilter,
    /// Only events after this cursor.
    pub after: Option<String>,
    /// Newest first.
    pub descending: bool,
    /// The most events of the page.
    pub limit: u64,
}

impl EventsQuery {
    pub(super) fn append_to(&self, url: &mut Url) {
        url.query_pairs_mut()
            .append_pair("limit", &self.limit.to_string())
            .append_pair("order", if self.descending { "desc" } else { "asc" });
        self.filter.append_to(url);
        url.query_pairs_mut().extend_pairs(self.after.as_ref().map(|after| ("after", after)));
    }
}
