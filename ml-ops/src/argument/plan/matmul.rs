//! What one matmul asks for: along which axis it is checked, and the indices of its operands.

use binfer_iop::multilinear::log2_ceil;

use super::{Chunk, Factor, Matrix, Origin, Plan, Source, cheapest, index_cost};
use crate::argument::requantize::Thresholds;
use crate::graph::{Alphabet, Epilogue, Graph, Op, WeightId, WeightShape};

/// What of the outputs has a base of the check of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    /// Each column: `G_k = prod_j h_j^(W_kj)`, and `prod_k G_k^(X_ik)` for every row `i`.
    Columns,
    /// Each row: `G_k = prod_i h_i^(X_ik)`, and `prod_k G_k^(W_kj)` for every column `j`.
    Rows,
}

/// The side of a matmul's outputs.
pub(crate) enum Outputs {
    /// Accumulators themselves.
    Integers { offset: i128 },
    /// Codes with distances.
    Codes { thresholds: Thresholds },
}

/// One matmul relation.
pub(crate) struct MatMul {
    pub(crate) axis: Axis,
    /// Products of the check: rows of the outputs, or columns.
    pub(crate) products: usize,
    /// Bases of the check: columns of the outputs, or rows.
    pub(crate) bases: usize,
    /// Features of the input, each with a `G_k`.
    pub(crate) k: usize,
    pub(crate) weights: WeightId,
    /// The operand with public tables, whose products are the `G_k`; none where the verifier computes them.
    pub(crate) inner: Vec<Factor>,
    /// The matrix of that operand, where the verifier holds it and computes the `G_k` itself.
    pub(crate) public_inner: Option<usize>,
    /// What is subtracted from each entry of that operand, where the bases are those of rows.
    pub(crate) inner_offset: u64,
    /// The other, whose tables are powers of the `G_k`. Along rows, the chunks of the bias are more
    /// columns of it.
    pub(crate) outer: Vec<Factor>,
    /// What is subtracted from each entry of that one.
    pub(crate) outer_offset: i64,
    /// The bias as a product of its own, along columns.
    pub(crate) bias: Vec<Factor>,
    pub(crate) bias_offset: i128,
    pub(crate) outputs: Outputs,
    /// Accumulators, or codes and then distances; none where the verifier computes their products.
    pub(crate) output_factors: Vec<Factor>,
    /// The matrix of accumulators that the verifier holds, and whose products it computes itself.
    pub(crate) public_outputs: Option<usize>,
    /// Bound on the exponents that a false product leaves over.
    pub(crate) exponent_bound: i128,
    /// Independent repetitions of the Freivalds check.
    pub(crate) repetitions: usize,
}

impl MatMul {
    /// The bias's chunks that are columns of the outer operand.
    pub(crate) fn bias_columns(&self) -> &[Chunk] {
        self.outer.first().map_or(&[], |factor| &factor.extra)
    }

    /// Whether the prover proves the product of all `G_k`, of which the relation has a power.
    pub(crate) fn has_sum(&self) -> bool {
        self.outer_offset != 0 && self.public_inner.is_none()
    }

    /// The factors of all trees, each with the number of products of its tree.
    pub(crate) fn factors(&self) -> impl Iterator<Item = (usize, &Factor)> {
        let rows = self.outer.iter().chain(&self.output_factors).map(|f| (self.products, f));
        let inner = self.inner.iter().map(|f| (self.k, f));
        rows.chain(inner).chain(self.bias.iter().map(|f| (1, f)))
    }

    /// Number of the `G_k`, with those of the bias.
    pub(crate) fn n_g(&self) -> usize {
        self.k.saturating_add(self.bias_columns().len())
    }

    /// Variables that index them.
    pub(crate) fn g_vars(&self) -> usize {
        log2_ceil(self.n_g())
    }

    /// Bits of an entry of the outer operand.
    pub(crate) fn outer_bits(&self) -> u32 {
        self.outer.iter().map(|factor| factor.chunk.bits).sum()
    }
}

