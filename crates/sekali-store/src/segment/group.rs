//! Reads a row group: verified bytes, decoded columns.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::serialized_reader::SerializedPageReader;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::blocks::TopicBlocks;
use super::column_rows::{ColumnRows, ColumnsWanted, Counts, TimesWanted, TopicSlice};
use super::counting::Question;
use super::decoded::{DecodedEvents, Texts, Values};
use super::filter::FilterPart;
use super::index::{ColumnIndex, FILTER_PART, GroupIndex, MEMBERS_PART, SUMMARY_PART, TOPIC_RECORD_BYTES, TopicRows};
use super::members::pick::{Known, Pick};
use super::members::{MemberColumn, MemberPart};
use super::part_head::FetchPart;
use super::query::{RowQuery, TopicChoice};
use super::row_set::RowSet;
use super::schema::{EVENT_ID, PAYLOAD, RECEIVED_AT, SOURCE, TIMESTAMP};
use super::select;
use super::source::{GroupMap, GroupSource, WholeIndex, flaw};
use super::summary::Summary;
use super::table::TopicTable;
use crate::columns;
use crate::error::{Error, Result};
use crate::invariant::invariant;
use crate::limits::{SEGMENT_CHECK_BYTES, SEGMENT_PAGE_ROWS};

/// Bytes that [`GroupReader::verify`] holds at a time.
const VERIFY_BYTES: u32 = 1024 * 1024;

/// A row group whose index is known.
pub(super) struct GroupReader<'a> {
    source: GroupSource<'a>,
    index: &'a GroupIndex,
    topics: &'a TopicBlocks,
}

impl<'a> GroupReader<'a> {
    /// Reads the index where this has not been done before.
    pub(super) fn load(source: GroupSource<'a>) -> Result<Self> {
        let GroupMap { index, topics } = source.map()?;
        Ok(Self { source, index, topics })
    }

    /// Its index, read again.
    pub(super) fn whole_index(&self) -> Result<WholeIndex> {
        self.source.read_index()
    }

    /// Decodes the wanted events.
    pub(super) fn decode(&self, wanted: &RowQuery<'_>) -> Result<DecodedEvents> {
        let topics = self.topics(wanted.topics)?;
        let pick = if wanted.rows.is_none() { self.pick(wanted)? } else { None };
        let among = wanted.rows.or(pick.as_ref().map(|pick| &pick.rows));
        let selection = select::select(self.index, &topics, wanted, among, |column, rows| self.numbers(column, rows))?;
        // Of rows that were chosen before, the others have been told before.
        let passed = if wanted.rows.is_some() { 0 } else { selection.passed };
        let rows = &selection.rows;
        if rows.is_empty() {
            return Ok(DecodedEvents { passed, ..DecodedEvents::default() });
        }
        let is_judged = pick.as_ref().is_some_and(Pick::is_certain);
        let without_payloads = wanted.unread.payloads
            && (is_judged || wanted.conditions.is_none_or(|conditions| !conditions.ask_payloads()));
        let decoded = DecodedEvents {
            event_ids: (!wanted.unread.event_ids).then(|| self.texts(EVENT_ID, rows)).transpose()?,
            sources: (!wanted.unread.sources).then(|| self.texts(SOURCE, rows)).transpose()?,
            payloads: (!without_payloads).then(|| self.values(PAYLOAD, rows)).transpose()?,
            timestamps_ns: self.numbers(TIMESTAMP, rows)?,
            received_at_ns: self.numbers(RECEIVED_AT, rows)?,
            order: selection.order,
            topics,
            is_judged,
            passed,
        };
        if decoded.is_sound() {
            Ok(decoded)
        } else {
            Err(self.damaged("its columns differ in length", self.source.entry.offset))
        }
    }

    /// The rows that may meet the conditions on payloads, as far as the columns of members tell.
    fn pick(&self, wanted: &RowQuery<'_>) -> Result<Option<Pick>> {
        let Some(conditions) = wanted.conditions else { return Ok(None) };
        self.source.read_parts(|| {
            let members = self.members()?;
            // Columns that do not read, for a defect, have texts that the filter has not.
            let is_sound = members.is_some() || self.index.part(MEMBERS_PART).is_none();
            let filter = if is_sound { self.filter()? } else { None };
            let known = Known { rows: self.index.rows, members: members.as_ref(), filter: filter.as_ref() };
            known.pick(conditions)
        })
    }

