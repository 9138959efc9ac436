//! The networks and inputs of the benchmarks, drawn from a fixed seed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{
    Batch, CodeType, Epilogue, Graph, GraphError, InputPort, InputTransform, IntegerType,
    MAX_ELEMENTS, Model, Node, Op, OutputPort, OutputTransform, Requantize, RoundingProfile, Step,
    TensorKind, TensorShape, WeightMatrix, WeightShape,
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use thiserror::Error;

use super::{Accuracy, TestSet};
use crate::failure::Failure;
use crate::files;
use crate::inputs::Inputs;

/// What is proved.
#[derive(Clone, Debug, PartialEq, clap::Subcommand)]
pub enum Task {
    /// [1 x 256] by [256 x 256] in int8; accumulators are the output, here and in all tasks
    #[command(name = "t1-0")]
    T1Zero,
    /// [1 x 768] by [768 x 768] in int8
    #[command(name = "t1-a")]
    T1A,
    /// [4 x 768] by [768 x 768] in int8
    #[command(name = "t1-b")]
    T1B,
    /// [16 x 768] by [768 x 768] in int8
    #[command(name = "t1-c")]
    T1C,
    /// [64 x 768] by [768 x 768] in int8
    #[command(name = "t1-d")]
    T1D,
    /// 200 -> 256 -> 128 -> 64 -> 1 with Relu between, exact integers
    T2,
    /// T2, a batch of 8
    T3,
    /// One matmul of a shape and a width of weights
    Matmul {
        /// Rows of the input, its columns, columns of the output
        #[arg(long, value_name = "MxKxN")]
        shape: Shape,
        /// Bits of a weight
        #[arg(long, default_value = "8", value_parser = weight_bits())]
        weight_bits: u32,
        /// Requantize the accumulators to int8
        #[arg(long)]
        requantize: bool,
    },
    /// The network of a file
    Model {
        /// The model
        file: PathBuf,
        /// A batch of inputs; each of several, in their order or as NAME=FILE
        #[arg(long, value_name = "X.npy", required = true)]
        input: Vec<PathBuf>,
        /// A test set
        #[command(flatten)]
        test: TestSet,
    },
}

/// The widths that bytes are filled with.
fn weight_bits() -> impl TypedValueParser<Value = u32> {
    PossibleValuesParser::new(["8", "4", "2", "1"]).try_map(|bits| bits.parse())
}

/// `M x K x N`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Rows of the input.
    pub m: usize,
    /// Columns of the input.
    pub k: usize,
    /// Columns of the output.
    pub n: usize,
}

/// A string is no shape.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error(
    "three positive numbers are expected, as in 64x768x768, any two with a product of at most 2^28"
)]
pub struct ShapeError;

impl FromStr for Shape {
    type Err = ShapeError;

    fn from_str(text: &str) -> Result<Self, ShapeError> {
        let numbers: Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[m, k, n]) => {
                let sizes =
                    [m, k, n, m.saturating_mul(k), k.saturating_mul(n), m.saturating_mul(n)];
                let valid = sizes.iter().all(|d| (1..=MAX_ELEMENTS).contains(d));
                valid.then_some(Self { m, k, n }).ok_or(ShapeError)
            }
            _ => Err(ShapeError),
        }
    }
}

/// A model and an input.
pub(crate) struct Workload {
    /// The task's name.
    pub(crate) name: String,
    /// The model.
    pub(crate) model: Model,
    /// A batch of inputs, as many arrays as the model has inputs.
    pub(crate) inputs: Vec<Array>,
    /// Its size.
    pub(crate) batch: usize,
}

impl Task {
    /// `[m x k]` by `[k x n]` in int8.
    pub const fn matmul(m: usize, k: usize, n: usize) -> Self {
        Self::Matmul { shape: Shape { m, k, n }, weight_bits: 8, requantize: false }
    }

