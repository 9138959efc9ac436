//! Products of the codes of two tensors, each read straight or through a map of its own.

use crate::graph::{Gather, Runs};

/// One operand of a product.
pub(super) struct Factor<'a> {
    codes: &'a [u8],
    zero: i64,
    map: Option<Map<'a>>,
}

/// How an operand is read.
struct Map<'a> {
    runs: Runs<'a>,
    samples: usize,
    /// What stands outside the source, less the zero.
    outside: i64,
}

impl<'a> Factor<'a> {
    /// The operand of codes, of which `zero` stands for zero.
    pub(super) fn new(codes: &'a [u8], gather: Option<&'a Gather>, zero: u8) -> Self {
        let zero = i64::from(zero);
        let map = gather.map(|gather| {
            let feature_rows = codes.len() / gather.n_source_cols();
            Map {
                runs: Runs::new(gather, feature_rows),
                samples: feature_rows / gather.n_source_rows(),
                outside: gather.pad.map_or(0, |pad| i64::from(pad) - zero),
            }
        });
        Self { codes, zero, map }
    }

    /// The values of column `col`, one a row.
    fn column(&self, col: usize, values: &mut [i64]) {
        let value = |code: u8| i64::from(code) - self.zero;
        let Some(Map { runs, samples, outside }) = &self.map else {
            let codes = self.codes.iter().skip(col * values.len());
            values.iter_mut().zip(codes).for_each(|(out, &code)| *out = value(code));
            return;
        };
        values.fill(*outside);
        runs.apply(col, 0..*samples, self.codes, values, |out, code| *out = value(code));
    }
}

/// Adds `factor` times the products of the columns `cols` to the sums of their rows.
pub(super) fn add_products(
    operands: &[Factor<'_>; 2],
    factor: i64,
    cols: core::ops::Range<usize>,
    sums: &mut [i64],
) {
    let mut values = [vec![0; sums.len()], vec![0; sums.len()]];
    for col in cols {
        for (operand, values) in operands.iter().zip(&mut values) {
            operand.column(col, values);
        }
        let [a, b] = &values;
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = sum.wrapping_add((a * b).wrapping_mul(factor));
        }
    }
}
