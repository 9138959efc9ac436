//! The table step by itself, against the sums that it claims to be.

use binfer_field::{F128, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{Entries, Few, Histogram, TableInput, TableStatement, prove, verify};
use crate::buffer::Buffer;
use crate::channel::{ProofReader, ProverChannel};
use crate::multilinear::log2_ceil;

/// Columns of indices, `taps` on end looked up in one table.
struct Case {
    rows: usize,
    tables: usize,
    taps: usize,
    width: usize,
    /// `[column][row]`.
    index: Vec<usize>,
    /// `[table][v]`.
    entries: Vec<F128>,
    row_point: Vec<F128>,
    col_point: Vec<F128>,
}

impl Case {
    fn random([rows, tables, taps, width]: [usize; 4], seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let index = (0..rows * tables * taps).map(|_| rng.random_range(0..1 << width)).collect();
        let mut elements = |n: usize| (0..n).map(|_| F128::random(&mut rng)).collect();
        let entries = elements(tables << width);
        let row_point = elements(log2_ceil(rows));
        let col_point = elements(log2_ceil(tables * taps));
        Self { rows, tables, taps, width, index, entries, row_point, col_point }
    }

    /// The place of an index's entry, and what it weighs in the leaf's extension, position by position.
    fn weights(&self) -> impl Iterator<Item = (usize, F128)> {
        let (rows, cols) = (eq_table(&self.row_point), eq_table(&self.col_point));
        self.index.iter().enumerate().map(move |(i, &v)| {
            let (r, c) = (i % self.rows, i / self.rows);
            ((c / self.taps) << self.width | v, rows[r] * cols[c])
        })
    }

    /// `M'`: of one column a table, without its `eq`, `M`.
    fn histogram(&self) -> Vec<F128> {
        let mut bins = vec![F128::ZERO; self.tables << self.width];
        let cols = eq_table(&self.col_point);
        for (i, (at, weight)) in self.weights().enumerate() {
            let of_column = if self.taps > 1 { F128::ONE } else { cols[i / self.rows].invert() };
            bins[at] += weight * of_column;
        }
        bins
    }

    fn value(&self) -> F128 {
        F128::ONE + self.weights().map(|(at, w)| w * (self.entries[at] + F128::ONE)).sum::<F128>()
    }

    fn statement(&self) -> TableStatement {
        TableStatement {
            cols: self.tables,
            taps: self.taps,
            width: self.width,
            col_point: self.col_point.clone(),
            weight: F128::new(7),
        }
    }

    /// The sum of the table's and of the histogram's values that a step on `value` ends in, each beside what they are for
    /// these indices; nothing if it does not close.
    fn run(&self, value: F128, histogram: Vec<F128>) -> Option<[(F128, F128); 2]> {
        let statement = self.statement();
        let entries = Entries::Listed(self.entries.as_slice().into());
        let (weight, histogram) = (statement.weight, Buffer::from(histogram).into());
        let mut channel = ProverChannel::new(Transcript::new("test"));
        prove(&mut channel, vec![TableInput { statement, value, entries, histogram, few: None }]);
        let proof = channel.finish();
        let mut channel = ProofReader::new(Transcript::new("test"), &proof);
        let sum = weight * (value + F128::ONE);
        let claims = verify(&mut channel, &[self.statement()], sum).ok()?;
        channel.finish().ok()?;
        let claim = &claims.claims[0];
        let (cols, bits) = (eq_table(&claim.col_point), eq_table(&claim.index_point));
        let at = |values: &[F128], more: F128| {
            let columns = values.chunks(1 << self.width).zip(&cols);
            let of_column = |(column, &c): (&[F128], &F128)| {
                column.iter().zip(&bits).map(|(&x, &b)| c * b * (x + more)).sum::<F128>()
            };
            claim.weight * columns.map(of_column).sum::<F128>()
        };
        let table = (claims.table, at(&self.entries, F128::ONE));
        Some([table, (claims.histogram, at(&self.histogram(), F128::ZERO))])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn columns_that_share_tables_end_in_claims_on_tables(rows in 1usize..9, tables in 1usize..7, taps in 1usize..6, width in 1usize..=8, seed: u64) {
        let case = Case::random([rows, tables, taps, width], seed);
        let [table, histogram] = case.run(case.value(), case.histogram()).expect("an honest run closes");
        prop_assert_eq!(table.0, table.1);
        prop_assert_eq!(histogram.0, histogram.1);
    }

    /// Two taps' indices change places. Products of rows stay as they are; a claim on the leaves of the other order is rejected.
    #[test]
    fn indices_of_another_tap_are_rejected(rows in 1usize..9, tables in 1usize..7, taps in 2usize..6, width in 1usize..=8, seed: u64) {
        let mut case = Case::random([rows, tables, taps, width], seed);
        (case.index[0], case.index[rows]) = (0, 1);
        let mut other = Case::random([rows, tables, taps, width], seed);
        (other.index[0], other.index[rows]) = (1, 0);
        prop_assert_ne!(case.value(), other.value());
        for histogram in [case.histogram(), other.histogram()] {
            let ends = case.run(other.value(), histogram);
            let is_true = |ends: [(F128, F128); 2]| ends.iter().all(|(is, should)| is == should);
            prop_assert!(!ends.is_some_and(is_true));
        }
    }
}

/// Tables that are powers of one for all columns but a few: the proof is that on all columns.
#[test]
fn columns_of_ones_are_no_part_of_a_step() {
    for (tables, width, kept) in
        [(1, 3, 0..1), (5, 8, 1..3), (9, 1, 0..9), (40, 6, 38..40), (33, 5, 7..8)]
    {
        let mut case = Case::random([6, tables, 1, width], 1);
        let mut rng = StdRng::seed_from_u64(2);
        let mut factors: Vec<Vec<F128>> = vec![vec![F128::ONE; tables]; width];
        for factor in &mut factors {
            factor[kept.clone()].fill_with(|| F128::random(&mut rng));
        }
        for (i, entry) in case.entries.iter_mut().enumerate() {
            let bits = (0..width).filter(|s| i >> s & 1 == 1);
            *entry = bits.map(|s| factors[s][i >> width]).product();
        }
        let histogram = case.histogram();
        let few = || Few {
            columns: kept.clone().collect(),
            histogram_at: Box::new(|point| {
                let eq = eq_table(point);
                let value = |column: &[F128]| column.iter().zip(&eq).map(|(&m, &e)| m * e).sum();
                histogram.chunks(1 << width).map(value).collect()
            }),
        };
        let proofs = [None, Some(few())].map(|few| {
            let columns = if few.is_some() { kept.clone() } else { 0..tables };
            let factors = factors.iter().map(|factor| factor[columns.clone()].to_vec()).collect();
            let entries = Entries::Products { scale: vec![F128::ONE; columns.len()], factors };
            let histogram = &histogram[columns.start << width..columns.end << width];
            let (statement, value) = (case.statement(), case.value());
            let histogram = Buffer::from(histogram.to_vec()).into();
            let mut channel = ProverChannel::new(Transcript::new("test"));
            prove(&mut channel, vec![TableInput { statement, value, entries, histogram, few }]);
            channel.finish()
        });
        assert_eq!(proofs[0], proofs[1], "{tables} {width} {kept:?}");
    }
}

/// A histogram that is not written down gives the same proof.
#[test]
fn rows_stand_for_their_histogram() {
    for (rows, tables, width) in [(1, 1, 1), (6, 5, 4), (6, 3, 5), (40, 9, 8), (300, 2, 7)] {
        let case = Case::random([rows, tables, 1, width], 3);
        let index: Vec<u8> = case.index.iter().map(|&v| v as u8).collect();
        let columns: Vec<&[u8]> = index.chunks(rows).collect();
        let mut rng = StdRng::seed_from_u64(4);
        let mut column = || (0..tables).map(|_| F128::random(&mut rng)).collect::<Vec<_>>();
        let (first, factors) = (column(), (0..width).map(|_| column()).collect::<Vec<_>>());
        let products = |scale| Entries::Products { scale, factors: factors.clone() };
        let gated = |gate| Entries::Gated { gate, gated: width / 2, factors: factors.clone() };
        let any = |_| Entries::Listed(case.entries.as_slice().into());
        for entries in [&products as &dyn Fn(_) -> _, &gated, &any] {
            let listed = Histogram::from(Buffer::from(case.histogram()));
            let weights = eq_table(&case.row_point).into();
            let proofs = [listed, Histogram::Rows { columns: columns[..].into(), weights }].map(
                |histogram| {
                    let (statement, value) = (case.statement(), case.value());
                    let entries = entries(first.clone());
                    let mut channel = ProverChannel::new(Transcript::new("test"));
                    let input = TableInput { statement, value, entries, histogram, few: None };
                    prove(&mut channel, vec![input]);
                    channel.finish()
                },
            );
            assert_eq!(proofs[0], proofs[1], "{rows} {tables} {width}");
        }
    }
}
