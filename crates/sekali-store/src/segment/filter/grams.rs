//! Pieces of texts: trigrams, and of each seven pieces of six characters that follow each other the
//! least. Only ASCII characters count, without case: how other scripts fold depends on a version of
//! Unicode, and a filter must not.

use xxhash_rust::xxh3::Xxh3;

/// Characters of a least gram.
const LEAST_CHARS: u32 = 6;
/// Pieces of which the least is taken.
const LEAST_OF: usize = 7;
/// An odd number with as many ones as zeros, about.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Hands the hash of each trigram of a text, and of each of its least grams, to these. A text with
/// another within it has all of its grams.
pub(super) fn visit(text: &[u8], mut trigram: impl FnMut(u64), mut least_gram: impl FnMut(u64)) {
    let (mut chars, mut run) = (0_u64, 0_u32);
    let mut least = Least::default();
    for byte in text {
        if !byte.is_ascii() {
            (chars, run, least) = (0, 0, Least::default());
            continue;
        }
        chars = chars << 8 | u64::from(byte.to_ascii_lowercase());
        run += 1;
        if run >= 3 {
            trigram(mixed(chars & 0xFF_FFFF));
        }
        if run >= LEAST_CHARS
            && let Some(found) = least.next(mixed(chars & 0xFFFF_FFFF_FFFF))
        {
            // The least of several is a small number, of which the first digits tell little.
            least_gram(mixed(found));
        }
    }
}

/// The hash of a number at a path: of the one spelling that equal numbers have.
pub(super) fn number(path: &[u8], number: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&(path.len() as u32).to_le_bytes());
    hash.update(path);
    hash.update(number);
    hash.digest()
}

/// A hash of which the lower digits depend on all digits of `value`.
fn mixed(value: u64) -> u64 {
    let product = value.wrapping_mul(FACTOR);
    (product ^ product >> 32).wrapping_mul(FACTOR) >> 24
}

/// The least of the last few numbers.
#[derive(Default)]
struct Least {
    ring: [u64; LEAST_OF],
    seen: usize,
    /// The least, and how many were seen before it.
    least: (u64, usize),
    last: Option<u64>,
}

impl Least {
    /// Takes in a number. Returns the least of the last few, if that is another than before.
    fn next(&mut self, number: u64) -> Option<u64> {
        self.ring[self.seen % LEAST_OF] = number;
        self.seen += 1;
        if self.seen == 1 || number <= self.least.0 {
            self.least = (number, self.seen - 1);
        } else if self.least.1 + LEAST_OF < self.seen {
            let places = self.seen - LEAST_OF..self.seen;
            let least = places.map(|place| (self.ring[place % LEAST_OF], place)).min();
            self.least = least.unwrap_or(self.least);
        }
        let least = self.least.0;
        (self.seen >= LEAST_OF && self.last.replace(least) != Some(least)).then_some(least)
    }
}