    /// Its filters, if it has any.
    fn filter(&self) -> Result<Option<FilterPart<impl FetchPart>>> {
        let Some(place) = self.index.part(FILTER_PART) else { return Ok(None) };
        FilterPart::open(self.index.rows, place.end - place.start, self.fetch_part(place))
    }

    /// Reads bytes of a part that stands there.
    fn fetch_part(&self, place: Range<u32>) -> impl FetchPart {
        move |range: Range<u32>| self.fetch(place.start + range.start..place.start + range.end).map(Vec::from)
    }

    /// Its columns of members, if it has any.
    fn members(&self) -> Result<Option<MemberPart<impl FetchPart>>> {
        let Some(place) = self.index.part(MEMBERS_PART) else { return Ok(None) };
        MemberPart::open(self.index.rows, place.end - place.start, self.fetch_part(place))
    }

    /// Its summaries, if it has any.
    fn summary(&self) -> Result<Option<Summary>> {
        let read = |place| Ok(Some(Summary::new(self.fetch(place)?.into())));
        self.source.read_parts(|| self.index.part(SUMMARY_PART).map_or(Ok(None), read))
    }

    /// See [`Segment::column_rows`](super::Segment::column_rows).
    pub(super) fn column_rows(
        &self,
        wanted: &RowQuery<'_>,
        columns: &ColumnsWanted,
    ) -> Result<Option<(ColumnRows, RowSet)>> {
        if let Some(counts) = self.counts(wanted, columns)? {
            invariant!(counts.rows() <= u64::from(self.index.rows), "more rows are counted than there are");
            return Ok(Some((ColumnRows::of_counts(counts), RowSet::none(self.index.rows))));
        }
        let (mut certain, mut rest) = (RowSet::all(self.index.rows), RowSet::none(self.index.rows));
        if wanted.conditions.is_some() {
            let Some(picked) = self.pick(wanted)?.filter(|picked| picked.is_complete) else { return Ok(None) };
            (certain, rest) = (picked.rows, picked.undecided);
        }
        let Some(members) = self.member_columns(&columns.members)? else { return Ok(None) };
        for member in &members {
            let mut elsewhere = member.rows_elsewhere();
            elsewhere.intersect(&certain);
            rest.unite(&elsewhere);
        }
        certain.subtract(&rest);
        invariant!(!certain.meets(&rest), "a row would be read twice");
        let gathered = self.gather(wanted, columns, (&certain, &rest), members)?;
        invariant!(gathered.looked_at() <= u64::from(self.index.rows), "more rows are looked at than there are");
        Ok(Some((gathered, rest)))
    }

    /// The columns of these paths; `None` where one has none.
    fn member_columns(&self, paths: &[String]) -> Result<Option<Vec<MemberColumn>>> {
        if paths.is_empty() {
            return Ok(Some(Vec::new()));
        }
        self.source.read_parts(|| {
            let Some(part) = self.members()? else { return Ok(None) };
            paths.iter().map(|path| part.column(path)).collect()
        })
    }

    /// The wanted rows as counts, where topics and summaries are enough for these.
    fn counts(&self, wanted: &RowQuery<'_>, columns: &ColumnsWanted) -> Result<Option<Counts>> {
        let Some(question) = Question::new(wanted, columns) else { return Ok(None) };
        let topics = self.topics(wanted.topics)?;
        if let Some(counts) = question.by_topics(&topics) {
            return Ok(Some(counts));
        }
        let Some(summary) = self.summary()? else { return Ok(None) };
        // Topics are numbered among all.
        Ok(question.by_summary(&self.topics(TopicChoice::All)?, &summary))
    }

