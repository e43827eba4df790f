//! Reproducible random numbers: `SplitMix64` (Steele, Lea and Flood, 2014).

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of random numbers. Its field is the seed.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// Returns the next number of the stream.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        finish(self.0)
    }

    /// Returns a number from 0 to `bound - 1`. `bound` must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }
}

/// Returns the random number that belongs to `number`, the same each time.
#[must_use]
pub fn mix(number: u64) -> u64 {
    finish(number.wrapping_mul(GAMMA))
}

fn finish(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        let mut random = Random(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.draw()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn mixing_a_number_draws_from_the_stream_of_seed_0() {
        let mut random = Random(0);
        assert!((1..100).all(|number| mix(number) == random.draw()));
    }
}
