//! Float matrices as small integers with one scale, and the scales of features that make one scale do.

use super::rounding::Metric;
use crate::graph::{WeightMatrix, WeightShape};

/// Hidden features that are there twice or more, as a share of all: one for each so many.
const SPLIT: usize = 24;

/// The share of hidden features whose own range sets what others are scaled down to.
const USUAL: f64 = 0.97;

/// A matrix of integers, by rows of outputs.
pub(super) struct Matrix {
    inputs: usize,
    values: Vec<i8>,
    /// What 1 stands for.
    pub(super) scale: f64,
}

impl Matrix {
    /// The nearest integers of at most `most` in size.
    pub(super) fn nearest(weights: &[f32], inputs: usize, scale: f64, most: i32) -> Self {
        let most = f64::from(most);
        let round = |&w: &f32| (f64::from(w) / scale).round_ties_even().clamp(-most, most) as i8;
        Self { inputs, values: weights.iter().map(round).collect(), scale }
    }

    /// Integers of at most `most` in size, with a scale or the one at which they cost least.
    pub(super) fn rounded(weights: &[f32], metric: &Metric, scale: Option<f64>, most: i32) -> Self {
        let bounds = vec![most; metric.inputs()];
        let scale = scale.unwrap_or_else(|| metric.scale(weights, &bounds));
        let values = metric.rounded(weights, scale, &bounds);
        let values = values.into_iter().map(|value| value as i8).collect();
        Self { inputs: metric.inputs(), values, scale }
    }

    /// What its integers stand for.
    pub(super) fn floats(&self) -> Vec<f32> {
        self.values.iter().map(|&value| (f64::from(value) * self.scale) as f32).collect()
    }

    /// As a graph's weights that take rows to outputs: an input for each.
    pub(super) fn rows(&self) -> (WeightShape, WeightMatrix) {
        let codes: Vec<u8> = self.values.iter().map(|&value| value as u8 ^ 0x80).collect();
        let rows = self.values.len() / self.inputs;
        WeightMatrix::from_codes(rows, self.inputs, &codes, &[-128], &[])
    }

    /// As a graph's weights.
    pub(super) fn weights(&self) -> (WeightShape, WeightMatrix) {
        let (inputs, outputs) = (self.inputs, self.values.len() / self.inputs);
        let mut codes = vec![0u8; self.values.len()];
        for (output, row) in self.values.chunks_exact(inputs).enumerate() {
            for (code, &value) in codes.iter_mut().skip(output).step_by(outputs).zip(row) {
                *code = value as u8 ^ 0x80;
            }
        }
        WeightMatrix::from_codes(inputs, outputs, &codes, &[-128], &[])
    }
}

/// The largest size, or 1 where all are zero.
pub(super) fn largest(weights: &[f32]) -> f64 {
    let most = weights.iter().fold(0f32, |most, w| most.max(w.abs()));
    if most > 0.0 { most.into() } else { 1.0 }
}

/// The largest size of each input's weights.
pub(super) fn by_input(weights: &[f32], inputs: usize) -> Vec<f64> {
    let mut most = vec![0f64; inputs];
    for row in weights.chunks_exact(inputs) {
        most.iter_mut().zip(row).for_each(|(most, w)| *most = most.max(f64::from(w.abs())));
    }
    most
}

/// The largest size of each output's weights.
pub(super) fn by_output(weights: &[f32], inputs: usize) -> Vec<f64> {
    weights.chunks_exact(inputs).map(largest).collect()
}

/// Multiplies the weights of each input by a factor.
pub(super) fn scale_inputs(weights: &mut [f32], factors: &[f64]) {
    for row in weights.chunks_exact_mut(factors.len()) {
        row.iter_mut().zip(factors).for_each(|(w, f)| *w = (f64::from(*w) * f) as f32);
    }
}

/// Multiplies the weights of each output by a factor.
pub(super) fn scale_outputs(weights: &mut [f32], inputs: usize, factors: &[f64]) {
    for (row, factor) in weights.chunks_exact_mut(inputs).zip(factors) {
        row.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
    }
}

