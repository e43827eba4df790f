//! Sets of hashes in few bits.

/// A set of hashes, one bit each: others may seem to be in it, but none that is seems not to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bitmap {
    words: Vec<u64>,
}

/// Least binary digits of its length.
pub(super) const LOG2_MIN: u8 = 10;

impl Bitmap {
    /// An empty one of 2^`log2` bits.
    pub(super) fn new(log2: u8) -> Self {
        debug_assert!(log2 >= LOG2_MIN, "a bitmap has whole words");
        Self { words: vec![0; 1 << (log2 - 6)] }
    }

    /// Reads one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let words: Vec<_> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        (rest.is_empty() && words.len().is_power_of_two()).then_some(Self { words })
    }

    /// Its bytes, as they stand in the file.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }

    /// Number of bits.
    fn bits(&self) -> u64 {
        self.words.len() as u64 * u64::BITS as u64
    }

    /// Number of bytes.
    pub(super) fn bytes(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }

    /// Binary digits of its length.
    pub(super) fn log2(&self) -> u8 {
        self.bits().trailing_zeros() as u8
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let bit = hash & (self.bits() - 1);
        if let Some(word) = self.words.get_mut((bit / 64) as usize) {
            *word |= 1 << (bit % 64);
        }
    }

    pub(super) fn contains(&self, hash: u64) -> bool {
        let bit = hash & (self.bits() - 1);
        self.words.get((bit / 64) as usize).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    /// Whether nothing was put in.
    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many of a hundred bits are set.
    pub(super) fn percent_set(&self) -> u64 {
        let set: u64 = self.words.iter().map(|word| u64::from(word.count_ones())).sum();
        set * 100 / self.bits()
    }

    /// Halves it.
    pub(super) fn fold(&mut self) {
        debug_assert!(self.log2() > LOG2_MIN, "a bitmap is folded to nothing");
        let half = self.words.len() / 2;
        let (lower, upper) = self.words.split_at_mut(half);
        lower.iter_mut().zip(upper).for_each(|(lower, upper)| *lower |= *upper);
        self.words.truncate(half);
    }

    /// Halves it while no more than so many of a hundred bits are set then.
    pub(super) fn fold_to(&mut self, percent: u64) {
        while self.log2() > LOG2_MIN {
            let mut half = self.clone();
            half.fold();
            if half.percent_set() > percent {
                return;
            }
            *self = half;
        }
    }
}
