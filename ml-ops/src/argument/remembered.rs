//! Powers of bases for exponents that come back: steps between neighbouring entries of a table.

use binfer_field::F128;

use super::tables::Bases;

/// Powers of bases, those of the last few exponents remembered.
pub(super) struct Powers<'a> {
    bases: Bases<'a>,
    known: Known,
    /// What was asked for last where bases have exponents of their own, then what is remembered, a block an exponent.
    values: Vec<F128>,
}

/// The exponents whose powers are remembered.
enum Known {
    /// Those that all bases have in common, at most [`MOST`].
    OfAll(Vec<i128>),
    OfEach(Vec<Remembered>),
}

/// Most exponents of all bases that are remembered: more than there are steps between products of two digits.
pub(super) const MOST: usize = 32;

/// Exponents and where their powers start: a uniform step function has two steps and two widths between
/// its ends, a rounded line two steps.
#[derive(Clone)]
struct Remembered {
    exponents: [i128; 4],
    next: usize,
}

impl<'a> Powers<'a> {
    /// For exponents that all bases have in common.
    pub(super) fn of_all(bases: Bases<'a>) -> Self {
        Self { bases, known: Known::OfAll(Vec::new()), values: Vec::new() }
    }

    /// For exponents of each base.
    pub(super) fn of_each(bases: Bases<'a>) -> Self {
        let none = Remembered { exponents: [0, i128::MIN, i128::MIN, i128::MIN], next: 0 };
        let n = bases.h.len();
        Self { bases, known: Known::OfEach(vec![none; n]), values: vec![F128::ONE; n * 5] }
    }

    /// One power a base, with `exponent(c)` for base `c`, or `exponent(0)` for all.
    pub(super) fn get(&mut self, exponent: impl Fn(usize) -> i128) -> &[F128] {
        let n = self.bases.h.len();
        match &mut self.known {
            Known::OfAll(known) => {
                let exponent = exponent(0);
                let slot = known.iter().position(|&known| known == exponent).unwrap_or_else(|| {
                    if known.len() == MOST {
                        known.clear();
                        self.values.clear();
                    }
                    known.push(exponent);
                    self.values.extend(self.bases.pow_all(exponent));
                    known.len() - 1
                });
                &self.values[slot * n..(slot + 1) * n]
            }
            Known::OfEach(known) => {
                let (asked, values) = self.values.split_at_mut(n);
                for ((c, of_base), asked) in known.iter_mut().enumerate().zip(&mut *asked) {
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
    }
}

impl Remembered {
    /// The slot of an exponent, and whether it is new there.
    fn slot(&mut self, exponent: i128) -> (usize, bool) {
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
