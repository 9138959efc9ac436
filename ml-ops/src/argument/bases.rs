//! The random bases of one check in the exponent, and the public tables built on them.

use binfer_field::F128;

use super::groups::Group;
use super::plan::{Chunk, Map, MatMul, Outputs, Plan};
use super::tables::{Bases, Table};
use crate::graph::{Graph, WeightShape};

/// The bases drawn for one repetition of a matmul's check.
pub(crate) struct Drawn {
    /// One an output column.
    h: Vec<F128>,
    inverse: Vec<F128>,
    /// One an output column where outputs are requantized, or none.
    distance: Vec<F128>,
}

impl Drawn {
    /// Draws them with `nonzero(label, n)`, for `n` output columns.
    pub(crate) fn draw(
        matmul: &MatMul,
        n: usize,
        mut nonzero: impl FnMut(&'static str, usize) -> Vec<F128>,
    ) -> Self {
        let h = nonzero("bases", n);
        let distance = match &matmul.outputs {
            Outputs::Codes { .. } => nonzero("distance bases", n),
            Outputs::Integers { .. } => Vec::new(),
        };
        let mut inverse = h.clone();
        F128::batch_invert(&mut inverse);
        Self { h, inverse, distance }
    }

    fn bases(&self) -> Bases<'_> {
        Bases { h: &self.h, inverse: &self.inverse }
    }

    /// The constant factors of the two sides of the row relation.
    pub(crate) fn constants(&self, matmul: &MatMul) -> (F128, F128) {
        let h: F128 = self.h.iter().copied().product();
        let left = match &matmul.outputs {
            Outputs::Integers { offset, .. } => h.pow(offset.unsigned_abs()),
            Outputs::Codes { thresholds, .. } => {
                self.distance.iter().copied().product::<F128>().pow(thresholds.surplus())
            }
        };
        (left, h.pow(matmul.bias_offset.unsigned_abs()))
    }

    /// The tables of the outputs' chunks.
    pub(crate) fn output_tables<'a>(&'a self, matmul: &'a MatMul) -> Vec<Table<'a>> {
        match &matmul.outputs {
            Outputs::Integers { chunks, .. } => powers(&self.h, chunks).collect(),
            Outputs::Codes { distances, thresholds, .. } => {
                let (h, k) = (&self.h, &self.distance);
                let mut tables = vec![Table::Codes { h: self.bases(), k, thresholds }];
                tables.extend(distances.iter().map(|c| Table::Distance {
                    h,
                    k,
                    thresholds,
                    first: c.first,
                    bits: c.bits,
                }));
                tables
            }
        }
    }

    /// The tables of the weights, then of the bias's chunks.
    pub(crate) fn weight_tables<'a>(
        &'a self,
        matmul: &'a MatMul,
        shape: &'a WeightShape,
    ) -> Vec<Table<'a>> {
        let width = matmul.w.width();
        let mut tables = vec![Table::Weights { h: self.bases(), shape, width }];
        tables.extend(powers(&self.h, &matmul.bias));
        tables
    }
}

/// The bases of every check of a plan: all are drawn before anything is said of any.
pub(crate) struct AllBases {
    /// By check.
    matmuls: std::vec::IntoIter<Drawn>,
    /// By map, one base a column.
    maps: std::vec::IntoIter<Vec<F128>>,
}

/// Matmuls' checks and maps' with their bases.
pub(crate) type GroupBases<'p> = (Vec<(&'p MatMul, Drawn)>, Vec<(&'p Map, Vec<F128>)>);

impl AllBases {
    /// Draws them with `nonzero(label, n)`.
    pub(crate) fn draw(
        graph: &Graph,
        plan: &Plan,
        mut nonzero: impl FnMut(&'static str, usize) -> Vec<F128>,
    ) -> Self {
        let mut matmuls = Vec::new();
        for matmul in &plan.matmuls {
            let n = graph.weights.get(matmul.weights).map_or(0, |shape| shape.n);
            let draw = |_| Drawn::draw(matmul, n, &mut nonzero);
            matmuls.extend((0..matmul.repetitions).map(draw));
        }
        let maps: Vec<_> = plan.maps.iter().map(|map| nonzero("map bases", map.cols)).collect();
        Self { matmuls: matmuls.into_iter(), maps: maps.into_iter() }
    }

    /// Those of the next group, which follows on the last one asked for.
    pub(crate) fn of_group<'p>(&mut self, plan: &'p Plan, group: &Group) -> GroupBases<'p> {
        let checks = group.matmuls(plan).zip(self.matmuls.by_ref()).collect();
        let maps = plan.maps.get(group.maps.clone()).unwrap_or(&[]);
        (checks, maps.iter().zip(self.maps.by_ref()).collect())
    }
}

/// Tables of powers for the chunks of an unsigned integer.
pub(crate) fn powers<'a>(
    bases: &'a [F128],
    chunks: &'a [Chunk],
) -> impl Iterator<Item = Table<'a>> {
    chunks.iter().map(|c| Table::Powers { bases, shift: c.first, width: c.width() })
}

/// The tables of a map's inputs and outputs: `h^(table[x])` and `h^y`.
pub(crate) fn map_tables<'a>(map: &'a Map, h: &'a [F128]) -> [Table<'a>; 2] {
    [Table::Map { h, map: &map.table }, Table::Powers { bases: h, shift: 0, width: 8 }]
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
