//! Powers of bases for exponents that come back: steps between neighbouring entries of a table.

use binfer_field::F128;

use super::tables::Bases;

/// Powers of bases for exponents that all bases have in common, those of the last ones remembered.
pub(super) struct Powers<'a> {
    bases: Bases<'a>,
    /// At most [`MOST`].
    known: Vec<i128>,
    /// A block an exponent.
    values: Vec<F128>,
}

/// Most exponents of all bases that are remembered: more than there are steps between products of two digits.
pub(super) const MOST: usize = 32;

/// Powers of bases for exponents of each, those of the last few remembered.
pub(super) struct PowersOfEach<'a> {
    bases: Bases<'a>,
    known: Vec<Remembered>,
    /// Those asked for last, one a base, then those remembered, block by block.
    values: Vec<F128>,
}

/// Exponents and where their powers start: a uniform step function has two steps and two widths between
/// its ends, a rounded line two steps.
#[derive(Clone)]
struct Remembered {
    exponents: [i128; 4],
    next: usize,
}

impl<'a> Powers<'a> {
    pub(super) fn new(bases: Bases<'a>) -> Self {
        Self { bases, known: Vec::new(), values: Vec::new() }
    }

    /// One power a base.
    pub(super) fn get(&mut self, exponent: i128) -> &[F128] {
        let known = self.known.iter().position(|&known| known == exponent);
        let slot = known.unwrap_or_else(|| {
            if self.known.len() == MOST {
                self.known.clear();
                self.values.clear();
            }
            self.known.push(exponent);
            self.values.extend(self.bases.pow_all(exponent));
            self.known.len() - 1
        });
        let n = self.bases.h.len();
        &self.values[slot * n..(slot + 1) * n]
    }
}

impl<'a> PowersOfEach<'a> {
    pub(super) fn new(bases: Bases<'a>) -> Self {
        let none = Remembered { exponents: [0, i128::MIN, i128::MIN, i128::MIN], next: 0 };
        let n = bases.h.len();
        Self { bases, known: vec![none; n], values: vec![F128::ONE; n * 5] }
    }

    /// One power a base, with `exponent(c)` for base `c`.
    pub(super) fn get(&mut self, exponent: impl Fn(usize) -> i128) -> &[F128] {
        let n = self.bases.h.len();
        let (asked, values) = self.values.split_at_mut(n);
        for ((c, of_base), asked) in self.known.iter_mut().enumerate().zip(&mut *asked) {
            let exponent = exponent(c);
            let (slot, is_new) = of_base.slot(exponent);
            let power = &mut values[slot * n + c];
            if is_new {
                *power = self.bases.pow(c, exponent);
            }
            *asked = *power;
        }
        asked
    }
}

impl Remembered {
    /// The slot of an exponent, and whether it is new there.
    fn slot(&mut self, exponent: i128) -> (usize, bool) {
        // Which of a few alternates from base to base: no branch could foresee it.
        let is = |slot: usize| usize::from(self.exponents[slot] == exponent);
        let slot = is(1) + 2 * is(2) + 3 * is(3);
        if self.exponents[slot] == exponent {
            return (slot, false);
        }
        let slot = self.next;
        self.exponents[slot] = exponent;
        self.next = (slot + 1) % self.exponents.len();
        (slot, true)
    }
}