    /// The name, the same for the same task.
    pub fn name(&self) -> String {
        match self {
            Self::T1Zero => "t1-0".into(),
            Self::T1A => "t1-a".into(),
            Self::T1B => "t1-b".into(),
            Self::T1C => "t1-c".into(),
            Self::T1D => "t1-d".into(),
            Self::T2 => "t2".into(),
            Self::T3 => "t3".into(),
            Self::Matmul { shape: Shape { m, k, n }, weight_bits, requantize } => {
                let requantized = if *requantize { " requantized" } else { "" };
                format!("matmul {m}x{k}x{n} w{weight_bits}{requantized}")
            }
            Self::Model { file, .. } => format!("{MODEL}{}", stem(file)),
        }
    }

    /// A shorter name for a table or a plot, in which int8 goes without saying.
    pub fn label(&self) -> String {
        match self {
            Self::Matmul { shape: Shape { m, k, n }, weight_bits, requantize } => {
                let bits =
                    if *weight_bits == 8 { String::new() } else { format!(" w{weight_bits}") };
                let requantized = if *requantize { ", requantized" } else { "" };
                format!("{m}x{k}x{n}{bits}{requantized}")
            }
            Self::Model { file, .. } => stem(file),
            named => named.name(),
        }
    }

    /// The arguments of `binfer bench` that name this task.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        match self {
            Self::Matmul { shape: Shape { m, k, n }, weight_bits, requantize } => {
                let shape = format!("--shape={m}x{k}x{n}");
                let bits = format!("--weight-bits={weight_bits}");
                let mut arguments = vec!["matmul".into(), shape.into(), bits.into()];
                if *requantize {
                    arguments.push("--requantize".into());
                }
                arguments
            }
            Self::Model { file, input, test } => {
                let option = |(name, file): (&str, &Path)| {
                    let mut option = OsString::from(format!("{name}="));
                    option.push(file);
                    option
                };
                let inputs = input.iter().map(|path| ("--input", path.as_path()));
                let options = inputs.chain(test.options()).map(option);
                let ends = ["model".into()].into_iter().chain(options);
                ends.chain(["--".into(), file.into()]).collect()
            }
            named => vec![named.name().into()],
        }
    }

    /// The file of a network whose measurement has this name, if it has one; where it is, is not known.
    pub(crate) fn model_named(name: &str) -> Option<Self> {
        let file = name.strip_prefix(MODEL)?.into();
        Some(Self::Model { file, input: Vec::new(), test: TestSet::default() })
    }

    /// What a network of a file makes of its test set, if there is one.
    ///
    /// # Errors
    /// [`Failure`] as of [`TestSet::accuracy`].
    pub(super) fn accuracy(&self, model: &Model) -> Result<Option<Accuracy>, Failure> {
        match self {
            Self::Model { test, .. } => test.accuracy(model),
            _ => Ok(None),
        }
    }

    /// The workload: of a file, or signed full-range weights and inputs, the same on every call.
    ///
    /// # Errors
    /// [`Failure`] where a file cannot be read, is malformed, or does not fit the other.
    pub(crate) fn workload(&self) -> Result<Workload, Failure> {
        const MLP: [usize; 5] = [200, 256, 128, 64, 1];
        let (batch, widths, weight_bits, requantize): (_, &[usize], _, _) = match self {
            Self::T1Zero => (1, &[256, 256], 8, false),
            Self::T1A => (1, &[768, 768], 8, false),
            Self::T1B => (4, &[768, 768], 8, false),
            Self::T1C => (16, &[768, 768], 8, false),
            Self::T1D => (64, &[768, 768], 8, false),
            Self::T2 => (1, &MLP, 8, false),
            Self::T3 => (8, &MLP, 8, false),
            Self::Matmul { shape: Shape { m, k, n }, weight_bits, requantize } => {
                (*m, &[*k, *n], *weight_bits, *requantize)
            }
            Self::Model { file, input, .. } => {
                let model = files::read_model(file)?;
                let inputs = Inputs::read(&model.graph, input)?;
                let encoded = model.graph.encode(&inputs.arrays);
                let (_, Batch { size, .. }) = encoded.map_err(|e| inputs.failure(e))?;
                let inputs = inputs.arrays;
                return Ok(Workload { name: self.name(), model, inputs, batch: size });
            }
        };
        let mut rng = StdRng::seed_from_u64(1);
        let mut model = perceptron(&mut rng, &self.name(), widths, weight_bits)?;
        if requantize {
            requantized(&mut model, weight_bits)?;
        }
        let features = widths[0];
        let mut input = vec![0i8; batch * features];
        rng.fill(&mut input[..]);
        let input = Array::new(vec![batch, features], ArrayData::I8(input));
        // The length is the product.
        let input = input.unwrap_or_else(|e| unreachable!("{e}"));
        Ok(Workload { name: self.name(), model, inputs: vec![input], batch })
    }
}

