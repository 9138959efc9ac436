//! The layers of a graph, as lines of text and as JSON.

use binfer_ml_ops::graph::{
    Alphabet, CodeMatrix, Epilogue, Gather, GatherDim, Graph, Node, Op, Step, TensorKind,
    TensorShape, Term, WeightShape,
};
use serde_json::{Value, json};

/// A node, and what is public about it.
pub(super) struct Layer<'a> {
    node: &'a Node,
    x: &'a TensorShape,
    y: &'a TensorShape,
    weights: Option<&'a WeightShape>,
    /// Scales of codes, where there are any.
    steps: &'a [Step],
    /// Two's complement width of the accumulators' bound, where there are any.
    accumulator_bits: Option<u32>,
}

impl<'a> Layer<'a> {
    /// Node `index` of `graph`.
    pub(super) fn new(graph: &'a Graph, index: usize) -> Self {
        let node = &graph.nodes[index];
        let weights = match &node.op {
            Op::MatMul { weights, .. } => Some(&graph.weights[*weights]),
            Op::BatchMatMul { .. }
            | Op::Combine { .. }
            | Op::Max { .. }
            | Op::ArgMax { .. }
            | Op::Relu { .. }
            | Op::Constant { .. } => None,
        };
        let steps: &[Step] = match node.op.epilogue() {
            Some(Epilogue::Requantize(requantize)) => &requantize.steps,
            Some(Epilogue::Accumulator | Epilogue::Edges(_)) | None => &[],
        };
        let y = &graph.tensors[node.op.output()];
        // A sum that is a code itself is no accumulator.
        let accumulates = match node.op.epilogue() {
            Some(Epilogue::Accumulator) => y.kind != TensorKind::Code,
            Some(Epilogue::Requantize(_) | Epilogue::Edges(_)) => true,
            None => false,
        };
        let bits = 129 - graph.accumulator_bound(index).leading_zeros();
        Self {
            node,
            x: node.op.inputs().first().map_or(y, |&x| &graph.tensors[x]),
            y,
            weights,
            steps,
            accumulator_bits: accumulates.then_some(bits),
        }
    }

    /// What it does, in a few words.
    fn operation(&self) -> String {
        let what = match &self.node.op {
            Op::MatMul { gather, groups, .. } => {
                let what = match gather {
                    None => "matmul".into(),
                    Some(gather) if is_window(gather) => {
                        format!("convolution {}", window(gather, *groups))
                    }
                    Some(_) => "gathered matmul".into(),
                };
                if *groups == 1 { what } else { format!("{what} in {groups} groups") }
            }
            Op::Relu { .. } => "relu".into(),
            Op::Combine { terms, .. } => match &terms[..] {
                several if several.iter().any(|term| term.with().is_some()) => {
                    match several.len() {
                        1 => "product of 2 tensors".into(),
                        n => format!("sum of {n} terms with products"),
                    }
                }
                [only] if only.taps > 1 => format!("sum of {}", only.taps),
                [Term { gather: Some(_), .. }] => "gathered function".into(),
                [_] if self.accumulator_bits.is_none() => "table of bytes".into(),
                [_] => "function".into(),
                several => format!("sum of {} tensors", several.len()),
            },
            Op::BatchMatMul { heads, row_factors, .. } => {
                let heads = if *heads == 1 { String::new() } else { format!(" in {heads} heads") };
                let factors = if row_factors.is_some() { ", rows times factors" } else { "" };
                format!("matmul of 2 tensors{heads}{factors}")
            }
            Op::Max { taps, .. } => format!("maximum of {taps}"),
            Op::ArgMax { taps, .. } => format!("index of the largest of {taps}"),
            Op::Constant { .. } => "constant".into(),
        };
        match self.node.op.epilogue() {
            Some(Epilogue::Requantize(_)) => format!("{what}, requantize"),
            Some(Epilogue::Edges(_)) => format!("{what}, step by edges"),
            Some(Epilogue::Accumulator) | None => what,
        }
    }