/// Bits of soundness that a Freivalds check should have on its own: with the default parameters'
/// queries the whole then has 100.
const FREIVALDS_BITS: f64 = 100.4;

/// Independent repetitions that bring `(bound / (2^128 - 1))^repetitions` below `2^-100.4`.
fn repetitions(bound: i128) -> usize {
    let bits = 128.0 - (bound.max(1) as f64).log2();
    (FREIVALDS_BITS / bits.max(1.0)).ceil() as usize
}

/// The axis along which tables and leaves cost less, where there is a choice: one base a row asks for
/// one weight a byte, and for one offset and one step function in all columns. Public accumulators cost
/// nothing, and neither does a public input where its products are the `G_k`.
fn axis(shape: &WeightShape, rows: usize, x: &Matrix, outputs: &Outputs, y: &Matrix) -> Axis {
    let one_offset = matches!(&shape.alphabet, Alphabet::Byte { offsets } if offsets.len() == 1);
    let one_step = match outputs {
        Outputs::Integers { .. } => true,
        Outputs::Codes { thresholds } => thresholds.are_shared(),
    };
    if !one_offset || !one_step {
        return Axis::Columns;
    }
    let of_output = |lookups: usize| match outputs {
        Outputs::Integers { .. } if y.origin == Origin::Public => 0,
        Outputs::Integers { .. } => cheapest(y.bits, false, lookups).1,
        Outputs::Codes { thresholds } => {
            let distance = cheapest(thresholds.half_bits(), true, lookups).1;
            256usize.saturating_add(distance.saturating_mul(2))
        }
    };
    let of_input =
        |columns: usize, lookups: usize| cheapest(x.bits, false, lookups).1.saturating_mul(columns);
    // Weights are split into no smaller indices than they are.
    let of_weights =
        |columns: usize, lookups: usize| index_cost(8, false, 1, lookups).saturating_mul(columns);
    let cost = |bases: usize, products: usize, input: usize, weights: usize| {
        let operands = input.saturating_add(weights);
        operands.saturating_add(of_output(products).saturating_mul(bases))
    };
    let (k, n) = (shape.k, shape.n);
    let along_columns = cost(n, rows, of_input(k, rows), of_weights(n, k));
    let input = if x.origin == Origin::Public { 0 } else { of_input(rows, k) };
    let along_rows = cost(rows, n, input, of_weights(k, n));
    if along_rows < along_columns { Axis::Rows } else { Axis::Columns }
}

