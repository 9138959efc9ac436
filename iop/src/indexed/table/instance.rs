//! One table's sumcheck, `sum_{c, v} eq(z, c) (T_c[v] + 1) M(c, v)`, without `eq` where columns share tables: index bits first, then
//! columns.

use binfer_field::{F128, kernels};

use super::bits::{Bits, ListedBits, ProductBits};
use super::gated::GatedBits;
use super::histogram::Histogram;
use super::prove::{Entries, Few, TableInput};
use crate::multilinear::log2_ceil;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// The instance of one claim.
pub(super) struct TableProduct<'a> {
    n_vars: usize,
    /// If the columns whose bits are bound are not all.
    few: Option<Few<'a>>,
    /// The challenges that index bits are bound to, the highest first.
    bound: Vec<F128>,
    /// The point of `eq`, if there is one.
    z: Option<Vec<F128>>,
    factored: EqFactored,
    stage: Stage<'a>,
}

enum Stage<'a> {
    /// Index bits are being bound, the highest first.
    Bits { bits: Box<dyn Bits + 'a>, weights: Vec<F128> },
    /// Columns are, the highest variable first.
    Columns(Columns),
}

/// `T + 1`, `M` and `eq`, if there is one, on the columns, zeros up to a power of two.
struct Columns {
    left: usize,
    table: Vec<F128>,
    histogram: Vec<F128>,
    eq: Option<Vec<F128>>,
}

impl<'a> TableProduct<'a> {
    pub(super) fn new(input: TableInput<'a>) -> Self {
        let TableInput { statement, value, entries, histogram, few } = input;
        assert!(few.is_none() || statement.taps == 1);
        let (all, width) = (statement.cols, statement.width);
        let cols = few.as_ref().map_or(all, |few| few.columns.len());
        match &histogram {
            Histogram::Listed(bins) => assert_eq!(bins.len(), cols << width),
            Histogram::Rows { columns, .. } => {
                assert_eq!((columns.len(), statement.taps), (cols, 1))
            }
        }
        let bits: Box<dyn Bits + 'a> = match entries {
            Entries::Listed(entries) => {
                assert_eq!(entries.len(), cols << width);
                Box::new(ListedBits::new(entries, histogram, width))
            }
            Entries::Products { scale, factors } => {
                assert!(scale.len() == cols && factors.len() == width);
                Box::new(ProductBits::new(scale, factors, histogram))
            }
            Entries::Gated { gate, gated, factors } => {
                assert!(gate.len() == cols && factors.len() == width && gated <= width);
                Box::new(GatedBits::new(gate, gated, factors, histogram))
            }
        };
        let z = (statement.taps == 1).then_some(statement.col_point);
        let mut weights =
            z.as_ref().map_or_else(|| vec![F128::ONE; cols], |z| kernels::eq_table(z));
        if let Some(few) = &few {
            weights = few.columns.iter().map(|&column| weights[column]).collect();
        }
        weights.truncate(cols);
        let point = z.iter().flatten().rev();
        let factored = EqFactored::new(value + F128::ONE, point);
        let mut this = Self {
            n_vars: log2_ceil(all) + width,
            few,
            bound: Vec::with_capacity(width),
            z,
            factored,
            stage: Stage::Bits { bits, weights },
        };
        this.start_columns();
        this
    }

    /// `T + 1` and `M` at the bound point.
    pub(super) fn values(&self) -> (F128, F128) {
        match &self.stage {
            Stage::Columns(columns) => (columns.table[0], columns.histogram[0]),
            Stage::Bits { .. } => unreachable!("index bits are bound"),
        }
    }

    /// Goes on to the columns if no bit is left.
    fn start_columns(&mut self) {
        let Stage::Bits { bits, .. } = &mut self.stage else {
            return;
        };
        let Some((mut table, mut histogram)) = bits.finish() else {
            return;
        };
        table.iter_mut().for_each(|t| *t += F128::ONE);
        if let Some(Few { columns, histogram_at }) = self.few.take() {
            let index_point: Vec<F128> = self.bound.iter().rev().copied().collect();
            histogram = histogram_at(&index_point);
            let mut all = vec![F128::ZERO; histogram.len()];
            columns.into_iter().zip(table).for_each(|(column, t)| all[column] = t);
            table = all;
        }
        let left = log2_ceil(table.len());
        table.resize(1 << left, F128::ZERO);
        histogram.resize(1 << left, F128::ZERO);
        let eq = self.z.as_ref().map(|z| kernels::eq_table(z));
        self.stage = Stage::Columns(Columns { left, table, histogram, eq });
    }
}

impl Instance for TableProduct<'_> {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: 3 }
    }

    fn round(&mut self) -> Vec<F128> {
        match &mut self.stage {
            Stage::Bits { bits, weights } => {
                let (at_one, leading) = bits.round(weights);
                self.factored.round_beyond(at_one, &[leading])
            }
            Stage::Columns(columns) => {
                let (at_one, leading) = columns.sums(false);
                let Some(z) = &self.z else {
                    return self.factored.round_beyond(at_one, &[leading]);
                };
                let z = z[columns.left - 1];
                let at_zero = (z == F128::ONE).then(|| columns.sums(true).0);
                self.factored.round(z, (at_one, &[leading]), at_zero)
            }
        }
    }

    fn bind(&mut self, r: F128) {
        match &mut self.stage {
            Stage::Bits { bits, weights } => {
                self.factored.bind(None, r);
                self.bound.push(r);
                bits.bind(r, weights);
                self.start_columns();
            }
            Stage::Columns(columns) => {
                self.factored.bind(self.z.as_ref().map(|z| z[columns.left - 1]), r);
                columns.bind(r);
            }
        }
    }
}

impl Columns {
    /// The cofactor's value at 1 (at 0 where `flip`) and its leading coefficient.
    fn sums(&self, flip: bool) -> (F128, F128) {
        let half = self.table.len() / 2;
        let (mut table, mut histogram) = (self.table.split_at(half), self.histogram.split_at(half));
        if flip {
            (table, histogram) = ((table.1, table.0), (histogram.1, histogram.0));
        }
        let weights = match &self.eq {
            None => vec![F128::ONE; half],
            Some(eq) => {
                let mut weights = eq[..half].to_vec();
                kernels::add_assign(&mut weights, &eq[half..]);
                weights
            }
        };
        kernels::product_round(&weights, table.0, table.1, histogram.0, histogram.1)
    }

    fn bind(&mut self, r: F128) {
        self.left -= 1;
        let half = self.table.len() / 2;
        for data in [&mut self.table, &mut self.histogram] {
            let (lo, hi) = data.split_at_mut(half);
            kernels::fold(lo, hi, r);
            data.truncate(half);
        }
        if let Some(eq) = &mut self.eq {
            let (lo, hi) = eq.split_at_mut(half);
            kernels::add_assign(lo, hi);
            eq.truncate(half);
        }
    }
}