/// What the names of measurements of files begin with.
const MODEL: &str = "model ";

/// A file's name without its ending.
fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Matmuls with Relu between them, on exact integers: every tensor is as wide as the bound on its
/// accumulators asks for, up to 63 bits.
fn perceptron(
    rng: &mut StdRng,
    name: &str,
    widths: &[usize],
    weight_bits: u32,
) -> Result<Model, GraphError> {
    let tensor = |features, kind| TensorShape { rows_per_sample: 1, features, kind };
    let widest = TensorKind::Integer { bits: 63 };
    let mut graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: name.into(),
        tensors: vec![tensor(widths[0], TensorKind::Code)],
        weights: Vec::new(),
        nodes: Vec::new(),
        input: InputPort {
            tensor: 0,
            shape: vec![widths[0]],
            transform: InputTransform::Codes { dtype: CodeType::I8 },
        },
        output: OutputPort {
            tensor: 0,
            shape: Vec::new(),
            transform: OutputTransform::Integer { dtype: IntegerType::I64 },
        },
    };
    let mut matrices = Vec::new();
    for (layer, pair) in widths.windows(2).enumerate() {
        let (k, n) = (pair[0], pair[1]);
        let last = layer + 2 == widths.len();
        let (shape, matrix) = weights(rng, k, n, weight_bits);
        graph.weights.push(shape);
        matrices.push(matrix);
        let (x, y) = (graph.tensors.len() - 1, graph.tensors.len());
        graph.tensors.push(tensor(n, widest));
        graph.nodes.push(Node {
            name: format!("matmul {layer}"),
            op: Op::MatMul {
                x,
                gather: None,
                // Code 128 is the signed 0.
                zero_code: if layer == 0 { 128 } else { 0 },
                weights: layer,
                groups: 1,
                y,
                epilogue: Epilogue::Accumulator,
            },
        });
        graph.output.tensor = y;
        graph.output.shape = vec![n];
        graph.validate()?;
        let bound = graph.accumulator_bound(graph.nodes.len() - 1);
        let bits = (129 - bound.leading_zeros()).min(63);
        graph.tensors[y].kind = TensorKind::Integer { bits };
        if last {
            let dtype = if bits <= 32 { IntegerType::I32 } else { IntegerType::I64 };
            graph.output.transform = OutputTransform::Integer { dtype };
        } else {
            graph.tensors.push(graph.tensors[y]);
            graph
                .nodes
                .push(Node { name: format!("relu {layer}"), op: Op::Relu { x: y, y: y + 1 } });
        }
    }
    let model = Model { graph, weights: matrices };
    model.validate()?;
    Ok(model)
}