impl Plan {
    pub(super) fn add_matmul(&mut self, graph: &Graph, node: usize) {
        let Op::MatMul { x, zero_code, weights, y, epilogue } = &graph.nodes[node].op else {
            return;
        };
        let shape = &graph.weights[*weights];
        let input = self.matrices[*x].clone();
        let rows = input.rows;
        let bound = graph.accumulator_bound(node);
        let y_bits = self.matrices[*y].bits;
        let (outputs, exponent_bound) = match epilogue {
            Epilogue::Accumulator => {
                let offset = self.matrices[*y].offset;
                // What the committed bits stand for is within this of zero.
                let most = offset.max((1i128 << y_bits) - offset);
                (Outputs::Integers { offset }, bound + most)
            }
            Epilogue::Requantize(requantize) => {
                let thresholds = Thresholds::new(requantize, bound);
                let exponent_bound = thresholds.exponent_bound(bound);
                (Outputs::Codes { thresholds }, exponent_bound)
            }
        };
        let axis = axis(shape, rows, &input, &outputs, &self.matrices[*y]);
        let is_public = |origin: Origin| origin == Origin::Public;
        let public_inner = (axis == Axis::Rows && is_public(input.origin)).then_some(*x);
        let public_outputs = match outputs {
            Outputs::Integers { .. } if is_public(self.matrices[*y].origin) => Some(*y),
            _ => None,
        };
        let (products, bases) = match axis {
            Axis::Columns => (rows, shape.n),
            Axis::Rows => (shape.n, rows),
        };
        let x_offset = match input.offset {
            0 => i64::from(*zero_code),
            offset => i64::try_from(offset).unwrap_or(i64::MAX),
        };

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
        let x_lookups = if axis == Axis::Columns { rows } else { shape.k };
        let x_chunks = match public_inner {
            Some(_) => Vec::new(),
            None => self.split(*x, 0..input.bits, None, x_lookups),
        };
        let (bias_chunks, bias_offset) = self.add_bias(*weights, shape, axis);
        let output_chunks = match &outputs {
            Outputs::Integers { .. } if public_outputs.is_some() => Vec::new(),
            Outputs::Integers { .. } => self.split(*y, 0..y_bits, None, products),
            Outputs::Codes { thresholds } => {
                let mut chunks = vec![self.chunk(*y, 0, 8, None)];
                chunks.extend(self.add_distances(node, thresholds, (rows, shape.n), products));
                chunks
            }
        };

        let factors = |chunks: Vec<Chunk>, across: bool, cols: usize| {
            let factor = |chunk| Factor { chunk, across, cols, extra: Vec::new() };
            chunks.into_iter().map(factor).collect::<Vec<_>>()
        };
        let across = axis == Axis::Rows;
        let output_factors = factors(output_chunks, across, bases);
        let (inner, inner_offset, mut outer, outer_offset) = match axis {
            Axis::Columns => {
                let w = factors(vec![w], false, shape.columns());
                (w, 0, factors(x_chunks, false, shape.k), x_offset)
            }
            Axis::Rows => {
                let offset = i64::from(shape.alphabet.range(0).0).saturating_neg();
                let x = factors(x_chunks, true, rows);
                (x, x_offset.unsigned_abs(), factors(vec![w], true, shape.k), offset)
            }
        };
        let bias = match axis {
            Axis::Columns => factors(bias_chunks, false, shape.n),
            Axis::Rows => {
                outer[0].extra = bias_chunks;
                Vec::new()
            }
        };
        self.matmuls.push(MatMul {
            axis,
            products,
            bases,
            k: shape.k,
            weights: *weights,
            inner,
            public_inner,
            inner_offset,
            outer,
            outer_offset,
            bias,
            bias_offset,
            outputs,
            output_factors,
            public_outputs,
            exponent_bound,
            repetitions: repetitions(exponent_bound),
        });
    }

    /// The chunks of the bias and the offset that makes it unsigned; none and 0 where there is none.
    fn add_bias(
        &mut self,
        weights: WeightId,
        shape: &WeightShape,
        axis: Axis,
    ) -> (Vec<Chunk>, i128) {
        if shape.bias_bits == 0 {
            return (Vec::new(), 0);
        }
        let offset = 1i128 << (shape.bias_bits - 1);
        let matrix = self.add(Matrix {
            source: Source::Bias(weights),
            origin: Origin::Model,
            rows: 1,
            cols: shape.n,
            bits: shape.bias_bits,
            offset,
            first_plane: None,
        });
        // Along rows a chunk is one column, whose table is as wide as that of a weight anyway.
        let lookups = if axis == Axis::Columns { 1 } else { shape.n.max(1 << 16) };
        (self.split(matrix, 0..shape.bias_bits, None, lookups), offset)
    }

    /// The matrix of a node's distances, split with its flag.
    fn add_distances(
        &mut self,
        node: usize,
        thresholds: &Thresholds,
        (rows, cols): (usize, usize),
        lookups: usize,
    ) -> Vec<Chunk> {
        let (half, flag) = (thresholds.half_bits(), thresholds.distance_bits());
        let matrix = self.add(Matrix {
            source: Source::Distances(node),
            origin: Origin::Trace,
            rows,
            cols,
            bits: flag + 1,
            offset: 0,
            first_plane: None,
        });
        let mut chunks = self.split(matrix, 0..half, Some(flag), lookups);
        chunks.extend(self.split(matrix, half..flag, Some(flag), lookups));
        chunks
    }
}