    /// The column titles of [`Self::cells`].
    pub(super) const TITLES: [&'static str; 7] =
        ["layer", "operation", "shape", "weights", "parameters", "accumulator", "output"];

    /// The layer's line.
    pub(super) fn cells(&self) -> [String; 7] {
        let none = || "-".into();
        let cell = |f: fn(&WeightShape) -> String| self.weights.map_or_else(none, f);
        [
            printable(&self.node.name),
            self.operation(),
            format!("{} -> {}", shape(self.x), shape(self.y)),
            cell(|w| weight_bits_name(&w.alphabet)),
            cell(|w| match biases(w) {
                0 => format!("{}", w.k * w.n),
                n => format!("{} + {n}", w.k * w.n),
            }),
            self.accumulator_bits.map_or_else(none, |bits| format!("{bits} bits")),
            kind_name(self.y.kind),
        ]
    }

    /// One line about the scales, of layers that have any.
    pub(super) fn scales(&self) -> Option<String> {
        let first = self.steps.first()?;
        let scales = || self.steps.iter().map(|s| s.scale);
        let (low, high) = (scales().fold(f32::INFINITY, f32::min), scales().fold(0.0, f32::max));
        let scale = match self.steps.len() {
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
            "output_rows_per_sample": self.y.rows_per_sample,
            "inputs": self.x.features,
            "outputs": self.y.features,
            "output_type": kind_name(self.y.kind),
        });
        match &self.node.op {
            Op::MatMul { gather, groups, .. } => {
                layer["groups"] = json!(groups);
                if let Some(gather) = gather {
                    layer["gather"] = gather_json(gather);
                }
            }
            Op::Combine { terms, .. } => {
                let term = |term: &Term| {
                    json!({
                        "tensor": term.x,
                        "times_tensor": term.with(),
                        "taps": term.taps,
                        "gather": term.gather.as_ref().map(gather_json),
                        "times_gather": term.with_gather().map(gather_json),
                    })
                };
                layer["terms"] = terms.iter().map(term).collect();
            }
            Op::Max { gather, taps, .. } | Op::ArgMax { gather, taps, .. } => {
                layer["taps"] = json!(taps);
                layer["gather"] = gather_json(gather);
            }
            Op::BatchMatMul { a, b, heads, row_factors, .. } => {
                let matrix = |matrix: &CodeMatrix| {
                    json!({
                        "tensor": matrix.x,
                        "zero_code": matrix.zero_code,
                        "gather": matrix.gather.as_ref().map(gather_json),
                    })
                };
                layer["heads"] = json!(heads);
                layer["row_factors"] = json!(row_factors);
                layer["operands"] = [a, b].into_iter().map(matrix).collect();
            }
            Op::Relu { .. } | Op::Constant { .. } => {}
        }
        if let Some(weights) = self.weights {
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
        }
        if let Some(bits) = self.accumulator_bits {
            layer["accumulator_bits"] = json!(bits);
        }
        if !self.steps.is_empty() {
            let steps = self.steps;
            layer["scales"] = steps.iter().map(|s| json!(s.scale)).collect();
            layer["zero_points"] = steps.iter().map(|s| json!(s.zero_point)).collect();
            layer["ranges"] = steps.iter().map(|s| json!([s.qmin, s.qmax])).collect();
            layer["rounding"] = json!("ort-f32-rne");
        }
        layer
    }
}

/// Whether rows and columns move along a common axis, as a window over an image does.
pub(crate) fn is_window(gather: &Gather) -> bool {
    let mut axes = gather.cols.iter().filter(|dim| dim.size > 1).filter_map(|dim| dim.axis);
    axes.any(|axis| gather.rows.iter().any(|row| row.size > 1 && row.axis == Some(axis)))
}

/// The sides of a group's window: the columns' dimensions, of which the first is that of the groups.
fn window(gather: &Gather, groups: usize) -> String {
    let first = gather.cols.first().map(|dim| dim.size / groups.max(1));
    let rest = gather.cols.iter().skip(1).map(|dim| dim.size);
    let sides: Vec<String> =
        first.into_iter().chain(rest).filter(|&size| size != 1).map(|n| n.to_string()).collect();
    sides.join("x")
}

fn gather_json(gather: &Gather) -> Value {
    let dims = |dims: &[GatherDim]| -> Value {
        let dim = |dim: &GatherDim| json!({ "size": dim.size, "axis": dim.axis, "step": dim.step });
        dims.iter().map(dim).collect()
    };
    json!({
        "source_columns": gather.source_cols,
        "source_rows": gather.source_rows,
        "offsets": gather.offsets,
        "rows": dims(&gather.rows),
        "columns": dims(&gather.cols),
        "pad": gather.pad,
    })
}

/// A tensor's features, times the rows of a sample where it has several.
fn shape(tensor: &TensorShape) -> String {
    match tensor.rows_per_sample {
        1 => format!("{}", tensor.features),
        rows => format!("{rows} x {}", tensor.features),
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
