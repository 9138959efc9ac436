//! Exact native inference, the yardstick of a prover's cost.
//!
//! Matmuls of 8-bit codes by 8-bit weights run on rten's int8 kernels where these are exact (not with
//! AVX2's saturating products); all others are plain loops in 32 or 64 bits.

use std::time::{Duration, Instant};

use binfer_ml_ops::graph::{
    Epilogue, Model, Op, Requantize, TensorKind, Values, WeightMatrix, WeightShape,
};
use rten_gemm::{
    BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix, QuantParams,
};
use rten_tensor::NdTensorView;

/// A tensor in row-major order.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// Codes.
    Codes(Vec<u8>),
    /// Integers of 32 bits.
    I32(Vec<i32>),
    /// Integers of 64 bits.
    I64(Vec<i64>),
}

/// A model in the layout that kernels take.
pub(crate) struct Native<'a> {
    executor: GemmExecutor<u8, i8, i32>,
    layers: Vec<Layer<'a>>,
    /// The node that gives the output, none if it is the input.
    last: Option<usize>,
    /// Of each node, the one whose output it reads.
    reads: Vec<Option<usize>>,
}

enum Layer<'a> {
    MatMul { zero_code: u8, k: usize, n: usize, weights: Weights, epilogue: &'a Epilogue },
    Relu,
    Map(&'a [u8; 256]),
}

enum Weights {
    /// In the layout of rten's kernels.
    Int8 { packed: PackedBMatrix<i8>, bias: Vec<i32> },
    /// Accumulators fit 32 bits.
    I32 { plain: Vec<i32>, bias: Vec<i32> },
    /// They may not.
    I64 { plain: Vec<i64>, bias: Vec<i64> },
}

impl<'a> Native<'a> {
    /// Lays out `model`.
    pub(crate) fn new(model: &'a Model) -> Self {
        let graph = &model.graph;
        let executor = GemmExecutor::<u8, i8, i32>::new();
        let mut written = vec![None; graph.tensors.len()];
        let (mut layers, mut reads) = (Vec::new(), Vec::new());
        for (index, node) in graph.nodes.iter().enumerate() {
            reads.push(written[node.op.input()]);
            written[node.op.output()] = Some(index);
            layers.push(match &node.op {
                Op::MatMul { x, zero_code, weights, epilogue, .. } => {
                    let shape = &graph.weights[*weights];
                    let small = graph.accumulator_bound(index) <= i128::from(i32::MAX);
                    let codes = graph.tensors[*x].kind == TensorKind::Code;
                    Layer::MatMul {
                        zero_code: *zero_code,
                        k: shape.k,
                        n: shape.n,
                        weights: lay_out(
                            &executor,
                            shape,
                            &model.weights[*weights],
                            small && codes,
                        ),
                        epilogue,
                    }
                }
                Op::Relu { .. } => Layer::Relu,
                Op::Map { table, .. } => Layer::Map(table),
            });
        }
        Self { executor, layers, last: written[graph.output.tensor], reads }
    }

    /// The name of the int8 kernel that this processor has.
    pub(crate) fn kernel(&self) -> &str {
        if self.executor.may_saturate() { "plain loops" } else { self.executor.kernel_name() }
    }

    /// The output of `rows` rows of input codes.
    pub(crate) fn run(&self, input: &Rows, rows: usize) -> Rows {
        let mut outputs: Vec<Rows> = Vec::with_capacity(self.layers.len());
        for (layer, &read) in self.layers.iter().zip(&self.reads) {
            let x = read.map_or(input, |index| &outputs[index]);
            outputs.push(self.layer(layer, x, rows));
        }
        self.last.map_or_else(|| input.clone(), |index| outputs.swap_remove(index))
    }

    fn layer(&self, layer: &Layer<'_>, x: &Rows, rows: usize) -> Rows {
        match layer {
            Layer::Relu => match x {
                Rows::I32(v) => Rows::I32(v.iter().map(|&v| v.max(0)).collect()),
                Rows::I64(v) => Rows::I64(v.iter().map(|&v| v.max(0)).collect()),
                Rows::Codes(v) => Rows::Codes(v.clone()),
            },
            Layer::Map(table) => match x {
                Rows::Codes(v) => Rows::Codes(v.iter().map(|&v| table[usize::from(v)]).collect()),
                other => other.clone(),
            },
            Layer::MatMul { zero_code, k, n, weights, epilogue } => {
                let zero = *zero_code;
                let y = match weights {
                    Weights::Int8 { packed, bias } => {
                        let Rows::Codes(x) = x else {
                            return x.clone();
                        };
                        Rows::I32(self.int8(x, zero, (rows, *k, *n), packed, bias))
                    }
                    Weights::I32 { plain, bias } => {
                        let x = widen(x, i32::from(zero), |v| v as i32);
                        Rows::I32(multiply(&x, plain, bias, *k, *n))
                    }
                    Weights::I64 { plain, bias } => {
                        let x = widen(x, i64::from(zero), |v| v);
                        Rows::I64(multiply(&x, plain, bias, *k, *n))
                    }
                };
                match epilogue {
                    Epilogue::Accumulator => y,
                    Epilogue::Requantize(requantize) => Rows::Codes(match y {
                        Rows::I32(acc) => codes(requantize, acc.into_iter().map(i64::from), *n),
                        Rows::I64(acc) => codes(requantize, acc.into_iter(), *n),
                        Rows::Codes(codes) => codes,
                    }),
                }
            }
        }
    }

    fn int8(
        &self,
        x: &[u8],
        zero_code: u8,
        (rows, k, n): (usize, usize, usize),
        packed: &PackedBMatrix<i8>,
        bias: &[i32],
    ) -> Vec<i32> {
        let mut y = vec![0; rows * n];
        let zeros = vec![zero_code; rows];
        let a = GemmInputA::Unpacked(NdTensorView::from_data([rows, k], x));
        let options = GemmOptions {
            bias: (!bias.is_empty()).then_some(BiasVector::Row(bias)),
            a_quant: Some(QuantParams { zero_point: &zeros }),
            ..GemmOptions::default()
        };
        // The shapes agree by construction; a wrong result is found by comparison.
        let _ = self.executor.gemm(&mut y, a, GemmInputB::Packed(packed), options);
        y
    }
}

fn lay_out(
    executor: &GemmExecutor<u8, i8, i32>,
    shape: &WeightShape,
    matrix: &WeightMatrix,
    small: bool,
) -> Weights {
    let (k, n, per_byte) = (shape.k, shape.n, shape.alphabet.per_byte());
    let weight = |row: usize, column: usize| {
        let byte = matrix.index[column / per_byte * k + row];
        shape.alphabet.decode(byte, column % per_byte, column)
    };
    let plain: Vec<i32> =
        (0..k).flat_map(|row| (0..n).map(move |column| weight(row, column))).collect();
    if !small {
        return Weights::I64 {
            plain: plain.into_iter().map(i64::from).collect(),
            bias: matrix.bias.clone(),
        };
    }
    let bias = matrix.bias.iter().map(|&b| b as i32).collect();
    let narrow: Result<Vec<i8>, _> = plain.iter().map(|&w| i8::try_from(w)).collect();
    match narrow {
        Ok(plain) if !executor.may_saturate() => Weights::Int8 {
            packed: executor.prepack_b(NdTensorView::from_data([k, n], &plain[..])),
            bias,
        },
        _ => Weights::I32 { plain, bias },
    }
}

fn widen<T: From<i32> + Copy + std::ops::Sub<Output = T>>(
    x: &Rows,
    zero: T,
    narrow: fn(i64) -> T,
) -> Vec<T> {
    match x {
        Rows::Codes(v) => v.iter().map(|&v| T::from(i32::from(v)) - zero).collect(),
        Rows::I32(v) => v.iter().map(|&v| T::from(v)).collect(),
        Rows::I64(v) => v.iter().map(|&v| narrow(v)).collect(),
    }
}

/// `x` times the `k x n` matrix `weights`, plus `bias`.
fn multiply<T: Copy + Default + std::ops::AddAssign + std::ops::Mul<Output = T>>(
    x: &[T],
    weights: &[T],
    bias: &[T],
    k: usize,
    n: usize,
) -> Vec<T> {
    let mut y = Vec::with_capacity(x.len() / k * n);
    for row in x.chunks_exact(k) {
        let start = y.len();
        if bias.is_empty() {
            y.resize(start + n, T::default());
        } else {
            y.extend_from_slice(bias);
        }
        for (&x, weights) in row.iter().zip(weights.chunks_exact(n)) {
            for (y, &w) in y[start..].iter_mut().zip(weights) {
                *y += x * w;
            }
        }
    }
    y
}

fn codes(requantize: &Requantize, acc: impl Iterator<Item = i64>, n: usize) -> Vec<u8> {
    acc.enumerate().map(|(at, acc)| requantize.step(at % n).code(acc)).collect()
}

impl Rows {
    /// The row-major tensor of feature-major codes.
    pub(crate) fn from_codes(values: &Values, rows: usize) -> Self {
        let codes = values.as_codes().unwrap_or_default();
        Self::Codes(transposed(codes, rows).collect())
    }

    /// Whether this is the feature-major tensor `values` of `rows` rows.
    pub(crate) fn agrees(&self, values: &Values, rows: usize) -> bool {
        match values {
            Values::Codes(v) => transposed(v, rows).map(i64::from).eq(self.integers()),
            Values::Integers(v) => transposed(v, rows).eq(self.integers()),
        }
    }

    fn integers(&self) -> Box<dyn Iterator<Item = i64> + '_> {
        match self {
            Self::Codes(v) => Box::new(v.iter().map(|&v| i64::from(v))),
            Self::I32(v) => Box::new(v.iter().map(|&v| i64::from(v))),
            Self::I64(v) => Box::new(v.iter().copied()),
        }
    }
}

/// Feature-major values in row-major order.
fn transposed<T: Copy>(values: &[T], rows: usize) -> impl Iterator<Item = T> + '_ {
    let features = values.len() / rows.max(1);
    (0..rows).flat_map(move |row| (0..features).map(move |f| values[f * rows + row]))
}

/// The time of native inference: the smaller of those on one thread and on all, since small matmuls
/// lose more by threads than they gain.
pub(crate) fn time_inference(
    native: &Native<'_>,
    input: &Rows,
    rows: usize,
) -> Result<Duration, rayon::ThreadPoolBuildError> {
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let on_all = time(|| native.run(input, rows));
    Ok(on_all.min(single.install(|| time(|| native.run(input, rows)))))
}

/// The median time of `f`, over at least 5 calls and about 50 ms of them.
fn time<T>(mut f: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < 5 || start.elapsed() < Duration::from_millis(50) {
        let start = Instant::now();
        std::hint::black_box(f());
        times.push(start.elapsed());
    }
    median(times)
}

/// The middle of some times. Precondition: there are any.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
