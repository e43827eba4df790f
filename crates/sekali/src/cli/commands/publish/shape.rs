//! Options for files whose records are no events.

use std::sync::Arc;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::input::Shape;
use sekali_server::mapping::Mapping;

/// How records become events.
#[derive(Debug, Args)]
#[command(next_help_heading = "Records that are no events")]
pub(crate) struct ShapeArgs {
    /// Publish each line of text as an event; its id comes from everything in the file up to its
    /// end, so that a file that has grown, or was rotated, can be published again
    #[arg(long, requires = "topic", conflicts_with_all = ["format", "table", "journal", "map"])]
    lines: bool,
    /// Publish the journal, as `journalctl -o json` writes it; the id is __CURSOR, the topic the
    /// name of the program
    #[arg(long, conflicts_with_all = ["format", "table", "map"])]
    journal: bool,
    /// Publish JSON or CSV of any shape: of JSON each record is the payload, of CSV the columns that
    /// are named nowhere else; without --id it comes from everything in the file up to the record
    #[arg(long, requires = "topic", conflicts_with = "table")]
    map: bool,
    /// Topic of the events; with --map {PLACE} stands for a value, as in web.{service}
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Where records have their id: a member or column, or a JSON pointer like /request/id; of
    /// several with commas between them the first that is there
    #[arg(long, value_name = "PLACE", requires = "map")]
    id: Option<String>,
    /// Where records have their time: RFC 3339 or ISO 8601, or seconds, ms, µs or ns since 1970
    #[arg(long, value_name = "PLACE", requires = "map")]
    timestamp: Option<String>,
    /// Source of the events of --lines and --map, with {PLACE} as in --topic; not the name of the
    /// file, which rotation changes
    #[arg(long, value_name = "SOURCE", requires = "topic", default_value = "", hide_default_value = true)]
    source: String,
    /// The records are in the array that this member has, the first of an object around them
    #[arg(long, value_name = "MEMBER", requires = "map")]
    records: Option<String>,
}

impl ShapeArgs {
    /// The shape that was asked for.
    pub(in crate::cli) fn shape(&self) -> Result<Option<Shape>, Failure> {
        let usage = |message: String| Failure::new(Exit::Usage, message);
        match &self.topic {
            Some(topic) if self.lines => Ok(Some(Shape::Lines { topic: topic.clone(), source: self.source.clone() })),
            Some(topic) if self.map => {
                let mapping = Mapping::new(topic, &self.source, self.id.as_deref(), self.timestamp.as_deref());
                let mapping = Arc::new(mapping.map_err(|reason| usage(format!("--{reason}")))?);
                Ok(Some(Shape::Mapped { mapping, records: self.records.clone() }))
            }
            topic if self.journal => Ok(Some(Shape::Journal { topic: topic.clone() })),
            None => Ok(None),
            Some(_) => Err(usage("--topic is for --map, --lines and --journal".to_owned())),
        }
    }
}
