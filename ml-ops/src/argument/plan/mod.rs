//! The plan of a proof: every matrix, view and relation that a graph and a batch size ask for.
//!
//! Prover and verifier derive it from public data alone, so it is part of no message.

mod argmax;
mod batch;
mod combine;
mod exponents;
mod matmul;
mod output;
mod powers;
mod product;
mod sum;

pub(crate) use exponents::{Bit, BitOf, Exponent};
pub(crate) use matmul::MatMul;
#[cfg(feature = "prover")]
pub(crate) use output::suffices_once;
pub(crate) use output::{Axis, Output, Outputs};
#[cfg(feature = "prover")]
pub(crate) use sum::of_tap;
pub(crate) use sum::{Exponents, Power, Sum, SumTree};

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use binfer_iop::indexed::onehot::View;
use binfer_iop::multilinear::log2_ceil;
use binfer_iop::zerocheck::Constraint;

use super::bits::relu_constraints;
use super::requantize::{Declared, Requantized};
use crate::graph::{Gather, Graph, Op, TensorId, TensorKind, Values, WeightId};

/// Where a matrix of bits comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The bytes that spell a weight matrix, `[column][k]`.
    Weights(WeightId),
    /// Biases plus `2^(bits - 1)`, one row.
    Bias(WeightId),
    /// A tensor's codes, or its integers plus the matrix's offset.
    Tensor(TensorId),
    /// Distances of a requantizing node.
    Distances(usize),
    /// How far an output of a maximum lies above what its tap `tap` reads, and whether the tap is selected
    /// (for the first tap: whether it is not).
    Differences {
        /// The node.
        node: usize,
        /// The tap.
        tap: usize,
    },
    /// The largest of the elements of which the node gives the number.
    Largest(usize),
    /// How far the taps of such a node lie below the largest in order: `2^b` times the difference, and the distance
    /// of the taps' numbers.
    Behind(usize),
    /// Whether a tap is the one that such a node names.
    Selectors(usize),
    /// Public values that follow from the graph's shapes, by their number.
    Known(usize),
}

/// Who holds a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Committed with the model.
    Model,
    /// Committed with the trace.
    Trace,
    /// The statement itself, or the graph: an input, an output, a constant.
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

/// Some bits of a matrix as indices: bits `first .. first + bits`, then those of another matrix where there is one.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) view: usize,
    /// The plan's number of the matrix.
    #[cfg_attr(not(feature = "prover"), expect(dead_code, reason = "verifiers read views"))]
    pub(crate) matrix: usize,
    pub(crate) first: u32,
    pub(crate) bits: u32,
    /// The bits that follow where an index is of two matrices of one shape.
    pub(crate) other: Option<OtherBits>,
}

/// As many bits of a second matrix as a chunk has of its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherBits {
    pub(crate) matrix: usize,
    pub(crate) first: u32,
}

/// How the indices of an indexed product are read from a chunk's matrix.
#[derive(Clone, Debug)]
pub(crate) enum Read {
    /// Its rows number the products, its columns the product's columns.
    Straight,
    /// Its columns number the products, its rows the product's columns.
    Across,
    /// The gathered matrix's rows number the products, its columns the product's columns.
    Through {
        /// The map, all samples included.
        gather: Arc<Gather>,
        /// The index of positions outside the source; they multiply nothing into the product if there is none.
        pad: Option<u8>,
    },
}

/// The columns of an indexed product: those of a matrix of indices, and perhaps some more.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    pub(crate) chunk: Chunk,
    pub(crate) read: Read,
    /// Columns that the chunk's matrix has, read this way.
    pub(crate) cols: usize,
    /// Columns, one after the other, that share a table: a divisor of all, and one but where it is read through a map.
    pub(crate) taps: usize,
    /// Blocks of as many products each; every block has tables of its own, its number being part of the index.
    pub(crate) blocks: usize,
    /// One column more each: matrices of one row, read across.
    pub(crate) extra: Vec<Chunk>,
    /// Bits of a second matrix above the chunk's in every index, if there is one.
    pub(crate) with: Option<Arc<Second>>,
}

/// Bits of a second matrix that is read in its own way.
#[derive(Clone, Debug)]
pub(crate) struct Second {
    pub(crate) chunk: Chunk,
    pub(crate) read: Read,
    /// Products of the factor.
    pub(crate) products: usize,
}

impl Factor {
    /// A matrix read straight or across.
    pub(crate) fn plain(chunk: Chunk, across: bool, cols: usize) -> Self {
        let read = if across { Read::Across } else { Read::Straight };
        Self { chunk, read, cols, taps: 1, blocks: 1, extra: Vec::new(), with: None }
    }

    /// Read like this, `taps` columns on end of one base: they share its table if the claim on them can have weights.
    pub(crate) fn read_as(self, read: Read, taps: usize) -> Self {
        let taps = if matches!(read, Read::Through { .. }) { taps } else { 1 };
        Self { read, taps, ..self }
    }

    /// All columns.
    pub(crate) fn all_cols(&self) -> usize {
        self.cols.saturating_add(self.extra.len())
    }