    /// The wanted columns of the wanted rows among the first of these; the others are looked at
    /// elsewhere.
    fn gather(
        &self,
        wanted: &RowQuery<'_>,
        columns: &ColumnsWanted,
        (among, rest): (&RowSet, &RowSet),
        mut members: Vec<MemberColumn>,
    ) -> Result<ColumnRows> {
        let topics = self.topics(wanted.topics)?;
        let (mut gathered, codes) = ColumnRows::new(&mut members);
        let is_cut = |topic: &TopicRows<'_>| !select::contains(&wanted.timestamps_ns, topic);
        let chosen = || select::chosen(&topics, wanted);
        let is_timed = columns.times != TimesWanted::None;
        let timed = chosen().filter(|topic| is_timed || is_cut(topic)).map(|topic| topic.rows);
        let times = self.numbers(TIMESTAMP, &select::join(timed))?;
        let mut times = times.as_slice();
        for topic in chosen() {
            let (rows, is_cut) = (topic.rows.clone(), is_cut(&topic));
            let read = if is_timed || is_cut { rows.len().min(times.len()) } else { 0 };
            let (own, others) = times.split_at(read);
            times = others;
            let timestamps_ns = if is_timed { own } else { &[] };
            let slice = TopicSlice { topic: topic.topic, first_row: rows.start, timestamps_ns };
            let in_time = |row: &u32| {
                !is_cut || own.get((row - rows.start) as usize).is_some_and(|time| wanted.timestamps_ns.contains(time))
            };
            let is_whole = !is_cut && among.count(rows.clone()) == rows.len() as u64;
            if is_whole {
                gathered.push_all(&slice, rows.len(), &codes);
                continue;
            }
            invariant!(slice.timestamps_ns.is_empty() || own.len() == rows.len(), "a row of a topic has no time");
            let some: Vec<u32> = among.iter(rows.clone()).filter(in_time).collect();
            gathered.push_some(&slice, &some, &codes);
            let all = if is_cut { rows.clone().filter(in_time).count() } else { rows.len() };
            let elsewhere = rest.iter(rows.clone()).filter(in_time).count();
            gathered.pass(all.saturating_sub(some.len() + elsewhere) as u64);
        }
        Ok(gathered)
    }

    /// The sources and payloads of all rows, in the order of the rows.
    pub(super) fn sources_and_payloads(&self) -> Result<(Texts, Values)> {
        let rows = 0..self.index.rows;
        let rows = std::slice::from_ref(&rows);
        Ok((self.texts(SOURCE, rows)?, self.values(PAYLOAD, rows)?))
    }

    /// The timestamps of all rows.
    pub(super) fn timestamps_ns(&self) -> Result<Vec<i64>> {
        let rows = 0..self.index.rows;
        self.numbers(TIMESTAMP, std::slice::from_ref(&rows))
    }

    /// Checks every byte of it. Answers what is damaged of its parts.
    pub(super) fn verify(&self) -> Result<Option<Error>> {
        self.whole_index()?;
        let check = |range: Range<u32>| {
            let mut starts = range.clone().step_by(VERIFY_BYTES as usize);
            starts.try_for_each(|start| self.fetch(start..start.saturating_add(VERIFY_BYTES).min(range.end)).map(drop))
        };
        check(0..self.index.columns_end())?;
        match check(self.index.columns_end()..self.index.len) {
            Err(Error::Damaged { path, what }) => Ok(Some(Error::Damaged { path, what: flaw(&what) })),
            checked => checked.map(|()| None),
        }
    }

    /// The values of a column of numbers in these rows, which are ascending and do not overlap.
    fn numbers(&self, column: usize, rows: &[Range<u32>]) -> Result<Vec<i64>> {
        let mut numbers = Vec::with_capacity(rows.iter().map(ExactSizeIterator::len).sum());
        self.read::<Int64Type>(column, rows, |some| numbers.append(some))?;
        Ok(numbers)
    }

    /// All its columns, verified.
    pub(super) fn columns(&self) -> Result<Bytes> {
        self.fetch(0..self.index.columns_end())
    }

