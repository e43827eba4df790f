//! How far a tail has come in each partition.

use sekali_store::Reader;

use crate::query::Positions;

/// The last seq of each partition that needs no more looking at; 0 for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TailPosition(Positions);

impl TailPosition {
    /// Behind these events of a store with so many partitions.
    pub(crate) fn new(partitions: usize, positions: &Positions) -> Self {
        let mut all = Self((0..).take(partitions).map(|partition| (partition, 0)).collect());
        all.follow(positions);
        all
    }

    /// Behind the newest event of each partition.
    pub(crate) fn now(readers: &[Reader]) -> Self {
        Self((0..).zip(readers).map(|(partition, reader)| (partition, reader.last_seq())).collect())
    }

    /// The same as positions of a cursor.
    pub(crate) fn positions(&self) -> &Positions {
        &self.0
    }

    /// The last seq of a partition.
    pub(super) fn get(&self, partition: usize) -> u64 {
        self.0.get(partition).map_or(0, |(_, seq)| *seq)
    }

    /// Moves on in a partition, never back.
    pub(super) fn raise(&mut self, partition: usize, seq: u64) {
        if let Some((_, last)) = self.0.get_mut(partition) {
            *last = seq.max(*last);
        }
    }

    /// Moves on to where `positions` are further.
    pub(super) fn follow(&mut self, positions: &Positions) {
        positions.iter().for_each(|(partition, seq)| self.raise(*partition as usize, *seq));
    }

    /// Moves on to where `other` is further.
    pub(crate) fn raise_to(&mut self, other: &Self) {
        self.follow(&other.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_only_moves_on() {
        let mut position = TailPosition::new(3, &vec![(1, 5)]);
        assert_eq!(position.positions(), &vec![(0, 0), (1, 5), (2, 0)]);
        position.follow(&vec![(1, 4), (2, 7), (9, 9)]);
        assert_eq!(position.positions(), &vec![(0, 0), (1, 5), (2, 7)]);
        assert_eq!((position.get(2), position.get(3)), (7, 0));
    }
}
