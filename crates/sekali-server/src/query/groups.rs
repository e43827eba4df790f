//! Events counted by the values of some fields, in bounded memory.

use std::collections::HashMap;

use sekali_store::{EventView, Unread};
use sekali_wire::json::append_string;

use super::Field;
use crate::limits::{GROUP_CELLS_MAX, GROUP_KEY_BYTES_MAX, GROUPS_MAX};

/// Counts of events by the values of up to three fields, and by time within them.
#[derive(Debug)]
pub(crate) struct Groups {
    fields: Vec<Field>,
    /// Number of each group, by its key: the values as JSON, with commas between them.
    numbers: HashMap<Box<[u8]>, u32>,
    counts: Vec<u64>,
    /// By group and interval.
    cells: HashMap<(u32, i64), u64>,
    /// Events that lack one of the fields.
    missing: u64,
    /// Events of groups that are not told apart.
    untold: u64,
    /// Whether all cells were counted.
    cells_are_whole: bool,
    key: Vec<u8>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// The values as JSON, with commas between them.
    pub(crate) key: Box<[u8]>,
    /// Number of its events.
    pub(crate) count: u64,
    number: u32,
}

impl Groups {
    /// No events yet.
    pub(crate) fn new(fields: Vec<Field>) -> Self {
        let (numbers, cells) = (HashMap::new(), HashMap::new());
        Self {
            fields,
            numbers,
            counts: Vec::new(),
            cells,
            missing: 0,
            untold: 0,
            cells_are_whole: true,
            key: Vec::new(),
        }
    }

    /// The fields.
    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The columns that none of the fields is in.
    pub(super) fn unread(&self) -> Unread {
        Unread {
            event_ids: self.fields.iter().all(|field| field.unread().event_ids),
            sources: self.fields.iter().all(|field| field.unread().sources),
            payloads: self.fields.iter().all(|field| field.unread().payloads),
        }
    }

    /// Counts an event, in an interval if events are counted over time. Returns the number of its
    /// group, unless it has none that is told apart.
    pub(crate) fn add(&mut self, event: &EventView<'_>, interval: Option<i64>) -> Option<u32> {
        self.key.clear();
        for field in &self.fields {
            if !self.key.is_empty() {
                self.key.push(b',');
            }
            if !field.append_key(event, &mut self.key) {
                self.missing += 1;
                return None;
            }
        }
        self.count(interval, 1)
    }

    /// The paths of the fields, but for the topic; `None` where one has none.
    pub(super) fn members(&self) -> Option<Vec<String>> {
        self.fields.iter().filter(|field| !field.is_topic()).map(Field::place).collect()
    }

    /// Whether events are told apart by topic.
    pub(super) fn are_by_topic(&self) -> bool {
        self.fields.iter().any(Field::is_topic)
    }

    /// Counts so many events of a topic that have these texts at the [members](Self::members), or
    /// nothing. Returns the number of their group, unless they have none that is told apart.
    pub(super) fn add_many(
        &mut self,
        topic: &str,
        texts: &[Option<&[u8]>],
        interval: Option<i64>,
        count: u64,
    ) -> Option<u32> {
        self.key.clear();
        let mut texts = texts.iter();
        for field in &self.fields {
            if !self.key.is_empty() {
                self.key.push(b',');
            }
            if field.is_topic() {
                append_string(&mut self.key, topic);
            } else if !field.append_text(texts.next().copied().flatten(), &mut self.key) {
                self.missing += count;
                return None;
            }
        }
        self.count(interval, count)
    }

    /// Counts events of the group of `self.key`.
    fn count(&mut self, interval: Option<i64>, count: u64) -> Option<u32> {
        let Some(number) = self.number() else {
            self.untold += count;
            return None;
        };
        if let Some(counted) = self.counts.get_mut(number as usize) {
            *counted += count;
        }
        if let Some(interval) = interval {
            self.add_cell(number, interval, count);
        }
        Some(number)
    }