    /// All its parts, verified. `None` where they are damaged.
    pub(super) fn parts(&self) -> Result<Option<Bytes>> {
        match self.fetch(self.index.columns_end()..self.index.len) {
            Err(Error::Damaged { .. }) => Ok(None),
            parts => parts.map(Some),
        }
    }

    /// Verified bytes of columns and parts, by offsets that count from where the row group begins.
    pub(super) fn fetch(&self, range: Range<u32>) -> Result<Bytes> {
        let (start, end) = (range.start as usize, range.end as usize);
        let first = start / SEGMENT_CHECK_BYTES;
        let aligned = first * SEGMENT_CHECK_BYTES;
        let until = end.next_multiple_of(SEGMENT_CHECK_BYTES).min(self.source.entry.len as usize);
        let bytes = self.source.read_at(self.source.entry.offset + aligned as u64, until.saturating_sub(aligned))?;
        let checksums = self.index.checksums.get(first..).unwrap_or_default();
        for (number, block) in bytes.chunks(SEGMENT_CHECK_BYTES).enumerate() {
            if checksums.get(number) != Some(&xxh3_64_with_seed(block, self.source.salt.0)) {
                let offset = self.source.entry.offset + (aligned + number * SEGMENT_CHECK_BYTES) as u64;
                return Err(self.damaged("a checksum fails", offset));
            }
        }
        if end > until {
            return Err(self.damaged("a page lies outside", self.source.entry.offset));
        }
        Ok(Bytes::from(bytes).slice(start - aligned..end - aligned))
    }

    /// Damage in this row group.
    pub(super) fn damaged(&self, what: impl std::fmt::Display, offset: u64) -> Error {
        self.source.damaged(what, offset)
    }

    /// The topics among which the chosen ones are, verified.
    fn topics(&self, choice: TopicChoice<'_>) -> Result<TopicTable> {
        let blocks = match choice {
            TopicChoice::One(topic) => self.topics.holding(topic),
            TopicChoice::All | TopicChoice::Unreserved => self.topics.all(),
        };
        let place = self.topics.place(&blocks);
        let offset = self.source.entry.index_offset() + u64::from(place.start);
        let bytes = self.source.read_at(offset, place.len())?;
        let sound = self.topics.verify(blocks, &bytes, self.source.salt);
        let table = sound.then(|| TopicTable::decode(&bytes, TOPIC_RECORD_BYTES)).flatten();
        table.ok_or_else(|| self.damaged("its topics fail their checksum", offset))
    }

    fn texts(&self, column: usize, rows: &[Range<u32>]) -> Result<Texts> {
        let texts = Texts::new(self.values(column, rows)?);
        texts.ok_or_else(|| self.damaged("a text in it is not UTF-8", self.source.entry.offset))
    }

    fn values(&self, column: usize, rows: &[Range<u32>]) -> Result<Values> {
        let mut values = Values::default();
        self.read::<ByteArrayType>(column, rows, |some| some.drain(..).for_each(|value| values.push(value.data())))?;
        Ok(values)
    }

    /// Hands the values of a column in these rows, which are ascending and do not overlap, to
    /// `take`, some at a time. Decodes the pages that hold them.
    fn read<T: DataType>(
        &self,
        column: usize,
        rows: &[Range<u32>],
        mut take: impl FnMut(&mut Vec<T::T>),
    ) -> Result<()> {
        let column = Column::new(self, column);
        for run in column.runs(rows) {
            let bytes = column.fetch(&run)?;
            let decoded = column.decode::<T>(&run, bytes, &mut take);
            let offset = self.source.entry.offset + u64::from(column.index.offset);
            decoded.map_err(|error| self.damaged(error, offset))?;
        }
        Ok(())
    }
}

/// A column of a row group.
struct Column<'a> {
    group: &'a GroupReader<'a>,
    number: usize,
    index: &'a ColumnIndex,
}

/// Pages that follow each other, and which of their rows are wanted.
struct PageRun {
    pages: Range<usize>,
    rows: Vec<Range<u32>>,
}

impl<'a> Column<'a> {
    fn new(group: &'a GroupReader<'a>, number: usize) -> Self {
        Self { group, number, index: &group.index.columns[number] }
    }

