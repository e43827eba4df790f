//! Options for files whose records are no events.

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::input::Shape;

/// How records become events.
#[derive(Debug, Args)]
#[command(next_help_heading = "Records that are no events")]
pub(crate) struct ShapeArgs {
    /// Publish each line of text as an event; its id comes from everything in the file up to its
    /// end, so that a file that has grown, or was rotated, can be published again
    #[arg(long, requires = "topic", conflicts_with_all = ["count", "format", "table", "journal"])]
    lines: bool,
    /// Publish the journal, as `journalctl -o json` writes it; the id is __CURSOR, the topic the
    /// name of the program
    #[arg(long, conflicts_with_all = ["count", "format", "table"])]
    journal: bool,
    /// Topic of the events
    #[arg(long, value_name = "TOPIC", conflicts_with = "count")]
    topic: Option<String>,
    /// Source of the events of --lines; not the name of the file, which rotation changes
    #[arg(long, value_name = "SOURCE", requires = "lines", default_value = "", hide_default_value = true)]
    source: String,
}

impl ShapeArgs {
    /// The shape that was asked for.
    pub(super) fn shape(&self) -> Result<Option<Shape>, Failure> {
        match (&self.topic, self.lines, self.journal) {
            (Some(topic), true, _) => Ok(Some(Shape::Lines { topic: topic.clone(), source: self.source.clone() })),
            (topic, false, true) => Ok(Some(Shape::Journal { topic: topic.clone() })),
            (None, false, false) => Ok(None),
            (None, true, _) => Err(Failure::new(Exit::Usage, "--lines needs --topic")),
            (Some(_), false, false) => Err(Failure::new(Exit::Usage, "--topic is for --lines and --journal")),
        }
    }
}
