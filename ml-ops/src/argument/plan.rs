//! The plan of a proof: every matrix, view and relation that a graph and a batch size ask for.
//!
//! Prover and verifier derive it from public data alone, so it is part of no message.

use binfer_iop::indexed::onehot::View;
use binfer_iop::multilinear::log2_ceil;

use super::requantize::Thresholds;
use crate::graph::{Epilogue, Graph, Op, TensorId, TensorKind, WeightId};

/// Where a matrix of bits comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The bytes that spell a weight matrix, `[column][k]`.
    Weights(WeightId),
    /// Biases plus `2^(bits - 1)`, one row.
    Bias(WeightId),
    /// A tensor's codes, or its integers plus the matrix's offset.
    Tensor(TensorId),
    /// Distances and flags of a requantizing node.
    Distances(usize),
}

/// Who holds a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Committed with the model.
    Model,
    /// Committed with the trace.
    Trace,
    /// The statement itself.
    Public,
}

/// A matrix of unsigned integers of `bits` bits, each bit a plane.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    pub(crate) source: Source,
    pub(crate) origin: Origin,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) bits: u32,
    /// What is subtracted from an entry to give the integer it stands for.
    pub(crate) offset: i128,
    /// The first of its planes among those that views use, if any view does.
    pub(crate) first_plane: Option<usize>,
}

/// Some bits of a matrix as indices: bits `first .. first + bits`, then bit `flag` where there is one.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) view: usize,
    pub(crate) matrix: usize,
    pub(crate) first: u32,
    pub(crate) bits: u32,
    pub(crate) flag: Option<u32>,
}

/// The side of a matmul's outputs.
pub(crate) enum Outputs {
    /// Accumulators themselves.
    Integers { chunks: Vec<Chunk>, offset: i128 },
    /// Codes with distances.
    Codes { codes: Chunk, distances: Vec<Chunk>, thresholds: Thresholds },
}

/// One matmul relation.
pub(crate) struct MatMul {
    pub(crate) rows: usize,
    pub(crate) weights: WeightId,
    /// What is subtracted from each input entry.
    pub(crate) x_offset: u64,
    pub(crate) x: Vec<Chunk>,
    pub(crate) w: Chunk,
    pub(crate) bias: Vec<Chunk>,
    pub(crate) bias_offset: i128,
    pub(crate) outputs: Outputs,
    /// Bound on the exponents that a false row leaves over.
    pub(crate) exponent_bound: i128,
    /// Independent repetitions of the Freivalds check.
    pub(crate) repetitions: usize,
}

impl MatMul {
    /// The chunks of the outputs, in the order of their tables.
    pub(crate) fn output_chunks(&self) -> Vec<Chunk> {
        match &self.outputs {
            Outputs::Integers { chunks, .. } => chunks.clone(),
            Outputs::Codes { codes, distances, .. } => {
                core::iter::once(codes).chain(distances).cloned().collect()
            }
        }
    }
}

/// One elementwise map of codes.
pub(crate) struct Map {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) x: Chunk,
    pub(crate) y: Chunk,
    pub(crate) table: Box<[u8; 256]>,
}

/// One Relu: output bits are the input's where its top bit (set for what is not negative) is set.
pub(crate) struct Relu {
    pub(crate) x: usize,
    pub(crate) y: usize,
    /// The input is an unsigned matrix already.
    pub(crate) unsigned: bool,
}

/// All of it.
pub(crate) struct Plan {
    pub(crate) matrices: Vec<Matrix>,
    pub(crate) views: Vec<View>,
    pub(crate) chunks: Vec<Chunk>,
    /// Shapes of the planes that views use.
    pub(crate) planes: Vec<(usize, usize)>,
    pub(crate) matmuls: Vec<MatMul>,
    pub(crate) maps: Vec<Map>,
    pub(crate) relus: Vec<Relu>,
}

/// Bits of soundness that a Freivalds check should have on its own: with the default parameters'
/// queries the whole then has 100.
const FREIVALDS_BITS: f64 = 100.4;