    /// Groups rows by the pages that hold them.
    fn runs(&self, rows: &[Range<u32>]) -> Vec<PageRun> {
        let mut runs = Vec::<PageRun>::new();
        for rows in rows.iter().filter(|rows| !rows.is_empty()) {
            let first = self.index.pages.partition_point(|page| page.row <= rows.start).saturating_sub(1);
            let end = self.index.pages.partition_point(|page| page.row < rows.end);
            match runs.last_mut().filter(|run| run.pages.end >= first) {
                Some(run) => {
                    run.pages.end = run.pages.end.max(end);
                    run.rows.push(rows.clone());
                }
                None => runs.push(PageRun { pages: first..end, rows: vec![rows.clone()] }),
            }
        }
        runs
    }

    /// The dictionary, if the column has one, and behind it the pages of a run.
    fn fetch(&self, run: &PageRun) -> Result<Bytes> {
        let dictionary = self.dictionary();
        let pages = self.page_offset(run.pages.start)..self.page_offset(run.pages.end);
        if dictionary.is_empty() {
            return self.group.fetch(pages);
        }
        if dictionary.end == pages.start {
            return self.group.fetch(dictionary.start..pages.end);
        }
        Ok([self.group.fetch(dictionary)?, self.group.fetch(pages)?].concat().into())
    }

    /// Hands the wanted values of a run, whose bytes are those that [`Column::fetch`] gives, to
    /// `take`, at most a page at a time: values may keep the page they came from in memory.
    fn decode<T: DataType>(
        &self,
        run: &PageRun,
        bytes: Bytes,
        mut take: impl FnMut(&mut Vec<T::T>),
    ) -> Result<(), ParquetError> {
        let dictionary = self.dictionary().len() as i64;
        let base = self.page_offset(run.pages.start);
        let location = |page: usize| PageLocation {
            offset: dictionary + i64::from(self.page_offset(page) - base),
            compressed_page_size: (self.page_offset(page + 1) - self.page_offset(page)) as i32,
            first_row_index: self.first_row(page).into(),
        };
        let description = self.group.source.schema.column(self.number);
        let metadata = ColumnChunkMetaData::builder(description.clone())
            .set_compression(columns::compression()?)
            .set_num_values(self.group.index.rows.into())
            .set_total_compressed_size(bytes.len() as i64)
            .set_data_page_offset(dictionary)
            .set_dictionary_page_offset((dictionary > 0).then_some(0))
            .build()?;
        let end_row = self.first_row(run.pages.end) as usize;
        let locations = run.pages.clone().map(location).collect();
        let pages = SerializedPageReader::new(Arc::new(bytes), &metadata, end_row, Some(locations))?;
        let mut reader = ColumnReaderImpl::<T>::new(description, Box::new(pages));
        let mut at = self.first_row(run.pages.start);
        let mut values = Vec::new();
        for rows in &run.rows {
            let skipped = reader.skip_records(rows.start.saturating_sub(at) as usize)?;
            if skipped != rows.start.saturating_sub(at) as usize {
                return Err(ParquetError::General("a page ends early".to_owned()));
            }
            at = rows.start.max(at);
            while at < rows.end {
                let most = SEGMENT_PAGE_ROWS.min((rows.end - at) as usize);
                let (read, _, _) = reader.read_records(most, None, None, &mut values)?;
                if read != most {
                    return Err(ParquetError::General("a page ends early".to_owned()));
                }
                take(&mut values);
                values.clear();
                at += read as u32;
            }
        }
        Ok(())
    }

    fn dictionary(&self) -> Range<u32> {
        self.index.offset..self.page_offset(0)
    }

    /// Where a page begins; where the column ends, for the one behind the last.
    fn page_offset(&self, page: usize) -> u32 {
        self.index.pages.get(page).map_or_else(|| self.group.index.column_end(self.number), |page| page.offset)
    }

    /// The first row of a page; the number of rows, for the one behind the last.
    fn first_row(&self, page: usize) -> u32 {
        self.index.pages.get(page).map_or(self.group.index.rows, |page| page.row)
    }
}
