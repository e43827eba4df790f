//! Topics as they stand in the files: sorted, and behind each what is known of it, in a record of
//! one length for all.
//!
//! ```text
//! for each topic
//!   length of the topic, topic      2 + n
//!   its record
//! ```
//!
//! They stay packed in memory: a store may have a hundred thousand topics, and all of them in each
//! segment.

use crate::bytes::Fields;

/// Sorted topics and their records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TopicTable {
    bytes: Vec<u8>,
    /// Where each topic begins.
    starts: Vec<u32>,
}

impl TopicTable {
    /// Reads topics, with records of so many bytes, to the end of `bytes`. `None` where one is not
    /// whole, not UTF-8 or not behind the one before.
    pub(super) fn decode(bytes: &[u8], record_bytes: usize) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let (mut starts, mut last) = (Vec::new(), None);
        while !fields.is_empty() {
            starts.push(u32::try_from(bytes.len() - fields.len()).ok()?);
            let len = fields.u16()?;
            let topic = Some(fields.str(len.into())?);
            fields.take(record_bytes)?;
            if std::mem::replace(&mut last, topic) >= topic {
                return None;
            }
        }
        starts.shrink_to_fit();
        Some(Self { bytes: bytes.to_vec(), starts })
    }

    /// Adds a topic, which sorts behind all others, with the record that `write` appends. Records
    /// are to be of one length.
    pub(super) fn push(&mut self, topic: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.starts.push(self.bytes.len() as u32);
        self.bytes.extend_from_slice(&(topic.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(topic.as_bytes());
        write(&mut self.bytes);
    }

    /// All of it, as it stands in the files.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of topics.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The topic of this number, and its record.
    pub(super) fn get(&self, number: usize) -> Option<(&str, Fields<'_>)> {
        let mut fields = Fields::new(self.bytes.get(*self.starts.get(number)? as usize..)?);
        let len = fields.u16()?;
        Some((fields.str(len.into())?, fields))
    }

    /// The number of a topic.
    pub(super) fn find(&self, topic: &str) -> Option<usize> {
        let number = self.starts.partition_point(|&start| self.name(start) < Some(topic.as_bytes()));
        (self.name(*self.starts.get(number)?) == Some(topic.as_bytes())).then_some(number)
    }

    /// All topics and their records.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Fields<'_>)> {
        (0..self.len()).filter_map(|number| self.get(number))
    }

    /// Where each topic begins in its bytes.
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    fn name(&self, start: u32) -> Option<&[u8]> {
        let mut fields = Fields::new(self.bytes.get(start as usize..)?);
        let len = fields.u16()?;
        fields.take(len.into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_is_in_it_and_nothing_else(
            topics in prop::collection::btree_map("[a-c]{0,3}|\\PC{0,12}", any::<u32>(), 0..60), other in "[a-c]{0,3}"
        ) {
            let mut table = TopicTable::default();
            topics.iter().for_each(|(topic, record)| table.push(topic, |out| out.extend_from_slice(&record.to_le_bytes())));
            let decoded = TopicTable::decode(table.bytes(), 4);
            prop_assert_eq!(decoded.as_ref(), Some(&table));
            let read: BTreeMap<_, _> = table.iter().map(|(topic, mut record)| (topic.to_owned(), record.u32().unwrap())).collect();
            prop_assert_eq!(&read, &topics);
            for (number, topic) in topics.keys().enumerate() {
                prop_assert_eq!(table.find(topic), Some(number));
            }
            prop_assert_eq!(table.find(&other).is_some(), topics.contains_key(&other));
            let cut = table.bytes().len().saturating_sub(1);
            prop_assert!(topics.is_empty() || TopicTable::decode(&table.bytes()[..cut], 4).is_none());
        }
    }

    #[test]
    fn topics_out_of_order_are_refused() {
        for topics in [["b", "a"], ["a", "a"]] {
            let mut table = TopicTable::default();
            topics.iter().for_each(|topic| table.push(topic, |_| {}));
            assert_eq!(TopicTable::decode(table.bytes(), 0), None);
        }
    }
}
