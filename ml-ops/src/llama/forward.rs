//! Inference in floats: logits, the steps that they are made of, and what activations range over.

use rayon::prelude::*;

use super::error::LlamaError;
use super::functions::{rotations, silu};
use super::network::{Network, Sizes};
use super::products::{dot, matmul};
use crate::exact::exp;

/// What the residual stream ranges over where a norm reads it.
pub(super) struct NormRanges {
    /// Largest size.
    pub(super) most: f32,
    /// Least and largest root of a mean square.
    pub(super) rms: (f32, f32),
    /// Largest size of each feature once normalized.
    pub(super) features: Vec<f32>,
}

impl Network {
    /// The logits of each position of `tokens`, in windows of `window` that know nothing of each other; what is
    /// left of `tokens` is one more.
    ///
    /// # Errors
    /// [`LlamaError::Vocabulary`] and [`LlamaError::Tokens`], of none at all.
    pub fn logits(&self, tokens: &[usize], window: usize) -> Result<Vec<f32>, LlamaError> {
        if window == 0 {
            return Err(LlamaError::Tokens { got: 0, least: 1 });
        }
        let sizes = &self.sizes;
        let Sizes { width, hidden, .. } = *sizes;
        let mut x = self.embedded(tokens)?;
        for layer in &self.layers {
            let (h, _) = sizes.normalized(&x);
            let [q, k, v] = [&layer.q, &layer.k, &layer.v].map(|w| matmul(&h, w, width));
            let (heads, _) = sizes.attention((q, k, &v), window);
            add(&mut x, &matmul(&heads, &layer.o, width));
            let (h, _) = sizes.normalized(&x);
            let [gate, up] = [&layer.gate, &layer.up].map(|w| matmul(&h, w, width));
            add(&mut x, &matmul(&gated(&gate, &up), &layer.down, hidden));
        }
        Ok(matmul(&sizes.normalized(&x).0, &self.output, width))
    }

    /// The stream's first rows.
    ///
    /// # Errors
    /// [`LlamaError::Vocabulary`] and [`LlamaError::Tokens`], of none at all.
    pub(super) fn embedded(&self, tokens: &[usize]) -> Result<Vec<f32>, LlamaError> {
        self.check_tokens(tokens)?;
        if tokens.is_empty() {
            return Err(LlamaError::Tokens { got: 0, least: 1 });
        }
        let width = self.sizes.width;
        let rows = tokens.iter().flat_map(|token| &self.embedding[token * width..][..width]);
        Ok(rows.copied().collect())
    }
}

impl Sizes {
    /// The rows of the stream brought to size 1, and what they range over.
    pub(super) fn normalized(&self, x: &[f32]) -> (Vec<f32>, NormRanges) {
        let width = self.width;
        let mut sizes = (f32::MAX, 0f32);
        let mut h = Vec::with_capacity(x.len());
        for row in x.chunks_exact(width) {
            let square: f64 = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            let mean = square / width as f64;
            let rms = mean.sqrt() as f32;
            sizes = (sizes.0.min(rms), sizes.1.max(rms));
            let reciprocal = 1.0 / (mean + self.epsilon).sqrt();
            h.extend(row.iter().map(|&x| (f64::from(x) * reciprocal) as f32));
        }
        let ranges = NormRanges { most: most(x), rms: sizes, features: columns(&h, width) };
        (h, ranges)
    }

    /// Rotates pairs of neighbours by angles of their position in a window.
    fn rotate(&self, x: &mut [f32], heads: usize, window: usize) {
        let head = self.head();
        let rows = x.chunks_exact_mut(heads * head);
        let positions = rotations(self.base, head / 2, rows.len().min(window));
        for (x, turns) in rows.zip(positions.iter().cycle()) {
            for (pair, &(sin, cos)) in x.chunks_exact_mut(2).zip(turns.iter().cycle()) {
                let (sin, cos) = (sin as f32, cos as f32);
                let [a, b] = [pair[0], pair[1]];
                (pair[0], pair[1]) = (a * cos - b * sin, a * sin + b * cos);
            }
        }
    }

    /// What heads give for queries, keys and values, and the largest size of a score.
    pub(super) fn attention(
        &self,
        (mut q, mut k, v): (Vec<f32>, Vec<f32>, &[f32]),
        window: usize,
    ) -> (Vec<f32>, f32) {
        self.rotate(&mut q, self.heads, window);
        self.rotate(&mut k, self.kv_heads, window);
        let Sizes { width, heads, kv_heads, .. } = *self;
        let (head, keys) = (self.head(), self.keys());
        let scale = 1.0 / (head as f64).sqrt();
        let (mut out, mut largest) = (vec![0f32; q.len()], 0f32);
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            let first = row / window * window;
            for (h, out) in out.chunks_exact_mut(head).enumerate() {
                let shared = h / (heads / kv_heads) * head;
                let q = &q[row * width + h * head..][..head];
                let scores: Vec<f64> = (first..=row)
                    .map(|at| f64::from(dot(q, &k[at * keys + shared..][..head])) * scale)
                    .collect();
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let size = scores.iter().fold(0.0, |most: f64, score| most.max(score.abs()));
                largest = largest.max(size as f32);
                let weights: Vec<f64> = scores.iter().map(|score| exp(score - top)).collect();
                let sum: f64 = weights.iter().sum();
                for (at, weight) in (first..).zip(&weights) {
                    let share = (weight / sum) as f32;
                    for (out, v) in out.iter_mut().zip(&v[at * keys + shared..][..head]) {
                        *out += share * v;
                    }
                }
            }
        }
        (out, largest)
    }
}

/// The products of one half of a layer's hidden features and `silu` of the other.
pub(super) fn gated(gate: &[f32], up: &[f32]) -> Vec<f32> {
    gate.par_iter().zip(up).map(|(&g, u)| silu(g.into()) as f32 * u).collect()
}

pub(super) fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

/// The largest size.
pub(super) fn most(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// The largest size in each column.
pub(super) fn columns(x: &[f32], width: usize) -> Vec<f32> {
    let mut largest = vec![0f32; width];
    for row in x.chunks_exact(width) {
        largest.iter_mut().zip(row).for_each(|(most, x)| *most = most.max(x.abs()));
    }
    largest
}
