//! The whole indexed product over random shapes: products to planes, and forgeries.

use binfer_field::{F128, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::onehot::{self, OneHotClaim, PlaneClaims, View};
use super::table::{self, Entries, TableInput, TableStatement};
use super::{TileBytes, tiles};
use crate::channel::{Blank, ProofReader, ProverChannel, VerifierChannel, VerifyError};
use crate::join::Combined;
use crate::multilinear::log2_ceil;
use crate::product::{self, BoxShape, RootClaim, Tree};

struct Case {
    view: View,
    index: Vec<u8>,
    table: Vec<F128>,
    powers: bool,
    /// What entries are multiplied by where one of so many lowest bits is set.
    gate: Option<(Vec<F128>, usize)>,
}

impl Case {
    fn random(rows: usize, cols: usize, width: usize, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let index = (0..rows * cols).map(|_| rng.random_range(0..1u32 << width) as u8).collect();
        let table = (0..cols << width).map(|_| F128::random(&mut rng)).collect();
        let view = View { rows, cols, planes: (0..width).collect() };
        Self { view, index, table, powers: false, gate: None }
    }

    /// With the tables `a_c b_c^v`.
    fn powers(rows: usize, cols: usize, width: usize, seed: u64) -> Self {
        let mut case = Self { powers: true, ..Self::random(rows, cols, width, seed) };
        for column in case.table.chunks_mut(1 << width) {
            let base = column[1];
            for v in 1..column.len() {
                column[v] = column[v - 1] * base;
            }
        }
        case
    }

    /// With the tables `b_c^v`, times a gate where one of the `gated` lowest bits is set.
    fn gated(rows: usize, cols: usize, width: usize, gated: usize, seed: u64) -> Self {
        let mut case = Self::powers(rows, cols, width, seed);
        let mut rng = StdRng::seed_from_u64(seed ^ 1);
        let gates: Vec<F128> = (0..cols).map(|_| F128::random(&mut rng)).collect();
        for (column, &gate) in case.table.chunks_mut(1 << width).zip(&gates) {
            let scale = column[0].invert();
            for (v, entry) in column.iter_mut().enumerate() {
                *entry *= if v % (1 << gated) == 0 { scale } else { scale * gate };
            }
        }
        case.gate = Some((gates, gated));
        case
    }

    fn width(&self) -> usize {
        self.view.planes.len()
    }

    fn planes(&self) -> Vec<(usize, usize)> {
        vec![(self.view.rows, self.view.cols); self.width()]
    }

    fn shape(&self) -> BoxShape {
        BoxShape { rows: self.view.rows, cols: self.view.cols, fan_in: 1 }
    }

    fn leaves(&self) -> Vec<F128> {
        let columns = self.index.chunks(self.view.rows).zip(self.table.chunks(1 << self.width()));
        columns.flat_map(|(c, t)| c.iter().map(|&i| t[usize::from(i)])).collect()
    }

    /// As a list; `powers` tables also as products.
    fn entries(&self) -> Entries<'_> {
        if !self.powers {
            return Entries::Listed(self.table.as_slice().into());
        }
        let columns = || self.table.chunks(1 << self.width());
        // An entry of one bit, by the entry of none, which no case has as zero.
        let factor = |s: usize| columns().map(|t| t[1 << s] * t[0].invert()).collect();
        if let Some((gate, gated)) = self.gate.clone() {
            let mut factors: Vec<Vec<F128>> = (0..self.width()).map(factor).collect();
            for factor in &mut factors[..gated] {
                factor.iter_mut().zip(&gate).for_each(|(f, gate)| *f *= gate.invert());
            }
            return Entries::Gated { gate, gated, factors };
        }
        let scale = columns().map(|t| t[0]).collect();
        Entries::Products { scale, factors: (0..self.width()).map(factor).collect() }
    }

    fn prove(&self) -> Vec<u8> {
        let mut channel = ProverChannel::new(Transcript::new("test"));
        let tree = Tree::new(self.shape(), self.leaves());
        let row_point = channel.challenges("rows", log2_ceil(self.view.rows));
        let eq = eq_table(&row_point);
        let inside = tree.outputs().iter().zip(&eq).map(|(&p, &e)| e * (p + F128::ONE));
        let value = F128::ONE + inside.sum::<F128>();
        channel.send("root", value);
        let leaf = product::prove(&mut channel, vec![tree], vec![RootClaim { row_point, value }])
            .remove(0);
        let weights = eq_table(&leaf.row_point);
        let columns: Vec<&[u8]> = self.index.chunks(self.view.rows).collect();
        let input = TableInput {
            statement: self.statement(leaf.col_point, leaf.weights[0]),
            value: leaf.values[0],
            entries: self.entries(),
            histogram: table::histogram(&columns, &weights, self.width()).into(),
            few: None,
        };
        let claim = table::prove(&mut channel, vec![input]).remove(0);
        let claim = OneHotClaim {
            view: 0,
            row_point: leaf.row_point,
            col_point: claim.col_point,
            index_point: claim.index_point,
            weight: claim.weight,
            value: claim.histogram,
        };
        let views = [self.view.clone()];
        onehot::prove(&mut channel, &self.planes(), &views, &[&self.index], &[claim]);
        channel.finish()
    }

    fn verify(&self, proof: &[u8]) -> Result<(), VerifyError> {
        let mut channel = ProofReader::new(Transcript::new("test"), proof);
        let row_point = channel.challenges("rows", log2_ceil(self.view.rows));
        let value = channel.receive("root")?;
        let roots = vec![RootClaim { row_point, value }];
        let mut leaves = product::verify(&mut channel, &[self.shape()], roots)?;
        let leaf = leaves.claims.remove(0);
        let statement = self.statement(leaf.col_point, leaf.weights[0]);
        let mut claims = table::verify(&mut channel, &[statement], leaves.value)?;
        let claim = claims.claims.remove(0);
        let col_eq = eq_table(&claim.col_point);
        let bit_eq = eq_table(&claim.index_point);
        let columns = self.table.chunks(1 << self.width()).zip(&col_eq);
        let expected: F128 = columns
            .flat_map(|(t, &c)| t.iter().zip(&bit_eq).map(move |(&t, &b)| c * b * (t + F128::ONE)))
            .sum();
        channel.assert_zero("table", expected * claim.weight + claims.table)?;
        let claim = OneHotClaim {
            view: 0,
            row_point: leaf.row_point,
            col_point: claim.col_point,
            index_point: claim.index_point,
            weight: claim.weight,
            value: Blank,
        };
        let views = [self.view.clone()];
        let hot = Combined { claims: vec![claim], value: claims.histogram };
        let planes = onehot::verify(&mut channel, &self.planes(), &views, &hot)?;
        channel.finish()?;
        self.open(&planes)
    }

    fn statement(&self, col_point: Vec<F128>, weight: F128) -> TableStatement {
        TableStatement { cols: self.view.cols, taps: 1, width: self.width(), col_point, weight }
    }

    /// Stands for the commitment: evaluates every plane.
    fn open(&self, claim: &PlaneClaims<F128>) -> Result<(), VerifyError> {
        let (rows, cols) = (self.view.rows, self.view.cols);
        let mut sum = F128::ZERO;
        for (bit, weights) in claim.weights.iter().enumerate() {
            for (tile, &weight) in tiles(rows, cols).iter().zip(weights) {
                let words = eq_table(&claim.point[..tile.n_vars() - 7]);
                let eq: Vec<F128> = words
                    .iter()
                    .flat_map(|&w| claim.bit_weights.iter().map(move |&b| w * b))
                    .collect();
                let bytes = TileBytes::new(tile, &self.index, rows);
                let set = bytes.iter().zip(&eq).filter(|(b, _)| **b >> bit & 1 == 1);
                sum += weight * set.map(|(_, &e)| e).sum::<F128>();
            }
        }
        if sum == claim.value {
            Ok(())
        } else {
            Err(VerifyError::CheckFailed { label: "test opening" })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_shapes_are_proved(rows in 1usize..40, cols in 1usize..40, width in 1usize..=8, seed: u64) {
        let case = Case::random(rows, cols, width, seed);
        prop_assert_eq!(case.verify(&case.prove()), Ok(()));
    }

    #[test]
    fn tables_of_powers_are_proved_as_lists_and_as_products(rows in 1usize..40, cols in 1usize..40, width in 1usize..=8, seed: u64) {
        let products = Case::powers(rows, cols, width, seed);
        let proof = products.prove();
        prop_assert_eq!(products.verify(&proof), Ok(()));
        let listed = Case { powers: false, ..products };
        prop_assert_eq!(listed.prove(), proof);
    }

    #[test]
    fn gated_tables_are_proved_as_lists_and_as_products(rows in 1usize..40, cols in 1usize..40, width in 1usize..=8, gated in 0usize..=8, seed: u64) {
        let products = Case::gated(rows, cols, width, gated.min(width), seed);
        let proof = products.prove();
        prop_assert_eq!(products.verify(&proof), Ok(()));
        let listed = Case { powers: false, ..products };
        prop_assert_eq!(listed.prove(), proof);
    }

    #[test]
    fn a_changed_byte_is_rejected(rows in 1usize..10, cols in 1usize..10, width in 1usize..=8, seed: u64, at: prop::sample::Index, bit in 0u8..8) {
        let case = Case::random(rows, cols, width, seed);
        let mut proof = case.prove();
        let at = at.index(proof.len());
        proof[at] ^= 1 << bit;
        prop_assert!(case.verify(&proof).is_err());
    }

    #[test]
    fn another_index_or_table_is_rejected(rows in 1usize..10, cols in 1usize..10, width in 1usize..=8, seed: u64, at: prop::sample::Index) {
        let case = Case::random(rows, cols, width, seed);
        let proof = case.prove();
        let mut other = Case { view: case.view.clone(), index: case.index.clone(), table: case.table.clone(), powers: false, gate: None };
        let i = at.index(other.index.len());
        other.index[i] ^= 1;
        prop_assert!(other.verify(&proof).is_err());
        other.index[i] ^= 1;
        let i = at.index(other.table.len());
        other.table[i] += F128::ONE;
        prop_assert!(other.verify(&proof).is_err());
    }
}

#[test]
fn large_tiles_are_proved() {
    let case = Case::random(96, 70, 8, 3);
    assert_eq!(case.verify(&case.prove()), Ok(()));
}