    /// Number of its tables.
    pub(crate) fn tables(&self) -> usize {
        self.all_cols() / self.taps
    }

    /// Bits of an index, those of the block's number included.
    pub(crate) fn width(&self) -> usize {
        let with = self.with.as_ref().map_or(0, |second| second.chunk.width());
        self.chunk.width().saturating_add(with).saturating_add(log2_ceil(self.blocks))
    }

    /// Its two matrices alone, where an index is made of two.
    pub(crate) fn operands(&self) -> Option<[Self; 2]> {
        let second = self.with.as_ref()?;
        let alone = |chunk: &Chunk, read: &Read| Self {
            chunk: chunk.clone(),
            read: read.clone(),
            cols: self.cols,
            taps: 1,
            blocks: 1,
            extra: Vec::new(),
            with: None,
        };
        Some([alone(&self.chunk, &self.read), alone(&second.chunk, &second.read)])
    }

    /// The chunks that indices are made of.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        let second = self.with.iter().map(|second| &second.chunk);
        core::iter::once(&self.chunk).chain(&self.extra).chain(second)
    }
}

/// Constraints on the bits of matrices of one shape, the planes of one following on those of another.
pub(crate) struct BitCheck {
    pub(crate) matrices: Vec<usize>,
    pub(crate) constraints: Vec<Constraint>,
}

/// All of it.
pub(crate) struct Plan {
    /// Samples.
    pub(crate) batch: usize,
    pub(crate) matrices: Vec<Matrix>,
    pub(crate) views: Vec<View>,
    pub(crate) chunks: Vec<Chunk>,
    /// The chunks of a matrix from a bit on, by their numbers.
    by_start: HashMap<(usize, u32), Vec<usize>>,
    /// Shapes of the planes that views use.
    pub(crate) planes: Vec<(usize, usize)>,
    pub(crate) matmuls: Vec<MatMul>,
    pub(crate) sums: Vec<Sum>,
    pub(crate) bit_checks: Vec<BitCheck>,
    /// Values that follow from shapes.
    pub(crate) known: Vec<Values>,
    /// What is declared of each requantizing node.
    pub(crate) declared: Declared,
    /// A node is not one of a valid graph.
    pub(crate) malformed: bool,
}

impl Plan {
    /// The plan for `batch` samples whose accumulators lie beyond thresholds as far as any can. Precondition: as of
    /// [`Self::declared`].
    pub(crate) fn new(graph: &Graph, batch: usize) -> Self {
        Self::declared(graph, batch, Requantized::new(graph).largest())
    }

    /// The plan for `batch` samples with these reaches. Precondition: `graph` is valid and its shapes times `batch` fit.
    pub(crate) fn declared(graph: &Graph, batch: usize, declared: Declared) -> Self {
        let mut plan = Self {
            batch,
            matrices: Vec::new(),
            views: Vec::new(),
            chunks: Vec::new(),
            by_start: HashMap::new(),
            planes: Vec::new(),
            matmuls: Vec::new(),
            sums: Vec::new(),
            bit_checks: Vec::new(),
            known: Vec::new(),
            declared,
            malformed: false,
        };
        plan.add_tensors(graph, batch);
        for (i, node) in graph.nodes.iter().enumerate() {
            let added = match &node.op {
                Op::MatMul { .. } => plan.add_matmul(graph, i, batch),
                Op::BatchMatMul { .. } => plan.add_batch_matmul(graph, i, batch),
                Op::Combine { .. } => plan.add_combine(graph, i, batch),
                Op::Max { .. } => plan.add_max(graph, i, batch),
                Op::ArgMax { .. } => plan.add_argmax(graph, i, batch),
                Op::Relu { x, y } => plan.add_relu(*x, *y),
                Op::Constant { .. } => Some(()),
            };
            plan.malformed |= added.is_none();
        }
        plan
    }