/// Independent repetitions that bring `(bound / (2^128 - 1))^repetitions` below `2^-100.4`.
fn repetitions(bound: i128) -> usize {
    let bits = 128.0 - (bound.max(1) as f64).log2();
    (FREIVALDS_BITS / bits.max(1.0)).ceil() as usize
}

impl Plan {
    /// The plan for `batch` samples. Precondition: `graph` is valid and its shapes times `batch` fit.
    pub(crate) fn new(graph: &Graph, batch: usize) -> Self {
        let mut plan = Self {
            matrices: Vec::new(),
            views: Vec::new(),
            chunks: Vec::new(),
            planes: Vec::new(),
            matmuls: Vec::new(),
            maps: Vec::new(),
            relus: Vec::new(),
        };
        plan.add_tensors(graph, batch);
        for (i, node) in graph.nodes.iter().enumerate() {
            match &node.op {
                Op::MatMul { .. } => plan.add_matmul(graph, i),
                Op::Relu { x, y } => {
                    let unsigned = plan.matrices[*x].offset == 0;
                    plan.relus.push(Relu { x: *x, y: *y, unsigned });
                }
                Op::Map { x, y, table } => {
                    let Matrix { rows, cols, .. } = plan.matrices[*x];
                    let (x, y) = (plan.chunk(*x, 0, 8, None), plan.chunk(*y, 0, 8, None));
                    plan.maps.push(Map { rows, cols, x, y, table: table.clone() });
                }
            }
        }
        plan
    }

    /// The matrices of tensors come first: matrix `t` is tensor `t`.
    fn add_tensors(&mut self, graph: &Graph, batch: usize) {
        for (t, shape) in graph.tensors.iter().enumerate() {
            let rectified =
                graph.nodes.iter().any(|n| matches!(n.op, Op::Relu { y, .. } if y == t));
            let (bits, offset) = match shape.kind {
                TensorKind::Code => (8, 0),
                TensorKind::Integer { bits } if rectified => (bits.saturating_sub(1).max(1), 0),
                TensorKind::Integer { bits } => (bits, 1i128 << (bits - 1)),
            };
            let public = t == graph.input.tensor || t == graph.output.tensor;
            self.matrices.push(Matrix {
                source: Source::Tensor(t),
                origin: if public { Origin::Public } else { Origin::Trace },
                rows: batch * shape.rows_per_sample,
                cols: shape.features,
                bits,
                offset,
                first_plane: None,
            });
        }
    }

