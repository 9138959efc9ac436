//! Inference in floats: logits, and what activations range over.

use rayon::prelude::*;

use super::error::LlamaError;
use super::functions::{rotations, silu};
use super::network::{Network, Sizes};
use crate::exact::exp;

/// What one layer's activations range over.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerRanges {
    /// The inputs of the first and the second half.
    pub(super) norms: [NormRanges; 2],
    /// Largest sizes: queries, keys, scores.
    pub(super) q: f32,
    pub(super) k: f32,
    pub(super) score: f32,
    /// Of each feature of the values.
    pub(super) v: Vec<f32>,
    /// Of what either half adds to the stream.
    pub(super) added: [f32; 2],
    /// Largest size of the stream behind the layer.
    pub(super) next: f32,
    /// The largest gate, which may be positive only.
    pub(super) gate: f32,
    /// Of each hidden feature.
    pub(super) up: Vec<f32>,
}

/// What the residual stream ranges over where a norm reads it.
#[derive(Debug, Clone)]
pub(super) struct NormRanges {
    /// Largest size.
    pub(super) most: f32,
    /// Least and largest root of a mean square.
    pub(super) rms: (f32, f32),
    /// Largest size of each feature once normalized.
    pub(super) features: Vec<f32>,
}

impl Default for NormRanges {
    fn default() -> Self {
        Self { most: 0.0, rms: (f32::MAX, 0.0), features: Vec::new() }
    }
}

/// What all activations range over.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranges {
    pub(super) layers: Vec<LayerRanges>,
    pub(super) last: NormRanges,
}

impl Network {
    /// The logits of each position of `tokens`, in windows of `window` that know nothing of each other; what is
    /// left of `tokens` is one more.
    ///
    /// # Errors
    /// [`LlamaError::Vocabulary`] and [`LlamaError::Tokens`], of none at all.
    pub fn logits(&self, tokens: &[usize], window: usize) -> Result<Vec<f32>, LlamaError> {
        let x = self.last(tokens, window, &mut Ranges::default())?;
        Ok(matmul(&x, &self.output, self.sizes.width))
    }

    /// What activations range over on `tokens`, in windows.
    pub(super) fn ranges(&self, tokens: &[usize], window: usize) -> Result<Ranges, LlamaError> {
        let mut ranges = Ranges::default();
        self.last(tokens, window, &mut ranges)?;
        Ok(ranges)
    }

    /// The normalized end of the stream.
    fn last(
        &self,
        tokens: &[usize],
        window: usize,
        ranges: &mut Ranges,
    ) -> Result<Vec<f32>, LlamaError> {
        self.check_tokens(tokens)?;
        if tokens.is_empty() || window == 0 {
            return Err(LlamaError::Tokens { got: 0, least: 1 });
        }
        let Sizes { width, hidden, .. } = self.sizes;
        let rows = tokens.iter().flat_map(|token| &self.embedding[token * width..][..width]);
        let mut x: Vec<f32> = rows.copied().collect();
        for layer in &self.layers {
            let mut seen = LayerRanges::default();
            let h = self.normalized(&x, &mut seen.norms[0]);
            let mut q = matmul(&h, &layer.q, width);
            let mut k = matmul(&h, &layer.k, width);
            let v = matmul(&h, &layer.v, width);
            (seen.q, seen.k, seen.v) = (most(&q), most(&k), columns(&v, self.sizes.keys()));
            self.rotate(&mut q, self.sizes.heads, window);
            self.rotate(&mut k, self.sizes.kv_heads, window);
            let heads = self.attention((&q, &k, &v), window, &mut seen.score);
            let added = matmul(&heads, &layer.o, width);
            seen.added[0] = most(&added);
            add(&mut x, &added);
            let h = self.normalized(&x, &mut seen.norms[1]);
            let gate = matmul(&h, &layer.gate, width);
            let up = matmul(&h, &layer.up, width);
            seen.gate = gate.iter().copied().fold(0.0, f32::max);
            seen.up = columns(&up, hidden);
            let product = gate.iter().zip(&up).map(|(&g, u)| silu(g.into()) as f32 * u);
            let added = matmul(&product.collect::<Vec<_>>(), &layer.down, hidden);
            seen.added[1] = most(&added);
            add(&mut x, &added);
            seen.next = most(&x);
            ranges.layers.push(seen);
        }
        Ok(self.normalized(&x, &mut ranges.last))
    }

    fn normalized(&self, x: &[f32], seen: &mut NormRanges) -> Vec<f32> {
        let width = self.sizes.width;
        let mut h = Vec::with_capacity(x.len());
        for row in x.chunks_exact(width) {
            let square: f64 = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            let mean = square / width as f64;
            let rms = mean.sqrt() as f32;
            seen.rms = (seen.rms.0.min(rms), seen.rms.1.max(rms));
            let reciprocal = 1.0 / (mean + self.sizes.epsilon).sqrt();
            h.extend(row.iter().map(|&x| (f64::from(x) * reciprocal) as f32));
        }
        seen.most = most(x);
        seen.features = columns(&h, width);
        h
    }

    /// Rotates pairs of neighbours by angles of their position in a window.
    fn rotate(&self, x: &mut [f32], heads: usize, window: usize) {
        let head = self.sizes.head();
        let rows = x.chunks_exact_mut(heads * head);
        let positions = rotations(self.sizes.base, head / 2, rows.len().min(window));
        for (x, turns) in rows.zip(positions.iter().cycle()) {
            for (pair, &(sin, cos)) in x.chunks_exact_mut(2).zip(turns.iter().cycle()) {
                let (sin, cos) = (sin as f32, cos as f32);
                let [a, b] = [pair[0], pair[1]];
                (pair[0], pair[1]) = (a * cos - b * sin, a * sin + b * cos);
            }
        }
    }

    fn attention(
        &self,
        (q, k, v): (&[f32], &[f32], &[f32]),
        window: usize,
        largest: &mut f32,
    ) -> Vec<f32> {
        let Sizes { width, heads, kv_heads, .. } = self.sizes;
        let (head, keys) = (self.sizes.head(), self.sizes.keys());
        let scale = 1.0 / (head as f64).sqrt();
        let mut out = vec![0f32; q.len()];
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
                *largest = largest.max(size as f32);
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
        out
    }
}

/// Rows of `x` by rows of `w`, both of `depth` elements.
fn matmul(x: &[f32], w: &[f32], depth: usize) -> Vec<f32> {
    let (rows, cols) = (x.len() / depth, w.len() / depth);
    let mut transposed = vec![0f32; rows * cols];
    transposed.par_chunks_mut(rows).zip(w.par_chunks(depth)).for_each(|(y, w)| {
        for (y, x) in y.iter_mut().zip(x.chunks_exact(depth)) {
            *y = dot(x, w);
        }
    });
    let mut y = vec![0f32; rows * cols];
    for (row, y) in y.chunks_exact_mut(cols).enumerate() {
        for (y, column) in y.iter_mut().zip(transposed.chunks_exact(rows)) {
            *y = column[row];
        }
    }
    y
}

/// The sum of products, in sixteen sums that are added last.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    let mut sums = [0f32; 16];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

/// The largest size.
fn most(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// The largest size in each column.
fn columns(x: &[f32], width: usize) -> Vec<f32> {
    let mut largest = vec![0f32; width];
    for row in x.chunks_exact(width) {
        largest.iter_mut().zip(row).for_each(|(most, x)| *most = most.max(x.abs()));
    }
    largest
}
