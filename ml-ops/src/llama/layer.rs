//! The two halves of a layer, and the residual stream that they add to.

use super::attention::{Positions, Projected};
use super::builder::{Builder, To, linear, straight, term};
use super::forward::{add, columns, gated, most};
use super::functions::{silu, spread};
use super::matrices::{
    Matrix, Split, by_input, by_output, largest, reductions, scale_inputs, scale_outputs,
};
use super::network::{Layer, Sizes};
use super::norm::{MARGIN, Normalized, Rows, Stream};
use super::products::matmul;
use super::rounding::Metric;
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

/// A network in integers, but for its last norm and matrix.
pub struct Quantized {
    pub(super) builder: Builder,
    pub(super) sizes: Sizes,
    pub(super) tokens: usize,
    pub(super) input: TensorId,
    pub(super) positions: Positions,
    /// The largest integer of a weight.
    pub(super) most: i32,
    /// What 1 stands for in the residual stream from the first sum on.
    pub(super) unit: f64,
    pub(super) stream: Stream,
    /// The stream of a text in floats, with the weights of the integers so far.
    pub(super) text: Vec<f32>,
    /// Tokens of the text that know of each other.
    pub(super) window: usize,
    /// The last matrix.
    pub(super) output: Vec<f32>,
}

impl Quantized {
    fn rows(&self) -> Rows {
        Rows { all: self.tokens, first: 0 }
    }

    /// The stream as normalized codes, and the text's as what codes with one step for all features stand for.
    fn normalized(&mut self, name: &str, behind: &[f64]) -> (Normalized, Vec<f32>) {
        let (mut x, seen) = self.sizes.normalized(&self.text);
        let (stream, rows, epsilon) = (self.stream, self.rows(), self.sizes.epsilon);
        let h = self.builder.normalized(name, stream, rows, &seen, behind, epsilon);
        scale_inputs(&mut x, &h.factors);
        (h, x)
    }

    /// The first half: attention.
    pub(super) fn attend(&mut self, number: usize, layer: &Layer) {
        let of = |part: &str| format!("layer{number}/{part}");
        let width = self.sizes.width;
        let behind = relative(&[&layer.q, &layer.k, &layer.v], width);
        let (h, text) = self.normalized(&of("norm0"), &behind);
        let metric = Metric::new(&text, width);
        let x = h.matrix();
        let mut projected = |part: &str, weights: &[f32]| {
            let matrix = Matrix::rounded(weights, &metric, None, self.most);
            let y = matmul(&text, &matrix.floats(), width);
            let scale = f64::from(most(&y)).max(1e-9) * MARGIN / 127.0;
            let to = To::Codes(linear(scale / (h.scale * matrix.scale)));
            let codes = self.builder.matmul(of(part), &x, self.tokens, matrix.weights(), to);
            ((codes, scale), y)
        };
        let scaled = |weights: &[f32]| {
            let mut weights = weights.to_vec();
            scale_inputs(&mut weights, &h.inverses());
            weights
        };
        let (q, q_text) = projected("q", &scaled(&layer.q));
        let (k, k_text) = projected("k", &scaled(&layer.k));
        // Features of the values have a scale of their own, which the next matrix takes back.
        let mut weights = scaled(&layer.v);
        let ranges = columns(&matmul(&text, &weights, width), self.sizes.keys());
        let ranges: Vec<f64> = ranges.iter().map(|&range| f64::from(range).max(1e-6)).collect();
        scale_outputs(&mut weights, width, &inverses(&ranges));
        let (v, v_text) = projected("v", &weights);
        let (head, shared) = (self.sizes.head(), self.sizes.heads / self.sizes.kv_heads);
        let back: Vec<f64> = ranges.chunks(head).flat_map(|of| of.repeat(shared)).collect();
        let mut weights = layer.o.clone();
        scale_inputs(&mut weights, &back);
        // Heads give averages of values, which are about 1 at most now, in steps no finer than the values'.
        let (text, score) = self.sizes.attention((q_text, k_text, &v_text), self.window);
        let score = f64::from(score).max(1e-9) * MARGIN;
        let projected = Projected { q, k, v: v.0 };
        let heads = self.builder.attention(
            &of("attention"),
            &self.sizes,
            &projected,
            &self.positions,
            score,
        );
        let metric = Metric::new(&text, width);
        let scale = metric.scale(&weights, &vec![self.most; width]);
        let factor = (v.1 * scale / self.unit).ceil().max(1.0);
        let matrix = Matrix::rounded(&weights, &metric, Some(factor * self.unit / v.1), self.most);
        let added = matmul(&text, &matrix.floats(), width);
        self.add([of("o"), of("sum0")], &straight(heads, 128), &matrix, factor, &added);
    }