/// What a hidden feature is divided by so that neither its weights nor its range stands out: at least 1.
pub(super) fn reductions(weights: &[f64], ranges: &[f64]) -> Vec<f64> {
    let usual = |of: &[f64]| {
        let mut sorted = of.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = ((sorted.len() - 1) as f64 * USUAL) as usize;
        sorted[at].max(1e-9)
    };
    let (weight, range) = (usual(weights), usual(ranges));
    weights.iter().zip(ranges).map(|(w, r)| (w / weight).max(r / range).max(1.0)).collect()
}

/// The hidden features of both halves of a product of two matrices, some more than once: features whose weights into
/// the second stand out are there as often as it takes, and share those weights.
pub(super) struct Split {
    /// How often each feature is there.
    copies: Vec<i32>,
}

impl Split {
    /// Of features with these largest weights.
    pub(super) fn new(largest: &[f64]) -> Self {
        let mut copies = vec![1; largest.len()];
        for _ in 0..largest.len() / SPLIT {
            let share = |at: &usize| largest[*at] / f64::from(copies[*at]);
            let most = (0..copies.len()).max_by(|a, b| share(a).total_cmp(&share(b)));
            if let Some(most) = most {
                copies[most] += 1;
            }
        }
        Self { copies }
    }

    /// The largest integer of each feature, if one copy's is `most`.
    pub(super) fn bounds(&self, most: i32) -> Vec<i32> {
        self.copies.iter().map(|n| n * most).collect()
    }

    /// Features with their copies.
    pub(super) fn features(&self) -> usize {
        self.copies.iter().sum::<i32>() as usize
    }

    /// Rows of features, each as often as it is there.
    pub(super) fn inputs(&self, x: &[f32]) -> Vec<f32> {
        let features = x.iter().zip(self.copies.iter().cycle());
        features.flat_map(|(&x, &n)| std::iter::repeat_n(x, n as usize)).collect()
    }

    /// The first matrix with its outputs as often as they are there.
    pub(super) fn outputs(&self, matrix: &Matrix) -> Matrix {
        let rows = matrix.values.chunks_exact(matrix.inputs).zip(&self.copies);
        let values = rows.flat_map(|(row, &n)| row.repeat(n as usize)).collect();
        Matrix { values, ..*matrix }
    }

    /// The second matrix: each integer is the sum of its copies'.
    pub(super) fn shared(&self, integers: &[i32], scale: f64) -> Matrix {
        let mut values = Vec::with_capacity(integers.len() / self.copies.len() * self.features());
        for row in integers.chunks_exact(self.copies.len()) {
            for (&q, &n) in row.iter().zip(&self.copies) {
                // Hermite: the sum of floor((q + i) / n) over i is q.
                values.extend((0..n).map(|i| (q + i).div_euclid(n) as i8));
            }
        }
        Matrix { inputs: self.features(), values, scale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_a_weight() {
        let mut many = Split { copies: vec![1, 3, 1] };
        let matrix = many.shared(&[3, -200, 5, 30, 150, -7], 1.0);
        assert_eq!(matrix.values, [3, -67, -67, -66, 5, 30, 50, 50, 50, -7]);
        assert_eq!(many.bounds(127), [127, 381, 127]);
        let rows = Matrix::nearest(&[1.0, 2.0, 3.0], 1, 1.0, 7);
        assert_eq!(many.outputs(&rows).values, [1, 2, 2, 2, 3]);
        let largest: Vec<f64> = (0..48).map(|at| f64::from(at % 47)).collect();
        many = Split::new(&largest);
        assert_eq!((many.features(), many.copies[46], many.copies[45]), (50, 2, 2));
    }

    #[test]
    fn matrices_are_transposed() {
        let matrix = Matrix::nearest(&[1.0, -2.0, 127.0, 0.2, 0.0, 3.6], 3, 1.0, 127);
        let (shape, weights) = matrix.weights();
        assert_eq!((shape.k, shape.n, matrix.scale), (3, 2, 1.0));
        let decoded: Vec<i32> = (0..2)
            .flat_map(|j| (0..3).map(move |k| (j, k)))
            .map(|(j, k)| match shape.alphabet.per_byte() {
                1 => shape.alphabet.decode(weights.index[j * 3 + k], 0, j),
                _ => shape.alphabet.decode(weights.index[k], j, j),
            })
            .collect();
        assert_eq!(decoded, [1, -2, 127, 0, 0, 4]);
    }
}
