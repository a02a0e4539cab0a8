//! How a file is cut into parts, and the checksum that a service gives the whole.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use cofferdam_plugin::{
    Failure, Result,
    artifact::{Algorithm, Range},
};
use sha2::{Digest as _, Sha256};

/// More parts are not taken.
const MOST_PARTS: u64 = 10_000;

/// Larger parts are not taken.
const LARGEST_PART: u64 = 5 << 30;

/// How a file is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    size: u64,
    part: u64,
}

impl Parts {
    /// Parts of the wanted size, or of the smallest one, in whole MiB, of
    /// which 10,000 suffice.
    pub(crate) fn of(size: u64, wanted: u64) -> Result<Self> {
        let least = size.div_ceil(MOST_PARTS).div_ceil(1 << 20) << 20;
        let part = wanted.max(least);
        if part > LARGEST_PART {
            return Err(Failure::permanent("the file is larger than an object can be"));
        }
        Ok(Self { size, part })
    }

    /// How many there are.
    pub(crate) fn count(self) -> u64 {
        self.size.div_ceil(self.part)
    }

    /// Each with its number, from 1 on.
    pub(crate) fn ranges(self) -> impl Iterator<Item = (u64, Range)> {
        (0..self.count()).map(move |index| {
            let offset = index * self.part;
            (index + 1, Range { offset, length: self.part.min(self.size - offset) })
        })
    }

    /// The checksum of the whole, by reading the file once.
    pub(crate) fn checksum(self) -> Result<String> {
        let digests = self.ranges().map(|(_, range)| range.digest(Algorithm::Sha256));
        Ok(composite(&digests.collect::<Result<Vec<_>>>()?))
    }
}

/// The checksum that a service gives the whole: that of the parts' checksums,
/// and their number.
pub(crate) fn composite(digests: &[Vec<u8>]) -> String {
    let mut hash = Sha256::new();
    for digest in digests {
        hash.update(digest);
    }
    format!("{}-{}", BASE64.encode(hash.finalize()), digests.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checksum_of_the_whole_is_that_of_the_parts_checksums() {
        let digests = [Sha256::digest("one").to_vec(), Sha256::digest("two").to_vec()];
        let wanted = format!("{}-2", BASE64.encode(Sha256::digest(digests.concat())));
        assert_eq!(composite(&digests), wanted);
    }

    #[test]
    fn what_no_object_can_hold_is_refused() {
        assert!(Parts::of(48 << 40, 64 << 20).is_ok());
        assert!(Parts::of(50 << 40, 64 << 20).is_err());
    }

    proptest! {
        #[test]
        fn the_parts_cover_the_file_and_are_not_too_many(
            size in 1_u64..48 << 40, wanted in (5_u64 << 20)..LARGEST_PART,
        ) {
            let parts = Parts::of(size, wanted).expect("it fits");
            prop_assert!(parts.count() <= MOST_PARTS);
            prop_assert!(parts.part >= wanted);
            let mut end = 0;
            let mut last = 0;
            for (number, range) in parts.ranges() {
                prop_assert_eq!(range.offset, end);
                prop_assert!(range.length > 0);
                end += range.length;
                prop_assert_eq!(number, last + 1);
                last = number;
            }
            prop_assert_eq!((end, last), (size, parts.count()));
        }
    }
}
