//! Random small networks of convolutions, sums, products, maxima and reshapes: proved, verified, and spoiled.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod statements;

use binfer_ml_ops::graph::{
    Alphabet, CodeMatrix, CodeType, Edges, Epilogue, Function, Gather, GatherDim, Graph, InputPort,
    InputTransform, IntegerType, Model, Node, Op, OutputPort, OutputTransform, Requantize,
    RoundingProfile, Step, TensorKind, TensorShape, Term, WeightMatrix, WeightShape,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

/// Channels, height, width: features are channels, rows are pixels.
type Image = [usize; 3];

/// A network in the making.
struct Builder {
    rng: StdRng,
    tensors: Vec<TensorShape>,
    images: Vec<Image>,
    nodes: Vec<Node>,
    weights: Vec<WeightShape>,
    matrices: Vec<WeightMatrix>,
}

fn dim(size: usize, axis: usize, step: i64) -> GatherDim {
    GatherDim { size, axis: Some(axis), step }
}

impl Builder {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let image = [rng.random_range(1..5), rng.random_range(1..7), rng.random_range(1..7)];
        let mut this = Self {
            rng,
            tensors: Vec::new(),
            images: Vec::new(),
            nodes: Vec::new(),
            weights: Vec::new(),
            matrices: Vec::new(),
        };
        this.tensor(image, TensorKind::Code);
        this
    }

    fn tensor(&mut self, image: Image, kind: TensorKind) -> usize {
        let [features, h, w] = image;
        self.tensors.push(TensorShape { rows_per_sample: h * w, features, kind });
        self.images.push(image);
        self.tensors.len() - 1
    }

    fn push(&mut self, op: Op) {
        self.nodes.push(Node { name: "node".into(), op });
    }

    fn last(&self) -> usize {
        self.tensors.len() - 1
    }

    fn is_code(&self) -> bool {
        self.tensors[self.last()].kind == TensorKind::Code
    }

    /// Sums to codes, of `columns` columns and size at most `bound`.
    fn epilogue(&mut self, columns: usize, bound: i64) -> Epilogue {
        let rng = &mut self.rng;
        let n = if rng.random() { columns } else { 1 };
        if rng.random() {
            let step = |rng: &mut StdRng| Step {
                scale: rng.random_range(0.5..3.0) * 255.0 / bound as f32,
                zero_point: rng.random_range(-128..128),
                qmin: -128 + rng.random_range(0..100),
                qmax: 127 - rng.random_range(0..20),
                type_min: -128,
                profile: RoundingProfile::OrtF32Rne,
            };
            return Epilogue::Requantize(Requantize { steps: (0..n).map(|_| step(rng)).collect() });
        }
        let edges = |rng: &mut StdRng| {
            let first = rng.random_range(0..100u8);
            let count = rng.random_range(0..=usize::from(255 - first));
            let mut edges: Vec<i64> =
                (0..count).map(|_| rng.random_range(-bound / 2..=bound / 2)).collect();
            edges.sort_unstable();
            Edges { first, edges: edges.into() }
        };
        Epilogue::Edges((0..n).map(|_| edges(rng)).collect())
    }

    /// A window over one axis: its size, stride, dilation, offset, and outputs.
    fn window(&mut self, length: usize, dilated: bool) -> (usize, usize, usize, i64, usize) {
        loop {
            let rng = &mut self.rng;
            let (size, stride) = (rng.random_range(1..4), rng.random_range(1..4));
            let (dilation, pad) = (rng.random_range(1..=2), rng.random_range(0..size));
            let dilation = if dilated { dilation } else { 1 };
            let end = rng.random_range(0..size);
            let padded = length + pad + end;
            if let Some(room) = padded.checked_sub((size - 1) * dilation + 1) {
                return (size, stride, dilation, -(pad as i64), room / stride + 1);
            }
        }
    }

    /// Windows over pixels: columns are `channels` dimensions, then the window's.
    fn windows(&mut self, channels: GatherDim, pad: Option<u8>) -> (Gather, Image, usize) {
        let [c, h, w] = self.images[self.last()];
        // Without dilation every window has a position inside.
        let dilated = pad != Some(0);
        let (kh, sh, dh, oh, nh) = self.window(h, dilated);
        let (kw, sw, dw, ow, nw) = self.window(w, dilated);
        let gather = Gather {
            source_cols: vec![c],
            source_rows: vec![h, w],
            offsets: vec![0, oh, ow],
            rows: vec![dim(nh, 1, sh as i64), dim(nw, 2, sw as i64)],
            cols: vec![channels, dim(kh, 1, dh as i64), dim(kw, 2, dw as i64)],
            pad,
        };
        (gather, [c, nh, nw], kh * kw)
    }

    fn matrix(&mut self, k: usize, n: usize, bytes: bool) -> usize {
        let rng = &mut self.rng;
        let values = if bytes { 256 } else { [2usize, 3, 16, 256][rng.random_range(0..4)] };
        let codes: Vec<u8> = (0..k * n).map(|_| rng.random_range(0..values) as u8).collect();
        let bias: Vec<i64> = match rng.random() {
            true => (0..n).map(|_| rng.random_range(-5000..5000)).collect(),
            false => Vec::new(),
        };
        let zero = -(values as i32 / 2);
        let offsets: Vec<i32> = match values == 256 && rng.random() {
            true => (0..n).map(|_| zero + rng.random_range(-3..4)).collect(),
            false => vec![zero],
        };
        let (mut shape, mut matrix) = WeightMatrix::from_codes(k, n, &codes, &offsets, &bias);
        if bytes {
            let column = |c: usize| codes.iter().skip(c).step_by(n);
            matrix.index = (0..n).flat_map(column).copied().collect();
            shape.alphabet = Alphabet::Byte { offsets };
        }
        self.weights.push(shape);
        self.matrices.push(matrix);
        self.weights.len() - 1
    }

    /// A convolution, in groups if the weights' alphabet allows it.
    fn convolution(&mut self) {
        let x = self.last();
        let zero_code: u8 = self.rng.random();
        let [channels, ..] = self.images[x];
        let pad = [Some(zero_code), Some(self.rng.random()), None][self.rng.random_range(0..3)];
        let (gather, [_, nh, nw], taps) = self.windows(dim(channels, 0, 1), pad);
        let divisors: Vec<usize> = (1..=channels).filter(|&g| channels.is_multiple_of(g)).collect();
        let groups = divisors[self.rng.random_range(0..divisors.len())];
        let n = groups * self.rng.random_range(1..4);
        let k = channels / groups * taps;
        let weights = self.matrix(k, n, groups > 1);
        let image = [n, nh, nw];
        let bound = (k * 255 * 130 + 10_000) as i64;
        let (kind, epilogue) = match self.rng.random_range(0..3) {
            0 => (TensorKind::Integer { bits: 30 }, Epilogue::Accumulator),
            _ => (TensorKind::Code, self.epilogue(n, bound)),
        };
        let y = self.tensor(image, kind);
        self.push(Op::MatMul { x, gather: Some(gather), zero_code, weights, groups, y, epilogue });
    }

    /// All of a sample as one row, and a matmul.
    fn dense(&mut self) {
        let x = self.last();
        let [c, h, w] = self.images[x];
        let gather = Gather {
            source_cols: vec![c],
            source_rows: vec![h, w],
            offsets: vec![0, 0, 0],
            rows: Vec::new(),
            cols: vec![dim(c, 0, 1), dim(h, 1, 1), dim(w, 2, 1)],
            pad: None,
        };
        let n = self.rng.random_range(1..6);
        let weights = self.matrix(c * h * w, n, false);
        let zero_code = self.rng.random();
        let y = self.tensor([n, 1, 1], TensorKind::Code);
        let epilogue = self.epilogue(n, (c * h * w * 255 * 130 + 10_000) as i64);
        let gather = Some(gather);
        self.push(Op::MatMul { x, gather, zero_code, weights, groups: 1, y, epilogue });
    }

    fn table(&mut self, most: i64) -> Function {
        let rng = &mut self.rng;
        let mut table = Box::new([0; 256]);
        if rng.random() {
            let (step, start) = (rng.random_range(-9..9), rng.random_range(-most / 2..most / 2));
            for (v, image) in table.iter_mut().enumerate() {
                *image = (start + step * v as i64).clamp(-most, most);
            }
        } else {
            table.iter_mut().for_each(|image| *image = rng.random_range(-most..=most));
        }
        Function::Table(table)
    }

    /// What becomes of sums of size at most `bound`: codes, or integers.
    fn sum_to(&mut self, terms: Vec<Term>, image: Image, bound: i64) {
        let codes = self.rng.random_range(0..4) > 0;
        let (kind, epilogue) = if codes {
            (TensorKind::Code, self.epilogue(image[0], bound))
        } else {
            (TensorKind::Integer { bits: 32 }, Epilogue::Accumulator)
        };
        let y = self.tensor(image, kind);
        self.push(Op::Combine { terms, y, epilogue });
    }

    /// An average over windows, of positions outside nothing or a constant.
    fn average(&mut self) {
        let x = self.last();
        let [channels, ..] = self.images[x];
        let pad = if self.rng.random() { None } else { Some(self.rng.random()) };
        let (gather, image, taps) = self.windows(dim(channels, 0, 1), pad);
        let function = self.table(2000);
        let terms = vec![Term { x, gather: Some(gather), taps, function }];
        self.sum_to(terms, image, 2000 * taps as i64);
    }

    /// The sum of the last tensor, of a window around each of its elements, and of an older tensor of its shape.
    fn add(&mut self) {
        let x = self.last();
        let image @ [c, h, w] = self.images[x];
        let mut terms = Vec::new();
        let same =
            |t: &usize| self.images[*t] == image && self.tensors[*t].kind == TensorKind::Code;
        let others: Vec<usize> = (0..x).filter(same).collect();
        terms.push(Term { x, gather: None, taps: 1, function: self.table(1000) });
        if let Some(&other) = others.last() {
            terms.push(Term { x: other, gather: None, taps: 1, function: self.table(1000) });
        }
        let mut bound = 2000;
        if self.rng.random() {
            let (kh, kw) = (self.rng.random_range(1..4), self.rng.random_range(1..3));
            let pad = if self.rng.random() { None } else { Some(self.rng.random()) };
            let gather = Gather {
                source_cols: vec![c],
                source_rows: vec![h, w],
                offsets: vec![0, -1, -1],
                rows: vec![dim(h, 1, 1), dim(w, 2, 1)],
                cols: vec![dim(c, 0, 1), dim(kh, 1, 1), dim(kw, 2, 1)],
                pad,
            };
            let (taps, function) = (kh * kw, self.table(1000));
            terms.push(Term { x, gather: Some(gather), taps, function });
            bound += 1000 * taps as i64;
        }
        self.sum_to(terms, image, bound);
    }

    /// Products of the last tensor and an older one of its shape, or itself, with a window's sum beside them perhaps.
    fn multiply(&mut self) {
        let x = self.last();
        let image @ [c, h, w] = self.images[x];
        let same =
            |t: &usize| self.images[*t] == image && self.tensors[*t].kind == TensorKind::Code;
        let others: Vec<usize> = (0..=x).filter(same).collect();
        let rng = &mut self.rng;
        let mut terms = Vec::new();
        let mut bound = 0;
        for _ in 0..rng.random_range(1..3) {
            let with = others[rng.random_range(0..others.len())];
            let factor = rng.random_range(-9..10);
            let zeros = [rng.random(), rng.random()];
            let function = Function::Product { with, with_gather: None, zeros, factor };
            terms.push(Term { x, gather: None, taps: 1, function });
            bound += 255 * 255 * factor.abs();
        }
        if rng.random() {
            let taps = rng.random_range(1..4);
            let gather = Gather {
                source_cols: vec![c],
                source_rows: vec![h, w],
                offsets: vec![0, 0, 0],
                rows: vec![dim(h, 1, 1), dim(w, 2, 1)],
                cols: vec![dim(c, 0, 1), dim(taps, 2, 1)],
                pad: None,
            };
            let function = self.table(1000);
            terms.push(Term { x, gather: Some(gather), taps, function });
            bound += 1000 * taps as i64;
        }
        self.sum_to(terms, image, bound.max(1));
    }

    /// Sums of products of tensors that are read from anywhere, with one map or two, or one of them straight.
    fn multiply_through_maps(&mut self) {
        let codes: Vec<usize> =
            (0..=self.last()).filter(|&t| self.tensors[t].kind == TensorKind::Code).collect();
        let mut some = || codes[self.rng.random_range(0..codes.len())];
        let (x, with) = (some(), some());
        let mut image @ [c, h, w] = self.images[with];
        let taps = self.rng.random_range(1..4);
        let straight = taps == 1 && self.rng.random();
        if !straight {
            let rng = &mut self.rng;
            image = [rng.random_range(1..4), rng.random_range(1..5), rng.random_range(1..4)];
        }
        let [c, h, w] = if straight { [c, h, w] } else { image };
        let mut terms = Vec::new();
        let mut bound = 0;
        for _ in 0..self.rng.random_range(1..3) {
            let of_x = self.anywhere(x, &[h, w], &[c, taps]);
            let mut of_with = (!straight).then(|| self.anywhere(with, &[h, w], &[c, taps]));
            let rng = &mut self.rng;
            if x == with && rng.random() {
                of_with = Some(Gather { pad: Some(rng.random()), ..of_x.clone() });
            }
            let (factor, zeros) = (rng.random_range(-9..10), [rng.random(), rng.random()]);
            let function = Function::Product { with, with_gather: of_with, zeros, factor };
            terms.push(Term { x, gather: Some(of_x), taps, function });
            bound += 255 * 255 * factor.abs() as i32 * taps as i32;
        }
        self.sum_to(terms, image, i64::from(bound.max(1)));
    }

    /// Sums of products of tensors with numbers for each row, or each column, in one or two digits.
    fn gate(&mut self) {
        let codes: Vec<usize> =
            (0..=self.last()).filter(|&t| self.tensors[t].kind == TensorKind::Code).collect();
        let mut some = || codes[self.rng.random_range(0..codes.len())];
        let (x, gates) = (some(), [some(), some()]);
        let image @ [c, h, w] = self.images[x];
        let taps = self.rng.random_range(1..3);
        let of_rows = self.rng.random();
        let mut terms = Vec::new();
        let mut bound = 0;
        for digit in 0..self.rng.random_range(1..4) {
            let with = gates[digit % 2];
            let gather = (taps > 1).then(|| self.anywhere(x, &[h, w], &[c, taps]));
            let with_gather = Some(self.broadcast(with, image, taps, of_rows));
            let rng = &mut self.rng;
            let factor = [1, 4, -16, 3][rng.random_range(0..4)];
            let zeros = [rng.random(), if rng.random() { 0 } else { rng.random() }];
            let function = Function::Product { with, with_gather, zeros, factor };
            terms.push(Term { x, gather, taps, function });
            bound += 255 * 255 * factor.abs() as i32 * taps as i32;
        }
        if self.rng.random() {
            terms.push(Term { x, gather: None, taps: 1, function: self.table(1000) });
            bound += 1000;
        }
        // Terms that are alike for all columns, for two on end, or for all rows.
        for _ in 0..self.rng.random_range(0..3) {
            let mut gather = self.broadcast(gates[0], image, 1, of_rows);
            if of_rows && c.is_multiple_of(2) && self.images[gates[0]][0] >= c / 2 {
                gather.offsets[0] = 0;
                gather.cols = vec![dim(c / 2, 0, 1), GatherDim { size: 2, axis: None, step: 0 }];
            }
            let (gather, function) = (Some(gather), self.table(1000));
            terms.push(Term { x: gates[0], gather, taps: 1, function });
            bound += 1000;
        }
        self.sum_to(terms, image, i64::from(bound));
    }

    /// A map from tensor `x` that is the same for all columns, or all rows, and reads elements only.
    fn broadcast(&mut self, x: usize, [c, h, w]: Image, taps: usize, of_rows: bool) -> Gather {
        let sizes = self.images[x];
        let rng = &mut self.rng;
        let mut offsets = sizes.map(|size| rng.random_range(0..size as i64));
        let mut along = |size: usize, axis: usize, moves: bool| {
            let room = moves.then(|| sizes[axis].checked_sub(size)).flatten();
            if let Some(room) = room {
                offsets[axis] = rng.random_range(0..=room as i64);
            }
            GatherDim { size, axis: room.map(|_| axis), step: 1 }
        };
        let rows = vec![along(h, 1, of_rows), along(w, 2, of_rows)];
        let cols = vec![along(c, 0, !of_rows), GatherDim { size: taps, axis: None, step: 0 }];
        let [of_c, of_h, of_w] = sizes;
        let (source_cols, source_rows) = (vec![of_c], vec![of_h, of_w]);
        Gather { source_cols, source_rows, offsets: offsets.to_vec(), rows, cols, pad: None }
    }

    /// The same codes in every sample.
    fn constant(&mut self) {
        let image @ [c, h, w] = self.images[self.last()];
        let codes = (0..c * h * w).map(|_| self.rng.random()).collect();
        let y = self.tensor(image, TensorKind::Code);
        self.push(Op::Constant { codes, y });
    }

    /// A map from tensor `x` with these dimensions, in random steps from anywhere.
    fn anywhere(&mut self, x: usize, rows: &[usize], cols: &[usize]) -> Gather {
        let [c, h, w] = self.images[x];
        let rng = &mut self.rng;
        let along = |rng: &mut StdRng, &size: &usize| GatherDim {
            size,
            axis: Some(rng.random_range(0..4)).filter(|&axis| axis < 3),
            step: rng.random_range(-1..3),
        };
        let mut dims = |sizes: &[usize]| sizes.iter().map(|size| along(rng, size)).collect();
        let (rows, cols) = (dims(rows), dims(cols));
        Gather {
            source_cols: vec![c],
            source_rows: vec![h, w],
            offsets: [c, h, w].map(|size| self.rng.random_range(-1..size as i64)).to_vec(),
            rows,
            cols,
            pad: if self.rng.random() { None } else { Some(self.rng.random()) },
        }
    }

    /// A matmul of two tensors in heads, of matrices read from anywhere, or one of them straight.
    fn attend(&mut self) {
        let codes: Vec<usize> =
            (0..=self.last()).filter(|&t| self.tensors[t].kind == TensorKind::Code).collect();
        let [a, b] = [0, 1].map(|_| codes[self.rng.random_range(0..codes.len())]);
        let rng = &mut self.rng;
        let (mut heads, mut k, mut n, mut rows) = (
            rng.random_range(1..4),
            rng.random_range(1..5),
            rng.random_range(1..4),
            rng.random_range(1..7),
        );
        let (mut of_a, mut of_b) = (None, None);
        let straight = rng.random_range(0..3);
        match straight {
            0 => {
                let TensorShape { rows_per_sample, features, .. } = self.tensors[a];
                (heads, k, rows) = if features.is_multiple_of(2) && rng.random() {
                    (2, features / 2, rows_per_sample)
                } else {
                    (1, features, rows_per_sample)
                };
            }
            1 => {
                let TensorShape { rows_per_sample, features, .. } = self.tensors[b];
                (heads, n) = if rng.random() { (features, 1) } else { (1, features) };
                k = rows_per_sample;
            }
            _ => {}
        }
        if straight != 0 {
            of_a = Some(self.anywhere(a, &[rows], &[heads, k]));
        }
        if straight != 1 {
            of_b = Some(self.anywhere(b, &[k], &[heads, n]));
        }
        let matrix = |x, gather, zero_code| CodeMatrix { x, gather, zero_code };
        let (a, b) = (matrix(a, of_a, self.rng.random()), matrix(b, of_b, self.rng.random()));
        let (kind, epilogue) = match self.rng.random_range(0..3) {
            0 => (TensorKind::Integer { bits: 30 }, Epilogue::Accumulator),
            _ => (TensorKind::Code, self.epilogue(heads * n, (k * 255 * 255) as i64)),
        };
        let y = self.tensor([heads * n, rows, 1], kind);
        self.push(Op::BatchMatMul { a, b, heads, row_factors: None, y, epilogue });
    }

    /// The largest of overlapping windows.
    fn max(&mut self) {
        let x = self.last();
        let [channels, ..] = self.images[x];
        let (gather, image, taps) = self.windows(dim(channels, 0, 1), Some(0));
        let y = self.tensor(image, TensorKind::Code);
        self.push(Op::Max { x, gather, taps, y });
    }

    /// A table of codes.
    fn map(&mut self) {
        let x = self.last();
        let rng = &mut self.rng;
        let mut table = Box::new([0; 256]);
        table.iter_mut().for_each(|image| *image = rng.random_range(0..256));
        let y = self.tensor(self.images[x], TensorKind::Code);
        let function = Function::Table(table);
        let terms = vec![Term { x, gather: None, taps: 1, function }];
        self.push(Op::Combine { terms, y, epilogue: Epilogue::Accumulator });
    }

    /// Channels and columns of pixels change places, rows are turned round, and one is left out.
    fn transpose(&mut self) {
        let x = self.last();
        let [c, h, w] = self.images[x];
        let height = (h - 1).max(1);
        let gather = Gather {
            source_cols: vec![c],
            source_rows: vec![h, w],
            offsets: vec![0, height as i64 - 1, 0],
            rows: vec![dim(height, 1, -1), dim(c, 0, 1)],
            cols: vec![dim(w, 2, 1)],
            pad: None,
        };
        let y = self.tensor([w, height, c], TensorKind::Code);
        let function = Function::Table(Box::new(core::array::from_fn(|v| v as i64)));
        let terms = vec![Term { x, gather: Some(gather), taps: 1, function }];
        self.push(Op::Combine { terms, y, epilogue: Epilogue::Accumulator });
    }

    /// Integers, rectified perhaps, to codes, with windows perhaps.
    fn scale(&mut self) {
        if self.rng.random() {
            let x = self.last();
            let y = self.tensor(self.images[x], self.tensors[x].kind);
            self.push(Op::Relu { x, y });
        }
        let x = self.last();
        let image @ [channels, ..] = self.images[x];
        let factor = [1, -1, 3][self.rng.random_range(0..3)];
        let (gather, image, taps) = if self.rng.random() {
            let (gather, image, taps) = self.windows(dim(channels, 0, 1), None);
            (Some(gather), image, taps)
        } else {
            (None, image, 1)
        };
        let function = Function::Times(factor);
        let terms = vec![Term { x, gather, taps, function }];
        let y = self.tensor(image, TensorKind::Integer { bits: 40 });
        self.push(Op::Combine { terms, y, epilogue: Epilogue::Accumulator });
    }

    fn finish(self) -> Model {
        let [c, h, w] = self.images[0];
        let output = self.last();
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
            weights: self.weights,
            nodes: self.nodes,
            input: InputPort {
                tensor: 0,
                shape: vec![c * h * w],
                transform: InputTransform::Codes { dtype: CodeType::U8 },
            },
            output: OutputPort { tensor: output, shape: vec![shape.per_sample()], transform },
            tensors: self.tensors,
        };
        graph.validate().unwrap();
        Model { graph, weights: self.matrices }
    }
}

fn model(seed: u64) -> Model {
    let mut builder = Builder::new(seed);
    for _ in 0..builder.rng.random_range(1..5) {
        if !builder.is_code() {
            builder.scale();
            break;
        }
        match builder.rng.random_range(0..18) {
            0 | 1 => builder.convolution(),
            2 => builder.dense(),
            3 => builder.average(),
            4 => builder.add(),
            5 => builder.max(),
            6 => builder.map(),
            7 | 10 => builder.multiply(),
            8 | 9 => builder.attend(),
            11 | 12 => builder.multiply_through_maps(),
            13 => builder.constant(),
            15..18 => builder.gate(),
            _ => builder.transpose(),
        }
    }
    builder.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn random_networks_are_proved(seed: u64, batch in 1usize..4, log_group in 0u32..14, at: prop::sample::Index) {
        statements::check(model(seed), batch, seed, log_group, at)?;
    }
}
