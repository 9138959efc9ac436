//! The layers of a graph, as lines of text and as JSON.

use binfer_ml_ops::graph::{
    Alphabet, Epilogue, Graph, Node, Op, Step, TensorKind, TensorShape, WeightShape,
};
use serde_json::{Value, json};

/// A node, and what is public about it.
pub(super) struct Layer<'a> {
    node: &'a Node,
    x: &'a TensorShape,
    y: &'a TensorShape,
    matmul: Option<MatMul<'a>>,
}

/// What only matmuls have.
struct MatMul<'a> {
    weights: &'a WeightShape,
    steps: &'a [Step],
    /// Two's complement width of the accumulators' bound.
    accumulator_bits: u32,
}

impl<'a> Layer<'a> {
    /// Node `index` of `graph`.
    pub(super) fn new(graph: &'a Graph, index: usize) -> Self {
        let node = &graph.nodes[index];
        let matmul = match &node.op {
            Op::MatMul { weights, epilogue, .. } => Some(MatMul {
                weights: &graph.weights[*weights],
                steps: match epilogue {
                    Epilogue::Requantize(requantize) => &requantize.steps,
                    Epilogue::Accumulator => &[],
                },
                accumulator_bits: 129 - graph.accumulator_bound(index).leading_zeros(),
            }),
            Op::Relu { .. } | Op::Map { .. } => None,
        };
        Self {
            node,
            x: &graph.tensors[node.op.input()],
            y: &graph.tensors[node.op.output()],
            matmul,
        }
    }

    fn operation(&self) -> &'static str {
        match &self.node.op {
            Op::MatMul { epilogue, .. } => match epilogue {
                Epilogue::Requantize(_) => "matmul, requantize",
                Epilogue::Accumulator => "matmul",
            },
            Op::Relu { .. } => "relu",
            Op::Map { .. } => "table of bytes",
        }
    }

    /// The column titles of [`Self::cells`].
    pub(super) const TITLES: [&'static str; 7] =
        ["layer", "operation", "shape", "weights", "parameters", "accumulator", "output"];

    /// The layer's line.
    pub(super) fn cells(&self) -> [String; 7] {
        let matmul = self.matmul.as_ref();
        let cell = |f: fn(&MatMul<'_>) -> String| matmul.map_or_else(|| "-".into(), f);
        [
            printable(&self.node.name),
            self.operation().into(),
            format!("{} -> {}", self.x.features, self.y.features),
            cell(|m| weight_bits_name(&m.weights.alphabet)),
            cell(|m| match biases(m.weights) {
                0 => format!("{}", m.weights.k * m.weights.n),
                n => format!("{} + {n}", m.weights.k * m.weights.n),
            }),
            cell(|m| format!("{} bits", m.accumulator_bits)),
            kind_name(self.y.kind),
        ]
    }

    /// One line about the scales, of layers that have any.
    pub(super) fn scales(&self) -> Option<String> {
        let matmul = self.matmul.as_ref()?;
        let first = matmul.steps.first()?;
        let scales = || matmul.steps.iter().map(|s| s.scale);
        let (low, high) = (scales().fold(f32::INFINITY, f32::min), scales().fold(0.0, f32::max));
        let scale = match matmul.steps.len() {
            1 => format!("scale {low:e}"),
            n => format!("{n} scales {low:e} to {high:e}"),
        };
        let (zero, low, high) = (first.zero_point, first.qmin, first.qmax);
        let name = printable(&self.node.name);
        Some(format!(
            "{name}: {scale}, zero point {zero}, clamped to {low}..{high}, rounding ort-f32-rne"
        ))
    }

    /// The layer as JSON.
    pub(super) fn json(&self) -> Value {
        let mut layer = json!({
            "name": self.node.name,
            "operation": self.operation(),
            "rows_per_sample": self.x.rows_per_sample,
            "inputs": self.x.features,
            "outputs": self.y.features,
            "output_type": kind_name(self.y.kind),
        });
        if let Some(matmul) = &self.matmul {
            let weights = matmul.weights;
            layer["weights"] = json!({
                "shape": [weights.k, weights.n],
                "bits": weight_bits(&weights.alphabet),
                "alphabet": match &weights.alphabet {
                    Alphabet::Digits { values, .. } => json!(values),
                    Alphabet::Byte { .. } => json!("bytes"),
                },
                "parameters": weights.k * weights.n,
                "biases": biases(weights),
                "bias_bits": weights.bias_bits,
            });
            layer["accumulator_bits"] = json!(matmul.accumulator_bits);
            if !matmul.steps.is_empty() {
                let steps = matmul.steps;
                layer["scales"] = steps.iter().map(|s| json!(s.scale)).collect();
                layer["zero_points"] = steps.iter().map(|s| json!(s.zero_point)).collect();
                layer["ranges"] = steps.iter().map(|s| json!([s.qmin, s.qmax])).collect();
                layer["rounding"] = json!("ort-f32-rne");
            }
        }
        layer
    }
}

/// Number of weights and biases of a graph.
pub(super) fn parameters(graph: &Graph) -> usize {
    let weights = graph.weights.iter();
    weights.map(|w| w.k * w.n + biases(w)).sum()
}

fn biases(weights: &WeightShape) -> usize {
    if weights.bias_bits == 0 { 0 } else { weights.n }
}

/// Committed bits of a weight.
fn weight_bits(alphabet: &Alphabet) -> f64 {
    8.0 / alphabet.per_byte() as f64
}

fn weight_bits_name(alphabet: &Alphabet) -> String {
    match alphabet.per_byte() {
        8 => "1 bit".into(),
        5 => "trit (1.6 bits)".into(),
        3 => "2.67 bits".into(),
        per_byte => format!("{} bits", 8 / per_byte.max(1)),
    }
}

fn kind_name(kind: TensorKind) -> String {
    match kind {
        TensorKind::Code => "8 bits".into(),
        TensorKind::Integer { bits } => format!("{bits} bits, signed"),
    }
}

/// A name from a file without what could steer a terminal.
pub(super) fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
