//! Rotations of features, which spread what stands out in one over all of them and change no output.
//!
//! Norms whose factors are folded into the matrices behind them know nothing of directions, and neither do averages of
//! values. So the residual stream, and the values of each head, may be rotated if what writes to them and what reads them is.

use rayon::prelude::*;

use super::functions::sin_cos;
use super::network::{Layer, Network};
use super::products::transposed;

/// An orthogonal matrix of which all entries are small: signs, and then the Kronecker product of the Hartley transform
/// of the odd part of its size and the Walsh-Hadamard transform of the rest.
struct Rotation {
    signs: Vec<f32>,
    /// Rows of the first, scaled for both.
    hartley: Vec<f32>,
    odd: usize,
}

impl Rotation {
    fn new(size: usize) -> Self {
        let odd = size >> size.trailing_zeros();
        let turn = |at: usize| {
            let angle = 2.0 * std::f64::consts::PI * (at % odd) as f64 / odd as f64;
            let (sin, cos) = sin_cos(angle);
            ((sin + cos) / (size as f64).sqrt()) as f32
        };
        let hartley = (0..odd * odd).map(|at| turn(at / odd * (at % odd))).collect();
        let signs = (0..size as u64).map(|at| if sign(at) { -1.0 } else { 1.0 }).collect();
        Self { signs, hartley, odd }
    }

    /// Multiplies the row by the matrix from the right.
    fn apply(&self, row: &mut [f32]) {
        row.iter_mut().zip(&self.signs).for_each(|(x, sign)| *x *= sign);
        let size = row.len() / self.odd;
        for block in row.chunks_exact_mut(size) {
            let mut half = 1;
            while half < size {
                for pair in block.chunks_exact_mut(2 * half) {
                    let (a, b) = pair.split_at_mut(half);
                    a.iter_mut().zip(b).for_each(|(a, b)| (*a, *b) = (*a + *b, *a - *b));
                }
                half *= 2;
            }
        }
        let mut sums = vec![0f32; row.len()];
        for (sums, factors) in sums.chunks_exact_mut(size).zip(self.hartley.chunks_exact(self.odd))
        {
            for (block, factor) in row.chunks_exact(size).zip(factors) {
                sums.iter_mut().zip(block).for_each(|(sum, x)| *sum += factor * x);
            }
        }
        row.copy_from_slice(&sums);
    }

    /// The matrix with its inputs rotated, each so many by themselves.
    fn inputs(&self, weights: &[f32]) -> Vec<f32> {
        let mut weights = weights.to_vec();
        weights.par_chunks_exact_mut(self.signs.len()).for_each(|row| self.apply(row));
        weights
    }

    /// The matrix of `inputs` with its outputs rotated.
    fn outputs(&self, weights: &[f32], inputs: usize) -> Vec<f32> {
        let across = self.inputs(&transposed(weights, inputs));
        transposed(&across, weights.len() / inputs)
    }
}

/// A bit that looks random: one of the finalizer of `splitmix64`.
fn sign(at: u64) -> bool {
    let mut x = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x >> 63 == 1
}

impl Network {
    /// The same function with its residual stream and its values rotated.
    pub(super) fn rotated(&self) -> Self {
        let width = self.sizes.width;
        let (stream, head) = (Rotation::new(width), Rotation::new(self.sizes.head()));
        let layer = |layer: &Layer| Layer {
            q: stream.inputs(&layer.q),
            k: stream.inputs(&layer.k),
            v: head.outputs(&stream.inputs(&layer.v), width),
            o: stream.outputs(&head.inputs(&layer.o), width),
            gate: stream.inputs(&layer.gate),
            up: stream.inputs(&layer.up),
            down: stream.outputs(&layer.down, self.sizes.hidden),
        };
        Self {
            sizes: self.sizes,
            embedding: stream.inputs(&self.embedding),
            layers: self.layers.iter().map(layer).collect(),
            output: stream.inputs(&self.output),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::products::dot;
    use super::*;

    #[test]
    fn rotations_keep_products() {
        for size in [1, 2, 7, 24, 64, 96] {
            let rotation = Rotation::new(size);
            let mut unit = vec![0f32; size * size];
            unit.iter_mut().step_by(size + 1).for_each(|x| *x = 1.0);
            let rows = rotation.inputs(&unit);
            for (i, a) in rows.chunks_exact(size).enumerate() {
                for (j, b) in rows.chunks_exact(size).enumerate() {
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((dot(a, b) - expected).abs() < 1e-5, "{size}: {i} {j}");
                }
            }
            let most = rows.iter().fold(0f32, |most, x| most.max(x.abs()));
            assert!(most <= (2.0 / size as f32).sqrt() + 1e-6, "{size}: {most}");
        }
    }
}
