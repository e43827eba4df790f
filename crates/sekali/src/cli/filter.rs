//! The flags that say which events are wanted.

use clap::Args;

use crate::client::Filter;

/// Which events to read.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Only this topic
    #[arg(long)]
    topic: Option<String>,
}

impl FilterArgs {
    /// The query parameters that these flags stand for.
    pub(super) fn filter(&self) -> Filter {
        self.topic.iter().map(|topic| ("topic".to_owned(), topic.clone())).collect()
    }

    /// The topic, if events are wanted by nothing but that.
    pub(super) fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }
}
