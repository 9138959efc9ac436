//! The two halves of a layer, and the residual stream that they add to.

use super::attention::{Positions, Projected};
use super::builder::{Builder, To, linear, straight, term};
use super::forward::LayerRanges;
use super::functions::{silu, spread};
use super::matrices::{
    Matrix, Split, by_input, by_output, largest, reductions, scale_inputs, scale_outputs,
};
use super::network::{Layer, Sizes};
use super::norm::{MARGIN, Rows, Stream};
use crate::exact::ln;
use crate::graph::{CodeMatrix, Edges, Function, TensorId, signed_bits};

/// How much more than what was seen the stream, and what is added to it, may range over.
const STREAM_MARGIN: f64 = 4.4;

/// The least gate that is told from others: `silu` is -0.0005 there.
const LEAST_GATE: f64 = -10.0;

/// How much more than what was seen a gate may be.
const GATE_MARGIN: f64 = 1.2;

/// Gates are evenly spaced up to about this size, and by a ratio beyond.
const KNEE: f64 = 1.0;

/// What `silu` is spelled in: two digits to base 256, the higher with a sign.
const DIGITS: f64 = 32767.0;

/// A network that is being quantized.
pub(super) struct Quantized {
    pub(super) builder: Builder,
    pub(super) sizes: Sizes,
    pub(super) tokens: usize,
    pub(super) positions: Positions,
    /// The largest integer of a weight.
    pub(super) most: i32,
    /// What 1 stands for in the residual stream from the first sum on.
    pub(super) unit: f64,
    pub(super) stream: Stream,
}

impl Quantized {
    fn rows(&self) -> Rows {
        Rows { all: self.tokens, first: 0 }
    }

    /// The first half: attention.
    pub(super) fn attend(&mut self, number: usize, layer: &Layer, seen: &LayerRanges) {
        let of = |part: &str| format!("layer{number}/{part}");
        let width = self.sizes.width;
        let behind = relative(&[&layer.q, &layer.k, &layer.v], width);
        let h = self.builder.normalized(
            &of("norm0"),
            self.stream,
            self.rows(),
            &seen.norms[0],
            &behind,
            self.sizes.epsilon,
        );
        let x = h.matrix();
        let mut projected = |part: &str, weights: &[f32], features: &[f64], range: f64| {
            let mut weights = weights.to_vec();
            scale_inputs(&mut weights, &h.inverses());
            scale_outputs(&mut weights, width, features);
            let matrix = Matrix::fitted(&weights, width, self.most);
            let scale = range * MARGIN / 127.0;
            let to = To::Codes(linear(scale / (h.scale * matrix.scale)));
            (self.builder.matmul(of(part), &x, self.tokens, matrix.weights(), to), scale)
        };
        let q = projected("q", &layer.q, &vec![1.0; width], seen.q.into());
        let k = projected("k", &layer.k, &vec![1.0; self.sizes.keys()], seen.k.into());
        // Features of the values have a scale of their own, which the next matrix takes back.
        let ranges: Vec<f64> = seen.v.iter().map(|&range| f64::from(range).max(1e-6)).collect();
        let inverses: Vec<f64> = ranges.iter().map(|range| 1.0 / range).collect();
        let v = projected("v", &layer.v, &inverses, 1.0);
        let (head, shared) = (self.sizes.head(), self.sizes.heads / self.sizes.kv_heads);
        let back: Vec<f64> = ranges.chunks(head).flat_map(|of| of.repeat(shared)).collect();
        let mut weights = layer.o.clone();
        scale_inputs(&mut weights, &back);
        // Heads give averages of values, which are at most 1 now, in steps no finer than the values'.
        let score = f64::from(seen.score) * MARGIN;
        let projected = Projected { q, k, v: v.0 };
        let heads = self.builder.attention(
            &of("attention"),
            &self.sizes,
            &projected,
            &self.positions,
            score,
        );
        let scale = largest(&weights) / f64::from(self.most);
        let factor = (v.1 * scale / self.unit).ceil().max(1.0);
        let matrix = Matrix::new(&weights, width, factor * self.unit / v.1, self.most);
        let added = self.added(of("o"), &straight(heads, 128), &matrix, factor, seen.added[0]);
        self.add(of("sum0"), added, factor, seen.norms[1].most);
    }

