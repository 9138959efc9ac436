//! Powers of bases for exponents that come back: steps between neighbouring entries of a table.

use binfer_field::F128;

use super::tables::Bases;

/// Powers of bases, those of the last few exponents remembered.
pub(super) struct Powers<'a> {
    bases: Bases<'a>,
    /// What is remembered of each base, or of all, which then have their exponents in common.
    known: Vec<Remembered>,
    values: Vec<F128>,
}

/// Exponents and where their powers start: a uniform step function has two steps and two widths between
/// its ends, a rounded line two steps.
#[derive(Clone)]
struct Remembered {
    exponents: [i64; 4],
    next: usize,
}

impl<'a> Powers<'a> {
    /// For `sets` sets of exponents: one, or one a base.
    pub(super) fn new(bases: Bases<'a>, sets: usize) -> Self {
        let values = vec![F128::ONE; bases.h.len() * 5];
        Self {
            bases,
            known: vec![Remembered { exponents: [0, i64::MIN, i64::MIN, i64::MIN], next: 0 }; sets],
            values,
        }
    }

    /// One power a base, with `exponent(c)` for base `c`, or `exponent(0)` for all.
    pub(super) fn get(&mut self, exponent: impl Fn(usize) -> i64) -> &[F128] {
        let n = self.bases.h.len();
        // The powers last asked for come first, then those remembered, block by block.
        let (values, known) = self.values.split_at_mut(n);
        if let [all] = &mut self.known[..] {
            let exponent = exponent(0);
            let (slot, is_new) = all.slot(exponent);
            let block = &mut known[slot * n..(slot + 1) * n];
            if is_new {
                block.copy_from_slice(&self.bases.pow_all(exponent.into()));
            }
            return block;
        }
        for ((c, of_base), value) in self.known.iter_mut().enumerate().zip(values.iter_mut()) {
            let exponent = exponent(c);
            let (slot, is_new) = of_base.slot(exponent);
            let power = &mut known[slot * n + c];
            if is_new {
                *power = self.bases.pow(c, exponent.into());
            }
            *value = *power;
        }
        values
    }
}

impl Remembered {
    /// The slot of an exponent, and whether it is new there.
    fn slot(&mut self, exponent: i64) -> (usize, bool) {
        // Which of a few alternates from base to base: no branch could foresee it.
        let [_, b, c, d] = self.exponents.map(|known| usize::from(known == exponent));
        let slot = b + 2 * c + 3 * d;
        if self.exponents[slot] == exponent {
            return (slot, false);
        }
        let slot = self.next;
        self.exponents[slot] = exponent;
        self.next = (slot + 1) % self.exponents.len();
        (slot, true)
    }
}
