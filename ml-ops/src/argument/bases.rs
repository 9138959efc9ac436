//! The random bases of one check in the exponent, and the public tables built on them.

use binfer_field::{F128, kernels};
use binfer_iop::channel::Element;
use binfer_iop::claims::CommonPoint;
use binfer_iop::multilinear::{eq_vertex, log2_ceil, prefix_indicator};
use binfer_iop::product::RootClaim;

use super::groups::Group;
use super::plan::{Axis, Exponents, Factor, MatMul, Matrix, Output, Outputs, Plan, Sum, SumTree};
use super::public;
use super::tables::{Bases, Table};
use crate::graph::{Values, WeightShape};
use crate::threads;

/// The bases drawn for one repetition of a check.
pub(crate) struct Drawn {
    /// One an output column, or row.
    h: Vec<F128>,
    inverse: Vec<F128>,
    /// As many where outputs are requantized, or none, and their inverses.
    distance: [Vec<F128>; 2],
    /// The product of all `h`.
    product: F128,
    /// The products of blocks of bases on end, where some terms have these, and their inverses.
    blocks: [Vec<F128>; 2],
}

impl Drawn {
    /// The bases `h` and those of distances, with the products of blocks of so many bases for some terms.
    fn new(h: Vec<F128>, distance: Vec<F128>, block: usize) -> Self {
        let inverses = |bases: &[F128]| {
            let mut inverses = bases.to_vec();
            F128::batch_invert(&mut inverses);
            inverses
        };
        let (inverse, of_distance) = (inverses(&h), inverses(&distance));
        let product = h.iter().copied().product();
        let products = |of: &[F128]| -> Vec<F128> {
            of.chunks(block).map(|block| block.iter().copied().product()).collect()
        };
        let blocks =
            if block > 1 { [products(&h), products(&inverse)] } else { Default::default() };
        Self { h, inverse, distance: [distance, of_distance], product, blocks }
    }