    /// The second half: a product of two matrices' outputs.
    pub(super) fn transform(&mut self, number: usize, layer: &Layer, seen: &LayerRanges) {
        let of = |part: &str| format!("layer{number}/{part}");
        let Sizes { width, epsilon, .. } = self.sizes;
        let behind = relative(&[&layer.gate, &layer.up], width);
        let (stream, rows) = (self.stream, self.rows());
        let name = of("norm1");
        let norm = &seen.norms[1];
        let h = self.builder.normalized(&name, stream, rows, norm, &behind, epsilon);
        let (mut gate, mut up, mut down) =
            (layer.gate.clone(), layer.up.clone(), layer.down.clone());
        for weights in [&mut gate, &mut up] {
            scale_inputs(weights, &h.inverses());
        }
        let ranges: Vec<f64> = seen.up.iter().map(|&range| range.into()).collect();
        let reductions = reductions(&by_output(&up, width), &ranges);
        let inverses: Vec<f64> = reductions.iter().map(|reduction| 1.0 / reduction).collect();
        scale_outputs(&mut up, width, &inverses);
        scale_inputs(&mut down, &reductions);
        let by_feature = by_input(&down, reductions.len());
        let split = Split::new(&by_feature);
        let ranges = ranges.iter().zip(&inverses).map(|(range, inverse)| range * inverse);
        let u_scale = ranges.fold(1e-9, f64::max) * MARGIN / 127.0;
        let x = h.matrix();
        let (builder, tokens) = (&mut self.builder, self.tokens);
        let gate = Matrix::fitted(&split.outputs(&gate, width), width, self.most);
        let gates = Gates::new(f64::from(seen.gate) * GATE_MARGIN);
        let to = To::Codes(gates.edges(h.scale * gate.scale));
        let g = builder.matmul(of("gate"), &x, tokens, gate.weights(), to);
        let up = Matrix::fitted(&split.outputs(&up, width), width, self.most);
        let to = To::Codes(linear(u_scale / (h.scale * up.scale)));
        let u = builder.matmul(of("up"), &x, tokens, up.weights(), to);
        // The unit of silu makes sums of products multiples of the stream's unit.
        let scale = split.largest(&by_feature) / f64::from(self.most);
        let step = u_scale * scale;
        let least = silu(gates.level(255.0)) / DIGITS;
        let factor = (least * step / self.unit).ceil().max((0.004 * step / self.unit).floor());
        let unit = factor * self.unit / step;
        let size = (tokens, split.features());
        let integer =
            move |code: i64| (silu(gates.level(code as f64)) / unit).round_ties_even() as i64;
        let high = Function::table(|code| integer(code).div_euclid(256) + 128);
        let high = builder.sum(of("silu1"), size, vec![term(g, high)], To::Same);
        let low = Function::table(|code| integer(code).rem_euclid(256));
        let low = builder.sum(of("silu0"), size, vec![term(g, low)], To::Same);
        let product = |zero: u8, factor: i64| Function::Product {
            with: u,
            with_gather: None,
            zeros: [zero, 128],
            factor,
        };
        let terms = vec![term(high, product(128, 256)), term(low, product(0, 1))];
        let bits = signed_bits(128 * (256 * 128 + 255));
        let m = builder.sum(of("product"), size, terms, To::Integers(bits));
        let matrix = split.shared(&down, scale, self.most);
        let added = self.added(of("down"), &straight(m, 0), &matrix, factor, seen.added[1]);
        self.add(of("sum1"), added, factor, seen.next);
    }

    /// Sums of products with a matrix, of which 1 is `factor` units of the stream; they were `seen` at most.
    fn added(
        &mut self,
        name: String,
        x: &CodeMatrix,
        matrix: &Matrix,
        factor: f64,
        seen: f32,
    ) -> TensorId {
        let most = f64::from(seen) * STREAM_MARGIN / (factor * self.unit);
        let to = To::Integers(signed_bits(most.ceil() as i64));
        self.builder.matmul(name, x, self.tokens, matrix.weights(), to)
    }

    /// The stream and `factor` times what is added, which was `seen` at most.
    fn add(&mut self, name: String, added: TensorId, factor: f64, seen: f32) {
        let times = (self.stream.unit / self.unit).round_ties_even() as i64;
        let terms = vec![
            term(self.stream.tensor, Function::Times(times)),
            term(added, Function::Times(factor as i64)),
        ];
        let most = (f64::from(seen) * STREAM_MARGIN / self.unit).ceil();
        let size = (self.tokens, self.sizes.width);
        let tensor = self.builder.sum(name, size, terms, To::Integers(signed_bits(most as i64)));
        self.stream = Stream { tensor, unit: self.unit };
    }
}

/// The largest weight of each input in some matrices, each relative to its largest.
fn relative(matrices: &[&Vec<f32>], inputs: usize) -> Vec<f64> {
    let mut most = vec![0f64; inputs];
    for matrix in matrices {
        let whole = largest(matrix);
        let weights = by_input(matrix, inputs);
        most.iter_mut().zip(weights).for_each(|(most, w)| *most = most.max(w / whole));
    }
    most
}

/// Levels of gates.
#[derive(Clone, Copy)]
struct Gates {
    /// The level of code 0, in units in which levels are evenly spaced.
    first: f64,
    step: f64,
}

impl Gates {
    /// From [`LEAST_GATE`] to `most`.
    fn new(most: f64) -> Self {
        let first = -KNEE * ln(1.0 - LEAST_GATE / KNEE);
        let last = KNEE * ln(1.0 + most.max(KNEE) / KNEE);
        Self { first, step: (last - first) / 255.0 }
    }

    /// The gate of a code, or between two.
    fn level(&self, code: f64) -> f64 {
        let at = self.first + self.step * code;
        spread(KNEE, at / KNEE)
    }

    fn edges(&self, unit: f64) -> Edges {
        Edges::rising(0, 255, |code| self.level(f64::from(code) - 0.5) / unit)
    }
}
