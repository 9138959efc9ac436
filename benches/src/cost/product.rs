//! Product trees: tables and leaves, levels, and the sumchecks of all levels (`iop::product`).

use binfer_field::count::Counts;

use super::ops::{draw, driver, eq_table, factored_round, log, message_bytes, ops, sum, times};

/// Rows from which a tree is built column by column.
const LONG: usize = 16;

/// A tree without its indices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Box {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) fan_in: usize,
    /// Leaves are looked up whenever they are needed.
    pub(super) made: bool,
}

impl Box {
    fn row_vars(&self) -> usize {
        log(self.rows)
    }

    fn col_vars(&self) -> usize {
        log(self.cols)
    }

    /// Multiplying factors to leaves, and leaves to all levels.
    pub(super) fn build(&self) -> Counts {
        let Self { rows, cols, fan_in, made } = *self;
        let leaves = (fan_in - 1) * rows * cols;
        if rows < LONG {
            return ops(leaves + (((1 << self.col_vars()) - 1) << self.row_vars()), 0, 0);
        }
        let made = made && cols > 4;
        let level = |l: usize| match l {
            1 if made => cols / 2,
            _ => cols.div_ceil(1 << l),
        };
        ops(leaves + rows * (1..=self.col_vars()).map(level).sum::<usize>(), 0, 0)
    }

    /// The sumcheck of the level of which `above` column variables are left.
    fn level(&self, above: usize) -> Counts {
        let rv = self.row_vars();
        let n = above + rv;
        let cols = self.cols.div_ceil(1 << (self.col_vars() - 1 - above));
        let columns = self.rows >= LONG && cols > 4;
        let mut total = if columns {
            sum([eq_table(rv), eq_table(above - 2)])
        } else {
            eq_table(n.saturating_sub(2))
        };
        // Rounds: the first of all knows both values, others of a pass do not.
        let mut left = n;
        let mut pairs = cols.div_ceil(2);
        let mut in_columns = columns;
        let mut col_vars = above;
        let mut first = true;
        while left >= 2 {
            let known = first && above + 1 > 1;
            let grid = if known { (11, 17) } else { (12, 18) };
            let weight =
                if in_columns { ops(1, 0, self.rows + pairs.div_ceil(4)) } else { ops(0, 0, 0) };
            total += times(2, weight);
            total += if known { ops(1, 0, 4) } else { ops(2, 0, 5) };
            total += sum([ops(4, 0, 9), ops(1, 0, 2)]);
            total += sum([factored_round(2, known), factored_round(2, false)]);
            if in_columns {
                let quads = pairs.div_ceil(4);
                let rows = self.rows;
                total += times(quads, ops(grid.0 * rows + 8, 0, grid.1 * rows + 8));
                // What follows binds both variables.
                total += times(quads, ops(6 * rows, 0, 12 * rows));
                pairs = quads;
                if col_vars > 3 {
                    total += ops(0, 0, 1 << (col_vars - 2));
                } else {
                    in_columns = false;
                    total += eq_table((left - 2).saturating_sub(2));
                }
                col_vars -= 2;
            } else {
                let quarter = 1 << (left - 2);
                total += ops(grid.0 * quarter, 0, grid.1 * quarter);
                total += ops(6 * quarter, 0, 12 * quarter + 3 * quarter / 4);
            }
            left -= 2;
            first = false;
        }
        if left == 1 {
            total += sum([ops(3, 0, 6), factored_round(2, true), ops(2, 0, 4)]);
        }
        total
    }

    /// The sumcheck that splits leaves into factors.
    fn split(&self) -> Counts {
        box_product(self.rows, self.cols, self.fan_in)
    }
}

/// The sumcheck of products of `f` factors over a box (`product/instance.rs`).
pub(super) fn box_product(rows: usize, cols: usize, f: usize) -> Counts {
    let (rv, cv) = (log(rows), log(cols));
    let mut total = sum([eq_table(rv), eq_table(cv), eq_table(rv)]);
    let round = |n: usize| match f {
        2 => ops(4 * n, 0, 5 * n),
        _ => ops((f + 1) * (f + 1) * n, 0, (f + f * (f + 1) / 2 + f + 2) * n),
    };
    let mut columns = cols;
    for left in (1..=cv).rev() {
        let pairs = columns.div_ceil(2);
        total += times(pairs, sum([round(rows), ops(f + 1, 0, f + 1)]));
        total += ops(pairs * rows * f, 0, 2 * pairs * rows * f + (1 << (left - 1)));
        total += factored_round(f, false);
        columns = pairs;
    }
    for left in (1..=rv).rev() {
        let half = 1 << (left - 1);
        total += sum([round(half), ops(f * half, 0, (2 * f + 2) * half), factored_round(f, false)]);
    }
    total
}

/// The forest's sumchecks, all levels and the last batch.
pub(super) fn forest(trees: &[Box]) -> Counts {
    let depth = trees.iter().map(Box::col_vars).max().unwrap_or(0);
    let mut total = Counts::default();
    for above in 0..depth {
        let active: Vec<&Box> = trees.iter().filter(|t| t.col_vars() > above).collect();
        total += sum(active.iter().map(|t| t.level(above)));
        let shapes: Vec<_> = active.iter().map(|t| (above + t.row_vars(), 4)).collect();
        total += driver(0, &shapes);
        total += times(active.len(), ops(1, 0, 2));
        total += draw(message_bytes(active.iter().map(|_| 2)));
    }
    let last: Vec<&Box> = trees.iter().filter(|t| t.fan_in > 1).collect();
    if !last.is_empty() {
        total += sum(last.iter().map(|t| t.split()));
        let shapes: Vec<_> =
            last.iter().map(|t| (t.col_vars() + t.row_vars(), t.fan_in + 2)).collect();
        total += driver(0, &shapes);
    }
    total
}