/// Requantizes the last accumulators to int8, at a scale at which few of them saturate.
fn requantized(model: &mut Model, weight_bits: u32) -> Result<(), GraphError> {
    let graph = &mut model.graph;
    let k = graph.weights[graph.weights.len() - 1].k as f32;
    // Standard deviations of a uniform int8 input and of a uniform weight.
    let input = 74.0;
    let weight = if weight_bits == 1 { 1.0 } else { 2f32.powi(weight_bits as i32) / 12f32.sqrt() };
    let step = Step {
        scale: 40.0 / (input * weight * k.sqrt()),
        zero_point: 0,
        qmin: -128,
        qmax: 127,
        type_min: -128,
        profile: RoundingProfile::OrtF32Rne,
    };
    if let Some(Node { op: Op::MatMul { epilogue, .. }, .. }) = graph.nodes.last_mut() {
        *epilogue = Epilogue::Requantize(Requantize { steps: vec![step] });
    }
    graph.tensors[graph.output.tensor].kind = TensorKind::Code;
    graph.output.transform = OutputTransform::Codes { dtype: CodeType::I8 };
    model.validate()
}

/// Weights drawn from `2^bits` values around 0; of one bit, from -1 and 1.
fn weights(rng: &mut StdRng, k: usize, n: usize, bits: u32) -> (WeightShape, WeightMatrix) {
    let mask = (1u16 << bits) - 1;
    let mut codes = vec![0u8; k * n];
    rng.fill(&mut codes[..]);
    let (factor, offset) = match bits {
        1 => (2, -1),
        bits => (1, -(1i32 << (bits - 1))),
    };
    for code in &mut codes {
        *code = (*code & mask as u8) * factor;
    }
    WeightMatrix::from_codes(k, n, &codes, &[offset], &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use binfer_ml_ops::run;
    use clap::{Parser, Subcommand};

    #[derive(Parser)]
    struct Line<T: Subcommand> {
        #[command(subcommand)]
        task: T,
    }

    #[test]
    fn arguments_are_parsed_to_the_same_task() {
        let shape = Shape { m: 1, k: 20, n: 3 };
        let narrow = Task::Matmul { shape, weight_bits: 2, requantize: true };
        let input = vec!["--x.npy".into(), "m=y.npy".into()];
        let test = TestSet { test: vec!["--t.npy".into(), "m=u.npy".into()], ..TestSet::default() };
        let file = Task::Model { file: "--b.onnx".into(), input, test };
        for task in [Task::T1Zero, Task::T1D, Task::T3, Task::matmul(4, 5, 6), narrow, file] {
            let words = std::iter::once(OsString::from("bench")).chain(task.arguments());
            assert_eq!(Line::<Task>::parse_from(words).task, task);
        }
    }

    #[test]
    fn few_requantized_outputs_saturate() {
        for weight_bits in [8, 4, 2, 1] {
            let shape = Shape { m: 4, k: 300, n: 100 };
            let task = Task::Matmul { shape, weight_bits, requantize: true };
            let workload = task.workload().unwrap();
            let output = run(&workload.model, &workload.inputs).unwrap();
            let ArrayData::I8(codes) = output.data() else { panic!("int8 outputs") };
            let saturated = codes.iter().filter(|&&q| q == -128 || q == 127).count();
            let distinct = codes.iter().collect::<std::collections::HashSet<_>>().len();
            assert!(saturated <= 8 && distinct > 80, "{saturated} of {distinct}");
        }
    }

    #[test]
    fn shapes_are_parsed() {
        let shape = Shape { m: 1, k: 20, n: 3 };
        assert_eq!("1x20x3".parse(), Ok(shape));
        for wrong in ["", "1x2", "1x2x3x4", "0x1x1", "ax1x1", "1x1x99999999999", "1x16385x16385"] {
            assert_eq!(wrong.parse::<Shape>(), Err(ShapeError), "{wrong}");
        }
    }

    #[test]
    fn weights_have_their_width() {
        for (bits, per_byte) in [(8, 1), (4, 2), (2, 4), (1, 8)] {
            let mut rng = StdRng::seed_from_u64(1);
            let (shape, _) = weights(&mut rng, 32, 32, bits);
            assert_eq!(shape.alphabet.per_byte(), per_byte);
        }
    }
}
