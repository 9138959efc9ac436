//! Sums and maxima: that they are of their tensors' kinds, wherever they read.

use super::gather::{Positions, check_gather};
use super::{MAX_ELEMENTS, MAX_IMAGE, MAX_REQUANTIZED};
use crate::graph::{
    Epilogue, Function, Gather, Graph, GraphError, Runs, TensorId, TensorKind, TensorShape, Term,
    common_taps,
};

/// Largest factor of products of codes, which have 16 bits.
const MAX_FACTOR: u64 = MAX_IMAGE >> 16;

/// What a tap of a maximum counts besides the positions that it reads: in proofs it is a matrix with constraints of its own.
const TAP: usize = 1 << 11;

impl Graph {
    /// Whether node `node`, a sum of `terms` over tensors that exist, gives elements of the shape `y`.
    pub(super) fn check_sum(
        &self,
        node: usize,
        terms: &[Term],
        y: &TensorShape,
        epilogue: &Epilogue,
        positions: &mut Positions,
    ) -> Result<(), GraphError> {
        for (number, term) in terms.iter().enumerate() {
            self.check_term(node, number, term, y)?;
        }
        // What proofs make of the terms: matrices with the same number of taps.
        let common = common_taps(terms).unwrap_or(usize::MAX);
        let elements = y.rows_per_sample.saturating_mul(y.features).saturating_mul(common);
        if elements > MAX_ELEMENTS {
            return Err(GraphError::Taps { node, taps: common });
        }
        let (low, high) = self.sum_range(terms);
        let requantized = !matches!(epilogue, Epilogue::Accumulator);
        let codes = y.kind == TensorKind::Code;
        if requantized && !codes {
            return Err(GraphError::NodeShape { node });
        }
        let (least, most) = y.kind.range();
        if !requantized && low >= i128::from(least) && high <= i128::from(most) {
            return Ok(());
        }
        // Beyond that, a check in the exponent would say nothing, and what follows could overflow.
        let bound = high.max(low.saturating_neg());
        if bound >= MAX_REQUANTIZED {
            return Err(GraphError::AccumulatorRange { node, log_bound: bound.ilog2() });
        }
        // Integers have the width that every run has to respect, as those of matmuls have.
        if requantized || !codes {
            return Ok(());
        }
        // Terms that fill each other's holes add less than all of them.
        if terms.len() > 1 && terms.iter().any(Term::has_holes) {
            return self.check_joined(node, terms, y, positions);
        }
        Err(out_of_range(node, low, high))
    }

    fn check_term(
        &self,
        node: usize,
        number: usize,
        term: &Term,
        y: &TensorShape,
    ) -> Result<(), GraphError> {
        let x = &self.tensors[term.x];
        let small = |image: &i64, most: u64| image.unsigned_abs() <= most;
        let (valid, kind) = match &term.function {
            Function::Table(table) => {
                let all_small = table.iter().all(|image| small(image, MAX_IMAGE));
                (all_small, x.kind == TensorKind::Code)
            }
            Function::Times(factor) => (small(factor, MAX_IMAGE), x.kind != TensorKind::Code),
            Function::Product { with, with_gather, factor, .. } => {
                self.check_factor(node, number, (*with, with_gather.as_ref()), term.taps, y)?;
                (small(factor, MAX_FACTOR), x.kind == TensorKind::Code)
            }
        };
        if !kind {
            return Err(GraphError::NodeShape { node });
        }
        if !valid {
            return Err(GraphError::Function { node, term: number });
        }
        let Some(gather) = &term.gather else {
            if term.taps != 1 {
                return Err(GraphError::Taps { node, taps: term.taps });
            }
            return if same_size(x, y) { Ok(()) } else { Err(GraphError::NodeShape { node }) };
        };
        check_taps(node, gather, term.taps, x, y)?;
        match gather.pad {
            Some(pad) if x.kind != TensorKind::Code => {
                Err(GraphError::Pad { node, pad: Some(pad) })
            }
            _ => Ok(()),
        }
    }

    /// Whether the second operand of a product of `taps` taps is codes of as many rows and columns as its first is to
    /// have.
    fn check_factor(
        &self,
        node: usize,
        number: usize,
        (with, gather): (TensorId, Option<&Gather>),
        taps: usize,
        y: &TensorShape,
    ) -> Result<(), GraphError> {
        let x = &self.tensors[with];
        let wrong = GraphError::Product { node, term: number };
        if x.kind != TensorKind::Code {
            return Err(wrong);
        }
        match gather {
            Some(gather) => check_taps(node, gather, taps, x, y),
            None if taps != 1 => Err(GraphError::Taps { node, taps }),
            None if same_size(x, y) => Ok(()),
            None => Err(wrong),
        }
    }

