//! Random matmuls of tensors of integers, with factors of rows, and steps of wide sums: proved, verified, and spoiled.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod statements;

use binfer_ml_ops::graph::{
    CodeMatrix, CodeType, Edges, Epilogue, Function, Gather, GatherDim, Graph, InputPort,
    InputTransform, IntegerType, Model, Node, Op, OutputPort, OutputTransform, Requantize,
    RoundingProfile, Step, TensorKind, TensorShape, Term,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

/// A network in the making.
struct Builder {
    rng: StdRng,
    tensors: Vec<TensorShape>,
    nodes: Vec<Node>,
}

impl Builder {
    fn new(seed: u64) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        let mut this = Self { rng, tensors: Vec::new(), nodes: Vec::new() };
        let size = [this.rng.random_range(1..6), this.rng.random_range(1..7)];
        this.tensor(size, TensorKind::Code);
        this
    }

    fn tensor(&mut self, [rows_per_sample, features]: [usize; 2], kind: TensorKind) -> usize {
        self.tensors.push(TensorShape { rows_per_sample, features, kind });
        self.tensors.len() - 1
    }

    fn push(&mut self, op: Op) {
        self.nodes.push(Node { name: "node".into(), op });
    }

    fn size(&self, x: usize) -> [usize; 2] {
        [self.tensors[x].rows_per_sample, self.tensors[x].features]
    }

    /// Integers of the input's codes, of up to 32 bits and of up to 40, and the positive ones of these.
    fn integers(&mut self) {
        let term = |x, function| Term { x, gather: None, taps: 1, function };
        let mut table = |log: u32| {
            let range = -(1i64 << log)..1 << log;
            Function::Table(Box::new(std::array::from_fn(|_| self.rng.random_range(range.clone()))))
        };
        let bits = [9, 17, 24, 32];
        let tables =
            [table(bits[0] - 1), table(bits[1] - 1), table(bits[2] - 1), table(bits[3] - 1)];
        let (which, more) = (self.rng.random_range(0..4), self.rng.random_range(1..9));
        let integers = |bits| TensorKind::Integer { bits };
        let narrow = self.tensor(self.size(0), integers(bits[which]));
        let terms = vec![term(0, tables[which].clone())];
        self.push(Op::Combine { terms, y: narrow, epilogue: Epilogue::Accumulator });
        let wide = self.tensor(self.size(0), integers(bits[which] + more));
        let terms = vec![term(narrow, Function::Times(1 - (1 << more)))];
        self.push(Op::Combine { terms, y: wide, epilogue: Epilogue::Accumulator });
        if self.rng.random() {
            let y = self.tensor(self.size(0), integers(bits[which] + more));
            self.push(Op::Relu { x: wide, y });
        }
    }

    /// A map from any positions of tensor `x` to these dimensions.
    fn anywhere(&mut self, x: usize, rows: &[usize], cols: &[usize], pad: Option<u8>) -> Gather {
        let size = self.size(x);
        let along = |rng: &mut StdRng, &size: &usize| GatherDim {
            size,
            axis: Some(rng.random_range(0..3)).filter(|&axis| axis < 2),
            step: rng.random_range(-1..3),
        };
        let mut dims = |sizes: &[usize]| sizes.iter().map(|n| along(&mut self.rng, n)).collect();
        let (rows, cols) = (dims(rows), dims(cols));
        let [height, width] = size.map(|size| self.rng.random_range(-1..size as i64));
        let (source_cols, source_rows) = (vec![size[1]], vec![size[0]]);
        Gather { source_cols, source_rows, offsets: vec![width, height], rows, cols, pad }
    }

    /// An operand of `rows` rows and columns `cols`, of anything or of integers, and the logarithm of its size.
    fn operand(&mut self, rows: usize, cols: &[usize]) -> (CodeMatrix, u32) {
        let x = self.rng.random_range(0..self.tensors.len());
        let (kind, size) = (self.tensors[x].kind, self.size(x));
        let mut zero_code = self.rng.random();
        let mut pad = self.rng.random::<bool>().then(|| self.rng.random());
        let log = match kind {
            TensorKind::Code => 8,
            TensorKind::Integer { bits } => {
                (zero_code, pad) = (0, None);
                bits - 1
            }
        };
        let all: usize = cols.iter().product();
        let straight = size == [rows, all] && self.rng.random();
        let across = size == [all, rows] && self.rng.random();
        let dim = |size, axis| vec![GatherDim { size, axis: Some(axis), step: 1 }];
        let gather = if across {
            let (source_cols, source_rows, offsets) = (vec![size[1]], vec![size[0]], vec![0, 0]);
            let (rows, cols) = (dim(rows, 0), dim(all, 1));
            Some(Gather { source_cols, source_rows, offsets, rows, cols, pad })
        } else {
            (!straight).then(|| self.anywhere(x, &[rows], cols, pad))
        };
        (CodeMatrix { x, gather, zero_code }, log)
    }

    /// A matmul of two tensors; what it gives may reach `2^log` in size.
    fn attend(&mut self) {
        let [mut rows, features] = self.size(0);
        let rng = &mut self.rng;
        let (mut heads, mut depth) = (rng.random_range(1..4), rng.random_range(1..5));
        let (n, log_factor) = (rng.random_range(1..4), rng.random_range(0..12));
        let has_factors: bool = rng.random();
        match rng.random_range(0..5) {
            0 => (heads, depth) = (1, features),
            1 => (heads, depth) = (features, 1),
            2 => (rows, heads, depth) = (features, 1, rows),
            3 => (rows, heads, depth) = (features, rows, 1),
            _ => rows = rng.random_range(1..6),
        }
        let (a, log_a) = self.operand(rows, &[heads, depth]);
        let (b, log_b) = self.operand(depth, &[heads, n]);
        let largest = 1i64 << log_factor;
        let mut factors = || (0..rows).map(|_| self.rng.random_range(-largest..=largest)).collect();
        let log_factor = if has_factors { log_factor } else { 0 };
        let row_factors = has_factors.then(&mut factors);
        let log = log_a + log_b + log_factor + 3;
        if log > 61 {
            return;
        }
        let size = [rows, heads * n];
        let (kind, epilogue) = if self.rng.random() {
            (TensorKind::Integer { bits: log + 1 }, Epilogue::Accumulator)
        } else {
            (TensorKind::Code, self.epilogue(size[1], log))
        };
        let y = self.tensor(size, kind);
        self.push(Op::BatchMatMul { a, b, heads, row_factors, y, epilogue });
    }

    /// Steps of sums that may reach `2^log`, one or `n` of them.
    fn epilogue(&mut self, n: usize, log: u32) -> Epilogue {
        let rng = &mut self.rng;
        let n = if rng.random() { n } else { 1 };
        if rng.random_range(0..4) == 0 {
            let step = |rng: &mut StdRng| Step {
                scale: (rng.random_range(4.0..9.0) - f32::from(log as u16)).exp2(),
                zero_point: rng.random_range(-128..128),
                qmin: -128 + rng.random_range(0..100),
                qmax: 127 - rng.random_range(0..20),
                type_min: -128,
                profile: RoundingProfile::OrtF32Rne,
            };
            return Epilogue::Requantize(Requantize { steps: (0..n).map(|_| step(rng)).collect() });
        }
        // Edges near each other, and far, some beyond what there is.
        let spread = 1i64 << rng.random_range(1..=log + 1);
        let edges = |rng: &mut StdRng| {
            let first = rng.random_range(0..100u8);
            let count = rng.random_range(0..=usize::from(255 - first));
            let mut edges: Vec<i64> =
                (0..count).map(|_| rng.random_range(-spread..=spread)).collect();
            edges.sort_unstable();
            Edges { first, edges: edges.into() }
        };
        Epilogue::Edges((0..n).map(|_| edges(rng)).collect())
    }

    /// Codes of the last tensor, if it holds integers.
    fn codes(&mut self) {
        let x = self.tensors.len() - 1;
        let TensorKind::Integer { bits } = self.tensors[x].kind else { return };
        let size = self.size(x);
        let factor = if self.rng.random() { 1 } else { -1 };
        let epilogue = self.epilogue(size[1], bits - 1);
        let y = self.tensor(size, TensorKind::Code);
        let terms = vec![Term { x, gather: None, taps: 1, function: Function::Times(factor) }];
        self.push(Op::Combine { terms, y, epilogue });
    }

    fn finish(self) -> Model {
        let output = self.tensors.len() - 1;
        let shape = &self.tensors[output];
        let transform = match shape.kind {
            TensorKind::Code => OutputTransform::Codes { dtype: CodeType::I8 },
            TensorKind::Integer { .. } => OutputTransform::Integer { dtype: IntegerType::I64 },
        };
        let graph = Graph {
            more_inputs: Vec::new(),
            input_names: Vec::new(),
            more_outputs: Vec::new(),
            name: "random".into(),
            weights: Vec::new(),
            nodes: self.nodes,
            input: InputPort {
                tensor: 0,
                shape: vec![self.tensors[0].per_sample()],
                transform: InputTransform::Codes { dtype: CodeType::U8 },
            },
            output: OutputPort { tensor: output, shape: vec![shape.per_sample()], transform },
            tensors: self.tensors,
        };
        graph.validate().unwrap();
        Model { graph, weights: Vec::new() }
    }
}

fn model(seed: u64) -> Model {
    let mut builder = Builder::new(seed);
    builder.integers();
    for _ in 0..builder.rng.random_range(1..4) {
        builder.attend();
        if builder.rng.random() {
            builder.codes();
        }
    }
    builder.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn random_networks_are_proved(seed: u64, batch in 1usize..4, log_group in 0u32..14, at: prop::sample::Index) {
        statements::check(model(seed), batch, seed, log_group, at)?;
    }
}
