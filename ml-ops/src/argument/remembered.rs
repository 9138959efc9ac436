//! Powers of bases for exponents that come back: steps between neighbouring entries of a table.

use binfer_field::{F128, kernels};

use super::tables::Bases;

/// Powers of bases, those of the last few exponents remembered.
pub(super) struct Powers<'a> {
    bases: Bases<'a>,
    /// For exponents that all bases have in common, the bases' and their inverses' repeated squares.
    squares: [Squares; 2],
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
            squares: Default::default(),
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
                let Bases { h, inverse } = self.bases;
                let (bases, is_inverse) = if exponent < 0 { (inverse, 1) } else { (h, 0) };
                self.squares[is_inverse].pow(bases, exponent.unsigned_abs(), block);
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

/// `base^(2^s)` for all of some bases, as far as exponents have asked for.
#[derive(Default)]
struct Squares(Vec<Vec<F128>>);

impl Squares {
    /// `base^exponent` for all `bases`, which are the same in every call, into `out`: a product for each bit that is set.
    fn pow(&mut self, bases: &[F128], exponent: u64, out: &mut [F128]) {
        out.fill(F128::ONE);
        for bit in 0..(u64::BITS - exponent.leading_zeros()) as usize {
            if self.0.len() == bit {
                let square = |power: &Vec<F128>| {
                    let mut next = vec![F128::ZERO; power.len()];
                    kernels::square(&mut next, power);
                    next
                };
                self.0.push(self.0.last().map_or_else(|| bases.to_vec(), square));
            }
            if exponent >> bit & 1 == 1 {
                kernels::mul_assign(out, &self.0[bit]);
            }
        }
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