    /// Whether the terms, all of which together are of size below [`MAX_REQUANTIZED`], add up to codes, position by position.
    fn check_joined(
        &self,
        node: usize,
        terms: &[Term],
        y: &TensorShape,
        positions: &mut Positions,
    ) -> Result<(), GraphError> {
        let (rows, columns) = (y.rows_per_sample, y.features);
        positions.take(node, rows.saturating_mul(columns))?;
        let terms: Vec<_> = terms
            .iter()
            .map(|term| {
                let holes = term.gather.as_ref().filter(|_| term.has_holes());
                let (low, high) = self.term_range(&Term { taps: 1, ..term.clone() });
                (holes.map(|gather| Runs::new(gather, rows)), term.taps, low, high)
            })
            .collect();
        let mut sums = vec![(0i128, 0i128); rows];
        for column in 0..columns {
            sums.fill((0, 0));
            for (runs, taps, low, high) in &terms {
                let Some(runs) = runs else {
                    positions.take(node, rows)?;
                    let taps = *taps as i128;
                    let add = |sum: &mut (i128, i128)| {
                        *sum = (sum.0 + low * taps, sum.1 + high * taps);
                    };
                    sums.iter_mut().for_each(add);
                    continue;
                };
                // Of a part that is joined, what it reads is counted, not every hole.
                let mut read = taps.saturating_mul(runs.per_column());
                for col in column * taps..(column + 1) * taps {
                    runs.of_column(col, |run| {
                        let sums = sums.iter_mut().skip(run.row).take(run.len);
                        sums.for_each(|sum| *sum = (sum.0 + low, sum.1 + high));
                        read = read.saturating_add(run.len);
                    });
                }
                positions.take(node, read)?;
            }
            if let Some(&(low, high)) = sums.iter().find(|(low, high)| *low < 0 || *high > 255) {
                return Err(out_of_range(node, low, high));
            }
        }
        Ok(())
    }

    /// Whether node `node`, a maximum over tensors that exist, gives elements of the shape `y`.
    pub(super) fn check_max(
        &self,
        node: usize,
        (x, gather, taps): (&TensorShape, &Gather, usize),
        y: &TensorShape,
        positions: &mut Positions,
    ) -> Result<(), GraphError> {
        if x.kind != TensorKind::Code || y.kind != TensorKind::Code {
            return Err(GraphError::NodeShape { node });
        }
        if gather.pad != Some(0) {
            return Err(GraphError::Pad { node, pad: gather.pad });
        }
        check_taps(node, gather, taps, x, y)?;
        let (rows, columns) = (y.rows_per_sample, y.features);
        positions
            .take(node, rows.saturating_mul(columns).saturating_add(TAP).saturating_mul(taps))?;
        let runs = Runs::new(gather, x.rows_per_sample);
        let mut reads = vec![false; rows];
        for column in 0..columns {
            reads.fill(false);
            for col in column * taps..(column + 1) * taps {
                runs.of_column(col, |run| {
                    let reads = reads.iter_mut().skip(run.row).take(run.len);
                    reads.for_each(|read| *read = true);
                });
            }
            if let Some(row) = reads.iter().position(|&read| !read) {
                return Err(GraphError::EmptyMax { node, row, column });
            }
        }
        Ok(())
    }
}

fn same_size(x: &TensorShape, y: &TensorShape) -> bool {
    (x.rows_per_sample, x.features) == (y.rows_per_sample, y.features)
}

/// Whether a gather from `x` gives `taps` columns for each of `y`.
pub(super) fn check_taps(
    node: usize,
    gather: &Gather,
    taps: usize,
    x: &TensorShape,
    y: &TensorShape,
) -> Result<(), GraphError> {
    let columns = y.features.checked_mul(taps).filter(|&columns| columns > 0);
    let columns = columns.ok_or(GraphError::Taps { node, taps })?;
    check_gather(node, gather, x, (y.rows_per_sample, columns))?;
    gather.split_taps(taps).map(|_| ()).ok_or(GraphError::Taps { node, taps })
}

/// Of numbers of any size, the nearest of 64 bits.
fn out_of_range(node: usize, low: i128, high: i128) -> GraphError {
    let narrow = |x: i128| x.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    GraphError::SumRange { node, low: narrow(low), high: narrow(high) }
}