    /// Counts something whose group has this key: values as JSON, with commas between them.
    pub(crate) fn add_key(&mut self, key: &[u8]) {
        self.key.clear();
        self.key.extend_from_slice(key);
        match self.number().and_then(|number| self.counts.get_mut(number as usize)) {
            Some(count) => *count += 1,
            None => self.untold += 1,
        }
    }

    /// Counts something that is in no group.
    pub(crate) fn add_missing(&mut self) {
        self.missing += 1;
    }

    /// The number of the group of `self.key`, which is new if there is room.
    fn number(&mut self) -> Option<u32> {
        if let Some(number) = self.numbers.get(&*self.key) {
            return Some(*number);
        }
        if self.counts.len() >= GROUPS_MAX || self.key.len() > GROUP_KEY_BYTES_MAX {
            return None;
        }
        let number = self.counts.len() as u32;
        self.numbers.insert(self.key.as_slice().into(), number);
        self.counts.push(0);
        Some(number)
    }

    fn add_cell(&mut self, number: u32, interval: i64, count: u64) {
        let is_full = self.cells.len() >= GROUP_CELLS_MAX;
        match self.cells.get_mut(&(number, interval)) {
            Some(counted) => *counted += count,
            None if is_full => self.cells_are_whole = false,
            None => {
                self.cells.insert((number, interval), count);
            }
        }
    }

    /// The `top` groups with the most events, those of equal size in the order of their keys.
    pub(crate) fn top(&self, top: usize) -> Vec<Group> {
        let count = |number: u32| self.counts.get(number as usize).copied().unwrap_or_default();
        let mut groups: Vec<_> = self.numbers.iter().map(|(key, number)| (&**key, count(*number), *number)).collect();
        let order = |a: &(&[u8], u64, u32), b: &(&[u8], u64, u32)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
        if top < groups.len() {
            groups.select_nth_unstable_by(top, order);
            groups.truncate(top);
        }
        groups.sort_unstable_by(order);
        groups.into_iter().map(|(key, count, number)| Group { key: key.into(), count, number }).collect()
    }

    /// Number of the groups that are told apart.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Events in an interval of a group.
    pub(crate) fn cell(&self, group: &Group, interval: i64) -> u64 {
        self.cells.get(&(group.number, interval)).copied().unwrap_or_default()
    }

    /// Events that lack one of the fields.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// Events in groups, those that are not told apart included.
    pub(crate) fn grouped(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.untold
    }

    /// Whether every group and interval was told apart.
    pub(crate) fn is_exact(&self) -> bool {
        self.untold == 0 && self.cells_are_whole
    }
}

impl Group {
    /// Its number among all groups, from 0.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::test_event::test_event;

    #[test]
    fn equal_values_are_one_group_and_kinds_are_not_mixed() {
        let mut groups = Groups::new(Field::parse_list("payload.a", 1).unwrap());
        for value in ["1", "1.0", "10e-1", "\"1\"", "\"\\u0031\"", "null", "true", "[1]"] {
            groups.add(&test_event(&format!("{{\"a\":{value}}}")).view(), Some(3));
        }
        groups.add(&test_event("{}").view(), Some(3));
        let top: Vec<_> = groups.top(2).into_iter().map(|group| (group.key, group.count)).collect();
        assert_eq!(top, [((*b"1").into(), 3), ((*b"\"1\"").into(), 2)]);
        assert_eq!((groups.len(), groups.missing(), groups.grouped(), groups.is_exact()), (5, 1, 8, true));
        assert_eq!(groups.top(1).iter().map(|group| groups.cell(group, 3)).sum::<u64>(), 3);
    }

    #[test]
    fn more_groups_than_there_is_room_for_are_counted_together() {
        let mut groups = Groups::new(Field::parse_list("payload.a,topic", 2).unwrap());
        for number in 0..=GROUPS_MAX {
            groups.add(&test_event(&format!("{{\"a\":{number}}}")).view(), None);
        }
        groups.add(&test_event(&format!("{{\"a\":\"{}\"}}", "x".repeat(GROUP_KEY_BYTES_MAX))).view(), None);
        assert_eq!((groups.len(), groups.grouped(), groups.is_exact()), (GROUPS_MAX, GROUPS_MAX as u64 + 2, false));
    }
}
