//! The graph under construction: tensors, nodes, and the maps between them.

use crate::graph::{
    CodeMatrix, Edges, Epilogue, Function, Gather, GatherDim, Node, Op, TensorId, TensorKind,
    TensorShape, Term, WeightMatrix, WeightShape, signed_bits,
};

/// The graph under construction.
#[derive(Clone, Default)]
pub(super) struct Builder {
    pub(super) tensors: Vec<TensorShape>,
    pub(super) weights: Vec<WeightShape>,
    pub(super) matrices: Vec<WeightMatrix>,
    pub(super) nodes: Vec<Node>,
}

/// What sums become.
pub(super) enum To {
    /// Codes, by one step for all columns.
    Codes(Edges),
    /// Codes, by a step for each column.
    Columns(Vec<Edges>),
    /// Integers of a width.
    Integers(u32),
    /// They are codes.
    Same,
}

impl Builder {
    pub(super) fn tensor(&mut self, rows: usize, features: usize, kind: TensorKind) -> TensorId {
        self.tensors.push(TensorShape { rows_per_sample: rows, features, kind });
        self.tensors.len() - 1
    }

    fn output(&mut self, rows: usize, features: usize, to: To) -> (TensorId, Epilogue) {
        let (kind, epilogue) = match to {
            To::Codes(edges) => (TensorKind::Code, Epilogue::Edges(vec![edges])),
            To::Columns(edges) => (TensorKind::Code, Epilogue::Edges(edges)),
            To::Integers(bits) => (TensorKind::Integer { bits }, Epilogue::Accumulator),
            To::Same => (TensorKind::Code, Epilogue::Accumulator),
        };
        (self.tensor(rows, features, kind), epilogue)
    }

    fn push(&mut self, name: String, op: Op) {
        self.nodes.push(Node { name, op });
    }

    /// Public codes, by features.
    pub(super) fn constant(&mut self, name: &str, rows: usize, codes: Vec<u8>) -> TensorId {
        let y = self.tensor(rows, codes.len() / rows, TensorKind::Code);
        self.push(name.to_owned(), Op::Constant { codes, y });
        y
    }

    /// A matrix times weights.
    pub(super) fn matmul(
        &mut self,
        name: String,
        x: &CodeMatrix,
        rows: usize,
        (shape, matrix): (WeightShape, WeightMatrix),
        to: To,
    ) -> TensorId {
        let (y, epilogue) = self.output(rows, shape.n, to);
        self.weights.push(shape);
        self.matrices.push(matrix);
        let op = Op::MatMul {
            x: x.x,
            gather: x.gather.clone(),
            zero_code: x.zero_code,
            weights: self.weights.len() - 1,
            groups: 1,
            y,
            epilogue,
        };
        self.push(name, op);
        y
    }

    /// A sum of terms.
    pub(super) fn sum(
        &mut self,
        name: String,
        (rows, features): (usize, usize),
        terms: Vec<Term>,
        to: To,
    ) -> TensorId {
        let (y, epilogue) = self.output(rows, features, to);
        self.push(name, Op::Combine { terms, y, epilogue });
        y
    }

    /// The largest of `taps` codes.
    pub(super) fn max(
        &mut self,
        name: String,
        (rows, features): (usize, usize),
        x: TensorId,
        gather: Gather,
        taps: usize,
    ) -> TensorId {
        let y = self.tensor(rows, features, TensorKind::Code);
        self.push(name, Op::Max { x, gather, taps, y });
        y
    }

    /// Of each row of a tensor, the number of the first of the largest.
    pub(super) fn argmax(&mut self, name: String, x: TensorId) -> TensorId {
        let TensorShape { rows_per_sample: rows, features: taps, .. } = self.tensors[x];
        let bits = signed_bits(taps as i64 - 1);
        let y = self.tensor(rows, 1, TensorKind::Integer { bits });
        let gather = gather((&[taps], &[rows]), &[0, 0], &[along(1, rows)], &[along(0, taps)]);
        self.push(name, Op::ArgMax { x, gather, taps, last: false, y });
        y
    }

    /// A matmul of two tensors.
    pub(super) fn batch_matmul(
        &mut self,
        name: String,
        (rows, features): (usize, usize),
        [a, b]: [CodeMatrix; 2],
        heads: usize,
        row_factors: Option<Vec<i64>>,
        to: To,
    ) -> TensorId {
        let (y, epilogue) = self.output(rows, features, to);
        self.push(name, Op::BatchMatMul { a, b, heads, row_factors, y, epilogue });
        y
    }
}

/// A map from a tensor whose features and rows are numbered by axes: features' axes first.
pub(super) fn gather(
    (cols, rows): (&[usize], &[usize]),
    offsets: &[i64],
    to_rows: &[GatherDim],
    to_cols: &[GatherDim],
) -> Gather {
    Gather {
        source_cols: cols.to_vec(),
        source_rows: rows.to_vec(),
        offsets: offsets.to_vec(),
        rows: to_rows.to_vec(),
        cols: to_cols.to_vec(),
        pad: None,
    }
}

/// A dimension that moves along an axis.
pub(super) fn along(axis: usize, size: usize) -> GatherDim {
    GatherDim { size, axis: Some(axis), step: 1 }
}

/// A dimension that repeats.
pub(super) fn repeated(size: usize) -> GatherDim {
    GatherDim { size, axis: None, step: 0 }
}

/// A tensor read straight.
pub(super) fn straight(x: TensorId, zero_code: u8) -> CodeMatrix {
    CodeMatrix { x, gather: None, zero_code }
}

/// A tensor read through a map.
pub(super) fn through(x: TensorId, gather: Gather, zero_code: u8) -> CodeMatrix {
    CodeMatrix { x, gather: Some(gather), zero_code }
}

/// A summand read straight.
pub(super) fn term(x: TensorId, function: Function) -> Term {
    Term { x, gather: None, taps: 1, function }
}

/// A summand read through a map.
pub(super) fn mapped(x: TensorId, gather: Gather, taps: usize, function: Function) -> Term {
    Term { x, gather: Some(gather), taps, function }
}

/// The step to codes of which 128 stands for 0 and each next for `unit` more.
pub(super) fn linear(unit: f64) -> Edges {
    Edges::rising(0, 255, |code| (f64::from(code) - 128.5) * unit)
}