    fn bases(&self) -> Bases<'_> {
        Bases { h: &self.h, inverse: &self.inverse }
    }

    /// Their products in blocks.
    fn block_bases(&self) -> Bases<'_> {
        let [h, inverse] = &self.blocks;
        Bases { h, inverse }
    }

    /// The `G` of the bias's columns: the product of all bases, to the power of each chunk's first bit.
    pub(crate) fn bias_g(&self, matmul: &MatMul) -> Vec<F128> {
        matmul.bias_columns().iter().map(|chunk| self.product.frobenius(chunk.first)).collect()
    }

    /// What each product of the inner operand is multiplied by to give a `G_k`.
    fn g_scale(&self, matmul: &MatMul) -> F128 {
        match matmul.output.axis {
            // The offset is part of the tables.
            Axis::Columns => F128::ONE,
            Axis::Rows => self.product.pow(matmul.inner_offset.into()).invert(),
        }
    }

    /// The `G_k`, and after them those of the bias's columns, by the `G_k` but for their scale.
    pub(crate) fn g(&self, matmul: &MatMul, mut inner: Vec<F128>) -> Vec<F128> {
        kernels::scale(&mut inner, self.g_scale(matmul));
        inner.extend(self.bias_g(matmul));
        inner
    }

    /// The products of powers of the bases by the entries of a matrix of the statement, those of a tensor
    /// within its range; of the rows that the check is of.
    pub(crate) fn public_products(
        &self,
        output: &Output,
        matrix: &Matrix,
        values: &Values,
    ) -> Vec<F128> {
        let across = output.axis == Axis::Rows;
        if !across && output.products < matrix.rows {
            let rows = output.first_row..output.first_row.saturating_add(output.products);
            let values = values.rows(rows, matrix.rows);
            return public::products(&self.h, &values, matrix.offset, across);
        }
        public::products(&self.h, values, matrix.offset, across)
    }

    /// What the sums' side is multiplied by to be the outputs'.
    fn output_constant(&self, output: &Output) -> F128 {
        match &output.outputs {
            Outputs::Integers { offset } => self.product.pow(offset.unsigned_abs()),
            Outputs::Codes { .. } => F128::ONE,
        }
    }

    /// What the products of a tree of summands are multiplied by to be the outputs'.
    pub(crate) fn sum_constant(&self, sum: &Sum) -> F128 {
        let excess = self.product.pow(sum.excess.unsigned_abs());
        let constant = self.output_constant(&sum.output);
        if sum.excess < 0 { constant * excess } else { constant * excess.invert() }
    }

    /// The constant factors of the two sides of the relation between a matmul's products, none of them zero.
    pub(crate) fn constants(&self, matmul: &MatMul) -> (F128, F128) {
        let left = self.output_constant(&matmul.output);
        let right = self.product.pow(matmul.bias_offset.unsigned_abs());
        // The product of all G holds the bias's, which have no offset.
        let bias: F128 = self.bias_g(matmul).into_iter().product();
        let excess = bias.pow(matmul.outer_offset.unsigned_abs().into());
        if matmul.outer_offset < 0 { (left, right * excess) } else { (left * excess, right) }
    }

    /// The claim on the products of the inner operand that a claim on `G + 1` is. `None` where the point
    /// lies on the bias's columns, which a random one does with probability `2^-128` a coordinate.
    pub(crate) fn inner_claim<E: Element>(
        &self,
        matmul: &MatMul,
        claim: &CommonPoint<E>,
    ) -> Option<RootClaim<E>> {
        let mut value = *claim.values.first()?;
        for (s, g) in self.bias_g(matmul).into_iter().enumerate() {
            let weight = eq_vertex(&claim.point, matmul.k.saturating_add(s));
            value += E::from(weight * (g + F128::ONE));
        }
        let (point, beyond) = claim.point.split_at_checked(log2_ceil(matmul.k))?;
        let low = eq_vertex(beyond, 0);
        if low.is_zero() {
            return None;
        }
        // Sums of G + 1 over the prefix become sums of the products plus one.
        let inside = E::from(prefix_indicator(point, matmul.k));
        let sum = (value * low.invert() + inside) * self.g_scale(matmul).invert();
        let value = sum + inside + E::from(F128::ONE);
        Some(RootClaim { row_point: point.to_vec(), value })
    }

    /// The tables of the outputs' factors.
    pub(crate) fn output_tables<'a>(&'a self, output: &'a Output) -> Vec<Table<'a>> {
        match &output.outputs {
            Outputs::Integers { .. } => powers(&self.h, &output.factors).collect(),
            Outputs::Codes { thresholds } => {
                let [k, inverse] = &self.distance;
                let (h, k) = (self.bases(), Bases { h: k, inverse });
                let mut bits = thresholds.bit_bases(h, k.h).into_iter();
                let mut tables = vec![Table::Codes { h, k, thresholds }];
                // Distances are split in order.
                tables.extend(output.factors.iter().skip(1).map(|f| {
                    let factors = bits.by_ref().take(f.chunk.width()).collect();
                    match thresholds.gated(f.chunk.first, f.chunk.bits) as usize {
                        0 => Table::Products { factors },
                        gated => Table::Gated { gate: thresholds.gate(k.h), gated, factors },
                    }
                }));
                tables
            }
        }
    }

    /// The tables of a tree of summands.
    pub(crate) fn sum_tables<'a>(&'a self, tree: &'a SumTree) -> Vec<Table<'a>> {
        let table = |(exponents, factor): (&'a Exponents, &Factor)| {
            let h = if tree.block > 1 { self.block_bases() } else { self.bases() };
            let table = match exponents {
                Exponents::Listed(exponents) => Table::Listed { h, exponents },
                &Exponents::Linear { factor: step, constant } => {
                    Table::Linear { h, step, constant, width: factor.chunk.width() }
                }
            };
            table.with_taps(tree.taps / factor.taps)
        };
        tree.summands.iter().zip(&tree.factors).map(table).collect()
    }

    /// The tables of a sum's trees, and those of its outputs' factors.
    pub(crate) fn all_tables<'a>(&'a self, sum: &'a Sum) -> Vec<Table<'a>> {
        let of_trees = sum.all_trees().flat_map(|tree| self.sum_tables(tree));
        of_trees.chain(self.output_tables(&sum.output)).collect()
    }

    /// The tables of the inner operand's factors.
    pub(crate) fn inner_tables<'a>(
        &'a self,
        matmul: &'a MatMul,
        shape: Option<&'a WeightShape>,
    ) -> Vec<Table<'a>> {
        let table = |f: &Factor| {
            let (h, width) = (self.bases(), f.chunk.width());
            let table = match shape {
                Some(shape) => Table::Weights { h, shape, width },
                None => {
                    let offset =
                        if f.chunk.first == 0 { i128::from(matmul.inner_offset) } else { 0 };
                    Table::Linear { h, step: 1 << f.chunk.first, constant: -offset, width }
                }
            };
            table.with_blocks(f.blocks)
        };
        match matmul.output.axis {
            Axis::Columns => matmul.inner.iter().map(table).collect(),
            Axis::Rows => powers(&self.h, &matmul.inner).collect(),
        }
    }

    /// The tables of a bias that is a product of its own.
    pub(crate) fn bias_tables<'a>(&'a self, matmul: &'a MatMul) -> Vec<Table<'a>> {
        powers(&self.h, &matmul.bias).collect()
    }
}