    /// The second half: a product of two matrices' outputs.
    pub(super) fn transform(&mut self, number: usize, layer: &Layer) {
        let of = |part: &str| format!("layer{number}/{part}");
        let width = self.sizes.width;
        let behind = relative(&[&layer.gate, &layer.up], width);
        let (h, text) = self.normalized(&of("norm1"), &behind);
        let metric = Metric::new(&text, width);
        let (mut gate, mut up, mut down) =
            (layer.gate.clone(), layer.up.clone(), layer.down.clone());
        for weights in [&mut gate, &mut up] {
            scale_inputs(weights, &h.inverses());
        }
        let ranges = columns(&matmul(&text, &up, width), self.sizes.hidden);
        let ranges: Vec<f64> = ranges.iter().map(|&range| range.into()).collect();
        let reductions = reductions(&by_output(&up, width), &ranges);
        scale_outputs(&mut up, width, &inverses(&reductions));
        scale_inputs(&mut down, &reductions);
        let split = Split::new(&by_input(&down, reductions.len()));
        let gate = Matrix::rounded(&gate, &metric, None, self.most);
        let up = Matrix::rounded(&up, &metric, None, self.most);
        let [gate_text, up_text] =
            [&gate, &up].map(|matrix| matmul(&text, &matrix.floats(), width));
        let text = gated(&gate_text, &up_text);
        let largest_gate = gate_text.iter().copied().fold(0.0, f32::max);
        let u_scale = f64::from(most(&up_text)).max(1e-9) * MARGIN / 127.0;
        let metric = Metric::new(&text, reductions.len());
        let bounds = split.bounds(self.most);
        let scale = metric.scale(&down, &bounds);
        let matrix = split.shared(&metric.rounded(&down, scale, &bounds), scale);
        let added = matmul(&split.inputs(&text), &matrix.floats(), split.features());
        let x = h.matrix();
        let (builder, tokens) = (&mut self.builder, self.tokens);
        let gates = Gates::new(f64::from(largest_gate) * GATE_MARGIN);
        let to = To::Codes(gates.edges(h.scale * gate.scale));
        let g = builder.matmul(of("gate"), &x, tokens, split.outputs(&gate).weights(), to);
        let to = To::Codes(linear(u_scale / (h.scale * up.scale)));
        let u = builder.matmul(of("up"), &x, tokens, split.outputs(&up).weights(), to);
        // The unit of silu makes sums of products multiples of the stream's unit.
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
        self.add([of("down"), of("sum1")], &straight(m, 0), &matrix, factor, &added);
    }

    /// The stream and products with a matrix, of which 1 is `factor` units of the stream; the text's are `seen`.
    fn add(
        &mut self,
        [product, sum]: [String; 2],
        x: &CodeMatrix,
        matrix: &Matrix,
        factor: f64,
        seen: &[f32],
    ) {
        let integers = |seen: f32, unit: f64| {
            let most = f64::from(seen) * STREAM_MARGIN / unit;
            To::Integers(signed_bits(most.ceil() as i64))
        };
        let to = integers(most(seen), factor * self.unit);
        let added = self.builder.matmul(product, x, self.tokens, matrix.weights(), to);
        let times = (self.stream.unit / self.unit).round_ties_even() as i64;
        let terms = vec![
            term(self.stream.tensor, Function::Times(times)),
            term(added, Function::Times(factor as i64)),
        ];
        add(&mut self.text, seen);
        let to = integers(most(&self.text), self.unit);
        let tensor = self.builder.sum(sum, (self.tokens, self.sizes.width), terms, to);
        self.stream = Stream { tensor, unit: self.unit };
    }
}

fn inverses(of: &[f64]) -> Vec<f64> {
    of.iter().map(|x| 1.0 / x).collect()
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
