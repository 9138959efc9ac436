//! Lists of integers in few bytes: lines with what is off them, or differences of some order.
//!
//! A list is a tag, 0 for a line and 1 to 8 for an order, and what it says. A line: start, fraction of the start (a
//! byte), step, fraction of the step (two bytes), the number of values off the line, and for each how many values follow on the one before,
//! and by how much it is off. An order `k`: as many numbers as values, which `k` times each become sums of themselves with all before.
//! Sums wrap around.

use super::DecodeError;
use super::line::Line;
use super::read::Reader;
use super::write::Writer;

/// The tag of a line; others are orders of differences.
const LINE: u8 = 0;
/// The highest order of differences.
const ORDERS: u8 = 8;
/// Of a line, at most one value in so many is off.
const OFF_LINE: usize = 8;

impl Writer {
    /// A list whose length is known.
    pub(super) fn values(&mut self, values: &[i64]) {
        if let Some(line) = Line::fit(values) {
            let mut off = Vec::new();
            for (i, &value) in values.iter().enumerate() {
                let by = value.wrapping_sub(line.at(i));
                if by != 0 {
                    off.push((i, by));
                }
            }
            if off.len() <= values.len() / OFF_LINE {
                self.line(&line, &off);
                return;
            }
        }
        let mut differences = values.to_vec();
        let mut shortest: Option<Vec<u8>> = None;
        for order in 1..=ORDERS {
            for i in (1..differences.len()).rev() {
                differences[i] = differences[i].wrapping_sub(differences[i - 1]);
            }
            let mut w = Self::default();
            w.tag(order);
            differences.iter().for_each(|&value| w.long(value));
            if shortest.as_ref().is_none_or(|shortest| w.bytes.len() < shortest.len()) {
                shortest = Some(w.bytes);
            }
        }
        self.bytes.extend(shortest.unwrap_or_default());
    }

    fn line(&mut self, line: &Line, off: &[(usize, i64)]) {
        self.tag(LINE);
        self.long(line.start);
        self.tag(line.start_fraction);
        self.long(line.step);
        self.bytes.extend(line.step_fraction.to_le_bytes());
        self.size(off.len());
        let mut next = 0;
        for &(i, by) in off {
            self.size(i - next);
            self.long(by);
            next = i + 1;
        }
    }
}

impl Reader<'_> {
    /// A list of `n` values, at most 256, which begins with its tag.
    pub(super) fn values(&mut self, n: usize) -> Result<Vec<i64>, DecodeError> {
        match self.tag()? {
            (LINE, _) => self.line(n),
            (order @ 1..=ORDERS, _) => {
                let mut values = Vec::with_capacity(n);
                for _ in 0..n {
                    values.push(self.long()?);
                }
                for _ in 0..order {
                    let mut sum = 0i64;
                    for value in &mut values {
                        sum = sum.wrapping_add(*value);
                        *value = sum;
                    }
                }
                Ok(values)
            }
            (_, error) => Err(error),
        }
    }

    fn line(&mut self, n: usize) -> Result<Vec<i64>, DecodeError> {
        let line = Line {
            start: self.long()?,
            start_fraction: self.byte()?,
            step: self.long()?,
            step_fraction: u16::from_le_bytes(self.array()?),
        };
        let mut values: Vec<i64> = (0..n).map(|i| line.at(i)).collect();
        let mut next = 0usize;
        for _ in 0..self.size()? {
            let offset = self.offset;
            let at = next.saturating_add(self.size()?);
            let by = self.long()?;
            let value = values.get_mut(at).ok_or(DecodeError::Number { offset })?;
            *value = value.wrapping_add(by);
            next = at + 1;
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(values: &[i64]) -> usize {
        let mut w = Writer::default();
        w.values(values);
        let mut r = Reader::new(&w.bytes);
        assert_eq!(r.values(values.len()).as_deref(), Ok(values));
        assert_eq!(r.offset, w.bytes.len());
        w.bytes.len()
    }

    #[test]
    fn regular_lists_are_short() {
        let list = |f: &dyn Fn(f64) -> f64| -> Vec<i64> {
            (0..255).map(|i| f(f64::from(i)).ceil() as i64).collect()
        };
        assert!(round_trip(&list(&|i| 949.3748 * i - 126_000.2)) <= 12);
        assert!(round_trip(&list(&|i| 62_369_851.3 + 1_000_777.77 * i)) <= 13);
        // Edges of a reciprocal square root: in floats, of up to 60 bits.
        assert!(round_trip(&list(&|i| (2f64.powi(52) / (700.0 - i).powi(2)).round())) <= 600);
        assert_eq!(round_trip(&[]), 1);
        assert_eq!(round_trip(&[i64::MIN, i64::MAX]), 12);
    }

    proptest! {
        #[test]
        fn all_lists_are_read_as_written(
            mut values in prop::collection::vec(any::<i64>(), 0..256),
            shift in 0u32..64,
            sorted: bool,
        ) {
            values.iter_mut().for_each(|value| *value >>= shift);
            if sorted {
                values.sort_unstable();
            }
            round_trip(&values);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40), n in 0usize..257) {
            let _ = Reader::new(&bytes).values(n);
        }
    }
}