    /// The matrices of tensors come first: matrix `t` is tensor `t`.
    fn add_tensors(&mut self, graph: &Graph, batch: usize) {
        let constants: BTreeSet<TensorId> = graph.constants().map(|(y, _)| y).collect();
        let inputs = graph.inputs().map(|port| port.tensor);
        let ports: BTreeSet<TensorId> =
            inputs.chain(graph.outputs().map(|port| port.tensor)).collect();
        let natural = |op: &Op| match op {
            Op::Relu { y, .. } | Op::ArgMax { y, .. } => Some(*y),
            _ => None,
        };
        let naturals: BTreeSet<TensorId> =
            graph.nodes.iter().filter_map(|node| natural(&node.op)).collect();
        for (t, shape) in graph.tensors.iter().enumerate() {
            let (bits, offset) = match shape.kind {
                TensorKind::Code => (8, 0),
                TensorKind::Integer { bits } if naturals.contains(&t) => {
                    (bits.saturating_sub(1).max(1), 0)
                }
                TensorKind::Integer { bits } => (bits, 1i128 << (bits - 1)),
            };
            let public = ports.contains(&t) || constants.contains(&t);
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

    fn add_relu(&mut self, x: TensorId, y: TensorId) -> Option<()> {
        let (of_x, of_y) = (self.matrices.get(x)?, self.matrices.get(y)?);
        let constraints = relu_constraints(of_x.bits, of_y.bits, of_x.offset == 0);
        self.bit_checks.push(BitCheck { matrices: vec![x, y], constraints });
        Some(())
    }

    /// The values of a public matrix that follows from shapes.
    pub(crate) fn known_values(&self, matrix: &Matrix) -> Option<&Values> {
        let Source::Known(number) = matrix.source else { return None };
        self.known.get(number)
    }

    fn add(&mut self, matrix: Matrix) -> usize {
        self.matrices.push(matrix);
        self.matrices.len() - 1
    }

    /// Splits bits of a matrix into indices as wide as the number of look-ups in a table makes
    /// cheapest. More than a byte of them are split as they were before where that is cheaper than more views.
    fn split(&mut self, matrix: usize, bits: core::ops::Range<u32>, lookups: usize) -> Vec<Chunk> {
        let n_bits = bits.end - bits.start;
        let (mut width, mut cost) = cheapest(n_bits, lookups);
        if n_bits > 8 {
            cost += ONE_HOT * n_bits.div_ceil(width) as usize * lookups;
            for known in self.known_chunks(matrix, bits.start) {
                let n = n_bits.div_ceil(known.bits) as usize;
                let reused = index_cost(known.bits, n, lookups);
                if known.other.is_none() && known.bits <= n_bits && reused < cost {
                    (width, cost) = (known.bits, reused);
                }
            }
        }
        let starts = bits.clone().step_by(width as usize);
        starts.map(|first| self.chunk(matrix, first, width.min(bits.end - first))).collect()
    }

    /// The view of some bits of a matrix, shared by all who ask for the same bits.
    fn chunk(&mut self, matrix: usize, first: u32, bits: u32) -> Chunk {
        self.chunk_of(matrix, first, bits, None)
    }

    /// The view of some bits of a matrix, and of as many of another one of the same shape.
    fn chunk_of(
        &mut self,
        matrix: usize,
        first: u32,
        bits: u32,
        other: Option<OtherBits>,
    ) -> Chunk {
        let is_wanted = |chunk: &&Chunk| (chunk.bits, chunk.other) == (bits, other);
        let known = self.known_chunks(matrix, first).find(is_wanted).cloned();
        if let Some(known) = known {
            return known;
        }
        let Matrix { rows, cols, .. } = self.matrices[matrix];
        let start = self.first_plane(matrix);
        let mut planes: Vec<usize> =
            (first..first + bits).map(|bit| start + bit as usize).collect();
        if let Some(other) = other {
            let start = self.first_plane(other.matrix) + other.first as usize;
            planes.extend(start..start + bits as usize);
        }
        self.views.push(View { rows, cols, planes });
        let view = self.views.len() - 1;
        let chunk = Chunk { view, matrix, first, bits, other };
        self.by_start.entry((matrix, first)).or_default().push(self.chunks.len());
        self.chunks.push(chunk.clone());
        chunk
    }

    /// The chunks of a matrix that begin at bit `first`, in the order in which they came.
    fn known_chunks(&self, matrix: usize, first: u32) -> impl Iterator<Item = &Chunk> {
        let numbers = self.by_start.get(&(matrix, first)).into_iter().flatten();
        numbers.filter_map(|&number| self.chunks.get(number))
    }

    /// The first plane of a matrix, which gets its planes when first asked.
    fn first_plane(&mut self, matrix: usize) -> usize {
        let Matrix { rows, cols, bits, first_plane, .. } = self.matrices[matrix];
        first_plane.unwrap_or_else(|| {
            let start = self.planes.len();
            self.planes.extend((0..bits).map(|_| (rows, cols)));
            self.matrices[matrix].first_plane = Some(start);
            start
        })
    }
}

/// The width of index in which to split `bits` bits, and what each column then costs.
fn cheapest(bits: u32, lookups: usize) -> (u32, usize) {
    let cost = |width: u32| index_cost(width, bits.div_ceil(width) as usize, lookups);
    let width = (1..=8.min(bits)).min_by_key(|&w| cost(w)).unwrap_or(1);
    // As even as the count allows.
    (bits.div_ceil(bits.div_ceil(width)), cost(width))
}

/// What an index of a view costs once, in the units of [`index_cost`].
const ONE_HOT: usize = 8;

/// What a column costs whose entries are `chunks` indices of `width` bits: a leaf against an entry of a
/// table, by the operations that each takes.
fn index_cost(width: u32, chunks: usize, lookups: usize) -> usize {
    let entries = 1usize << width;
    chunks * (3 * lookups + entries) + chunks * chunks * lookups / 4
}

impl Chunk {
    /// Bits of an index, those of another matrix included.
    pub(crate) fn width(&self) -> usize {
        let bits = self.bits as usize;
        bits + if self.other.is_some() { bits } else { 0 }
    }
}
