//! What indices of maxima ask for: that every tap lies behind the one that is named, in an order without ties.
//!
//! # Relation
//! Output `y` of taps `x_0, ..., x_(n-1)` is the number of the largest, and of equal ones that of the first (or the last).
//!
//! With `y` stored in `b` bits, which hold all numbers of taps, the prover commits the largest element `m` and, for each
//! tap, an integer `z_t` that is a string of bits and a bit `s_t`. Over the integers,
//!
//! `z_t = 2^b (m - x_t) + t - y` (for the last, `+ y - t`), `s_t z_t = 0`, `sum_t s_t = 1`.
//!
//! # Soundness
//! One `s_t` is set, say `s_k`: then `2^b (m - x_k) = y - k` (or `k - y`). Both sides vanish, since `0 <= y, k < 2^b`: `y = k` and
//! `m = x_y`. For any other tap `z_t >= 0`, so `2^b (x_y - x_t) >= y - t > -2^b`, hence `x_t <= x_y`; where they are equal,
//! `t >= y` (or `t <= y`). That is the relation, and no other `y` satisfies it. The first equation is a sum, checked in
//! the exponent with an error that follows from the bits of its terms; so is the third. The second is a zerocheck.
//! Nothing is assumed of the elements but their declared width.
//!
//! # Cost
//! For each tap the bits of `x`, `b`, and one; for each output those of `x`.

use super::sum::{Exponents, Input, Operand, axis};
use super::{BitCheck, Matrix, Origin, Plan, Source, Sum};
use crate::argument::bits::selected_constraints;
use crate::argument::wiring::batched;
use crate::graph::{Gather, GatherDim, Graph, Op, Values};

impl Plan {
    pub(super) fn add_argmax(&mut self, graph: &Graph, node: usize, batch: usize) -> Option<()> {
        let Op::ArgMax { x, gather, taps, last, y } = &graph.nodes[node].op else { return None };
        let (x, y, taps) = (*x, *y, *taps);
        let Matrix { rows, cols, bits: index_bits, .. } = self.matrices[y];
        let Matrix { bits, offset, .. } = self.matrices[x];
        let wide = cols.checked_mul(taps)?;
        let of_trace = |source, cols, bits, offset| Matrix {
            source,
            origin: Origin::Trace,
            rows,
            cols,
            bits,
            offset,
            first_plane: None,
        };
        let behind_bits = bits.checked_add(index_bits)?;
        let largest = self.add(of_trace(Source::Largest(node), cols, bits, offset));
        let behind = self.add(of_trace(Source::Behind(node), wide, behind_bits, 0));
        let selectors = self.add(of_trace(Source::Selectors(node), wide, 1, 0));
        let numbers = (0..taps as i64).collect();
        let numbers = self.add_known(Values::Integers(numbers), (1, taps), index_bits);
        let ones = self.add_known(Values::Codes(vec![1; rows.checked_mul(cols)?]), (rows, cols), 8);

        // How far a tap lies behind.
        let scale = 1i128 << index_bits;
        let sign = if *last { -1 } else { 1 };
        let linear = |factor: i128, offset: i128| Exponents::Linear {
            factor,
            constant: factor.saturating_mul(offset).saturating_neg(),
        };
        let input = |matrix, gather, bits, exponents| Input {
            of: Operand { matrix, gather: Some(gather), pad: None },
            bits,
            nibbles: None,
            exponents,
        };
        let each = broadcast((rows, cols), taps);
        let inputs = [
            input(largest, each.clone(), bits, linear(scale, offset)),
            input(x, batched(gather, batch), bits, linear(-scale, offset)),
            input(numbers, repeated((rows, cols), taps), index_bits, linear(sign, 0)),
            input(y, each, index_bits, linear(-sign, 0)),
        ];
        // Elements and their largest differ by less than `2^bits`.
        let bound = 1i128 << behind_bits;
        let outputs = self.outputs(node, behind, bound);
        let axis = axis(&outputs, &[&inputs], (rows, wide), 1);
        let tree = self.sum_tree(&inputs, axis, (rows, wide), 1)?;
        let output = self.align(outputs, axis);
        self.sums.push(Sum::of_tree(output, tree));

        // One tap is named, and it does not lie behind.
        let of = Operand { matrix: selectors, gather: None, pad: None };
        let input = Input { of, bits: 1, nibbles: None, exponents: linear(1, 0) };
        let outputs = self.outputs(node, ones, taps as i128);
        let tree = self.sum_tree(&[input], super::Axis::Columns, (rows, cols), taps)?;
        let output = self.align(outputs, super::Axis::Columns);
        self.sums.push(Sum::of_tree(output, tree));
        let constraints = selected_constraints(behind_bits);
        self.bit_checks.push(BitCheck { matrices: vec![behind, selectors], constraints });
        Some(())
    }

    /// A matrix of values that follow from shapes.
    fn add_known(&mut self, values: Values, (rows, cols): (usize, usize), bits: u32) -> usize {
        let source = Source::Known(self.known.len());
        self.known.push(values);
        let origin = Origin::Public;
        self.add(Matrix { source, origin, rows, cols, bits, offset: 0, first_plane: None })
    }
}

/// Each element of a matrix for all of its taps.
fn broadcast((rows, cols): (usize, usize), taps: usize) -> Gather {
    Gather {
        source_cols: vec![cols],
        source_rows: vec![rows],
        offsets: vec![0, 0],
        rows: vec![along(1, rows)],
        cols: vec![along(0, cols), still(taps)],
        pad: None,
    }
}

/// A row of as many columns as taps, for each element of a matrix.
fn repeated((rows, cols): (usize, usize), taps: usize) -> Gather {
    Gather {
        source_cols: vec![taps],
        source_rows: vec![1],
        offsets: vec![0, 0],
        rows: vec![still(rows)],
        cols: vec![still(cols), along(0, taps)],
        pad: None,
    }
}

fn along(axis: usize, size: usize) -> GatherDim {
    GatherDim { size, axis: Some(axis), step: 1 }
}

fn still(size: usize) -> GatherDim {
    GatherDim { size, axis: None, step: 0 }
}