/// The bases of every check of a plan: all are drawn before anything is said of any.
pub(crate) struct AllBases {
    /// By check.
    matmuls: std::vec::IntoIter<Drawn>,
    sums: std::vec::IntoIter<Drawn>,
}

/// Matmuls' checks and those of sums with their bases.
pub(crate) type GroupBases<'p> = (Vec<(&'p MatMul, Drawn)>, Vec<(&'p Sum, Drawn)>);

impl AllBases {
    /// Draws them with `nonzero(label, n)`.
    pub(crate) fn draw(
        plan: &Plan,
        mut nonzero: impl FnMut(&'static str, usize) -> Vec<F128>,
    ) -> Self {
        let mut draw = |outputs: &mut dyn Iterator<Item = (&Output, usize)>| {
            let mut drawn = Vec::new();
            for (output, block) in outputs {
                drawn.extend((0..output.repetitions).map(|_| {
                    let h = nonzero("bases", output.bases);
                    let distance = match &output.outputs {
                        Outputs::Codes { .. } => nonzero("distance bases", output.bases),
                        Outputs::Integers { .. } => Vec::new(),
                    };
                    (h, distance, block)
                }));
            }
            let new = |(h, distance, block)| Drawn::new(h, distance, block);
            threads::map(drawn, new).into_iter()
        };
        let matmuls = draw(&mut plan.matmuls.iter().map(|matmul| (&matmul.output, 1)));
        let sums = draw(&mut plan.sums.iter().map(|sum| (&sum.output, sum.block())));
        Self { matmuls, sums }
    }

    /// Those of the next group, which follows on the last one asked for.
    pub(crate) fn of_group<'p>(&mut self, plan: &'p Plan, group: &Group) -> GroupBases<'p> {
        let checks = group.matmuls(plan).zip(self.matmuls.by_ref()).collect();
        (checks, group.sums(plan).zip(self.sums.by_ref()).collect())
    }
}

/// Tables of powers for the factors of an unsigned integer.
pub(crate) fn powers<'a>(
    bases: &'a [F128],
    factors: &'a [Factor],
) -> impl Iterator<Item = Table<'a>> {
    let chunks = factors.iter().map(|f| &f.chunk);
    chunks.map(|c| Table::Powers { bases, shift: c.first, width: c.width() })
}

/// `tau^(2^-t)` coordinate by coordinate, for `t < n`.
pub(crate) fn frobenius_points(tau: &[F128], n: u32) -> Vec<Vec<F128>> {
    let mut points = vec![Vec::with_capacity(tau.len()); n as usize];
    for &coordinate in tau {
        let mut x = coordinate.inverse_frobenius(n.saturating_sub(1));
        for point in points.iter_mut().rev() {
            point.push(x);
            x = x.square();
        }
    }
    points
}