    fn add_matmul(&mut self, graph: &Graph, node: usize) {
        let Op::MatMul { x, zero_code, weights, y, epilogue } = &graph.nodes[node].op else {
            return;
        };
        let shape = &graph.weights[*weights];
        let input = self.matrices[*x].clone();
        let rows = input.rows;
        let w = self.add(Matrix {
            source: Source::Weights(*weights),
            origin: Origin::Model,
            rows: shape.k,
            cols: shape.columns(),
            bits: log2_ceil(shape.alphabet.symbols()) as u32,
            offset: 0,
            first_plane: None,
        });
        let w = self.chunk(w, 0, self.matrices[w].bits, None);
        let (mut bias, mut bias_offset) = (Vec::new(), 0);
        if shape.bias_bits > 0 {
            bias_offset = 1i128 << (shape.bias_bits - 1);
            let matrix = self.add(Matrix {
                source: Source::Bias(*weights),
                origin: Origin::Model,
                rows: 1,
                cols: shape.n,
                bits: shape.bias_bits,
                offset: bias_offset,
                first_plane: None,
            });
            bias = self.split(matrix, 0..shape.bias_bits, None);
        }
        let x_chunks = self.split(*x, 0..input.bits, None);
        let bound = graph.accumulator_bound(node);
        let (outputs, exponent_bound) = match epilogue {
            Epilogue::Accumulator => {
                let Matrix { bits, offset, .. } = self.matrices[*y];
                let chunks = self.split(*y, 0..bits, None);
                // What the committed bits stand for is within this of zero.
                let most = offset.max((1i128 << bits) - offset);
                (Outputs::Integers { chunks, offset }, bound + most)
            }
            Epilogue::Requantize(requantize) => {
                // A valid graph's requantized accumulators are below 2^31.
                let most = i64::try_from(bound).unwrap_or(i64::MAX >> 2);
                let thresholds = Thresholds::new(requantize, most);
                let (half, flag) = (thresholds.half_bits(), thresholds.distance_bits());
                let matrix = self.add(Matrix {
                    source: Source::Distances(node),
                    origin: Origin::Trace,
                    rows,
                    cols: shape.n,
                    bits: flag + 1,
                    offset: 0,
                    first_plane: None,
                });
                let mut distances = self.split(matrix, 0..half, Some(flag));
                distances.extend(self.split(matrix, half..flag, Some(flag)));
                let codes = self.chunk(*y, 0, 8, None);
                let exponent_bound = thresholds.exponent_bound(bound);
                (Outputs::Codes { codes, distances, thresholds }, exponent_bound)
            }
        };
        let repetitions = repetitions(exponent_bound);
        self.matmuls.push(MatMul {
            rows,
            weights: *weights,
            x_offset: match input.offset {
                0 => u64::from(*zero_code),
                offset => u64::try_from(offset).unwrap_or(u64::MAX),
            },
            x: x_chunks,
            w,
            bias,
            bias_offset,
            outputs,
            exponent_bound,
            repetitions,
        });
    }

    fn add(&mut self, matrix: Matrix) -> usize {
        self.matrices.push(matrix);
        self.matrices.len() - 1
    }

    /// Splits bits of a matrix into indices as wide as its number of rows makes cheapest.
    fn split(
        &mut self,
        matrix: usize,
        bits: core::ops::Range<u32>,
        flag: Option<u32>,
    ) -> Vec<Chunk> {
        let most = if flag.is_some() { 7 } else { 8 };
        let n_bits = bits.end - bits.start;
        let rows = self.matrices[matrix].rows;
        let extra = 8 - most;
        let cost = |width: u32| {
            // A leaf against an entry of a table, by the operations that each takes.
            let chunks = n_bits.div_ceil(width) as usize;
            chunks * (3 * rows + (1 << (width + extra))) + chunks * chunks * rows / 4
        };
        let width = (1..=most.min(n_bits)).min_by_key(|&w| cost(w)).unwrap_or(1);
        // As even as the count allows.
        let width = n_bits.div_ceil(n_bits.div_ceil(width));
        let starts = bits.clone().step_by(width as usize);
        starts.map(|first| self.chunk(matrix, first, width.min(bits.end - first), flag)).collect()
    }

    /// The view of some bits of a matrix, shared by all who ask for the same bits.
    fn chunk(&mut self, matrix: usize, first: u32, bits: u32, flag: Option<u32>) -> Chunk {
        let known = self
            .chunks
            .iter()
            .find(|c| (c.matrix, c.first, c.bits, c.flag) == (matrix, first, bits, flag));
        if let Some(known) = known {
            return known.clone();
        }
        let Matrix { rows, cols, bits: all, .. } = self.matrices[matrix];
        let start = match self.matrices[matrix].first_plane {
            Some(start) => start,
            None => {
                let start = self.planes.len();
                self.planes.extend((0..all).map(|_| (rows, cols)));
                self.matrices[matrix].first_plane = Some(start);
                start
            }
        };
        let planes = (first..first + bits).chain(flag).map(|bit| start + bit as usize).collect();
        self.views.push(View { rows, cols, planes });
        let chunk = Chunk { view: self.views.len() - 1, matrix, first, bits, flag };
        self.chunks.push(chunk.clone());
        chunk
    }
}

impl Chunk {
    /// Bits of an index, the flag included.
    pub(crate) fn width(&self) -> usize {
        self.bits as usize + usize::from(self.flag.is_some())
    }
}
