//! The columns of a segment by number, and how its pages are cut.

use std::sync::Arc;

use parquet::errors::Result;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterPropertiesPtr};

use crate::columns::{self, COLUMN_NAMES};
use crate::limits::SEGMENT_PAGE_BYTES;

/// Columns by their place in the schema.
pub(super) const TOPIC: usize = 0;
pub(super) const EVENT_ID: usize = 1;
pub(super) const TIMESTAMP: usize = 2;
pub(super) const SOURCE: usize = 3;
pub(super) const PAYLOAD: usize = 4;
pub(super) const SEQ: usize = 5;
pub(super) const RECEIVED_AT: usize = 6;
/// Number of columns.
pub(super) const COLUMNS: usize = COLUMN_NAMES.len();

/// How segments are written, with pages of at most `page_rows` rows.
pub(super) fn properties(page_rows: usize) -> Result<WriterPropertiesPtr> {
    let sorted = |column: usize| SortingColumn { column_idx: column as i32, descending: false, nulls_first: false };
    let builder = columns::properties(&COLUMN_NAMES)?
        .set_data_page_row_count_limit(page_rows)
        .set_data_page_size_limit(SEGMENT_PAGE_BYTES)
        .set_write_batch_size(page_rows)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns(Some(vec![sorted(TOPIC), sorted(SEQ)]));
    Ok(Arc::new(builder.build()))
}
