//! Bounds on the memory of oracles and openings, from shapes alone.

use crate::{Params, Shape};

/// Bytes of a field element and of a digest.
const ELEMENT: u128 = 16;
const DIGEST: u128 = 32;

/// Bytes of an oracle of this shape, in memory or mapped, and of the twiddles that make it.
///
/// Precondition: the shape is one that [`commit`](crate::commit) or [`store`](crate::store) can make.
pub fn oracle_bytes(params: &Params, shape: Shape) -> u128 {
    if shape.n_rows == 0 {
        return 0;
    }
    let symbols = (shape.n_words() as u128) << params.log_inv_rate;
    let length = 1u128 << (shape.log_row + params.log_inv_rate);
    ELEMENT * (shape.n_words() as u128 + symbols) + length * (2 * DIGEST + ELEMENT / 2)
}

/// Most bytes that [`open`](crate::open) holds besides the oracles, whose rows are of one length.
pub fn opening_bytes(params: &Params, shapes: &[Shape]) -> u128 {
    let log_row = shapes.first().map_or(0, |shape| shape.log_row);
    let n_rows: usize = shapes.iter().map(|shape| shape.n_rows).sum();
    let row = ELEMENT << log_row;
    // The weights of all words, and half of the rows, or all of a single one, bound once.
    let rows = row * (n_rows + n_rows.next_power_of_two().div_ceil(2)) as u128;
    // The combined row and its weights, each with the half that it is bound to, then the codewords.
    let mut folded = 3 * row + (row << params.log_inv_rate) / 2;
    let mut log_length = log_row + params.log_inv_rate;
    for step in params.schedule(log_row) {
        folded += (ELEMENT << log_length) + ((2 * DIGEST) << (log_length - step));
        log_length -= step;
    }
    folded + rows
}
