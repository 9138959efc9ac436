//! Product trees: tables and leaves, levels, and the sumchecks of all levels (`iop::product`).

use binfer_field::count::Counts;

use super::ops::{
    chunks, draw, eq_table, factored, factored_round, invert, join, log, message_bytes, ops, sum,
    times, weighted,
};

/// Rows from which a tree is built column by column.
const LONG: usize = 16;

/// Columns of one factor that are argued as the factors of one.
const FOUR: usize = 4;

/// A pass over quarters, `2^vars` positions, of two factors that are kept: the grid, and their binding.
pub(super) fn quarters(vars: usize, grid: (usize, usize)) -> Counts {
    let positions = 1 << vars;
    let mut total = chunks(vars, 9, 8);
    total += ops((grid.0 + 6) * positions, 0, (grid.1 + 12) * positions);
    total
}

/// A round's sums of `n` products of two to eight factors, all coefficients of them.
pub(super) fn lines_round(factors: usize, n: usize) -> Counts {
    const COUNTS: [(usize, usize); 7] =
        [(5, 7), (10, 12), (14, 20), (23, 38), (28, 50), (36, 66), (41, 87)];
    let (products, additions) = COUNTS[factors - 2];
    ops(products * n, 0, additions * n)
}

/// That of four factors where the value at zero is not summed.
pub(super) fn quartic_round(n: usize) -> Counts {
    ops(13 * n, 0, 15 * n)
}

/// Rows of more than eight factors that are multiplied at a time; of factors that are made, twice as many.
const RUN: usize = 1 << 7;

/// A tree without its indices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Box {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) fan_in: usize,
    /// Bits of the indices by which leaves are looked up whenever they are needed; `None` where they are kept.
    pub(super) looked_up: Option<usize>,
}

impl Box {
    fn row_vars(&self) -> usize {
        log(self.rows)
    }

    fn col_vars(&self) -> usize {
        log(self.cols)
    }

    /// The box that is argued: columns of one factor four at a time.
    fn argued(&self) -> Self {
        if self.fan_in > 1 || self.rows < LONG || self.cols <= FOUR {
            return *self;
        }
        Self { cols: self.cols.div_ceil(FOUR), fan_in: FOUR, ..*self }
    }

    /// Factors of a row.
    fn blocks(&self) -> usize {
        self.cols * self.fan_in
    }

    /// Multiplying factors to leaves, and leaves to all levels.
    pub(super) fn build(&self) -> Counts {
        let argued = self.argued();
        let Self { rows, cols, .. } = argued;
        // Those that are missing in the last four are ones, which are not multiplied where tables have fewer entries than bytes values.
        let blocks = if self.looked_up.is_some_and(|width| width < 8) {
            self.blocks()
        } else {
            argued.blocks()
        };
        let leaves = (blocks - cols) * rows;
        if rows < LONG {
            return ops(leaves + (((1 << self.col_vars()) - 1) << self.row_vars()), 0, 0);
        }
        let level = |l: usize| cols.div_ceil(1 << l);
        ops(leaves + rows * (1..=argued.col_vars()).map(level).sum::<usize>(), 0, 0)
    }

    /// The sumcheck of the level of which `above` column variables are left.
    fn level(&self, above: usize) -> Counts {
        let rv = self.row_vars();
        let n = above + rv;
        let cols = self.cols.div_ceil(1 << (self.col_vars() - 1 - above));
        let columns = self.rows >= LONG && cols > 4;
        let mut total =
            if columns { sum([eq_table(rv), eq_table(above - 2)]) } else { Counts::default() };
        total += factored(n);
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
                }
                col_vars -= 2;
            } else {
                total += quarters(left - 2, grid);
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
        let Self { rows, cols, fan_in, .. } = self.argued();
        let mut total = box_product(rows, cols, fan_in);
        // Blocks that are looked up in small tables are bound as sums of two look-ups, for which two tables are scaled.
        let blocks = self.blocks();
        let pairs = blocks / (2 * fan_in) * fan_in + (blocks % (2 * fan_in)).saturating_sub(fan_in);
        if let Some(width) = self.looked_up.filter(|&width| cols > 1 && 2 << width <= rows) {
            let entries = 2 << width;
            total += ops(pairs * entries, 0, 0);
            total.products -= (pairs * rows) as u64;
            total.additions -= (pairs * rows) as u64;
        }
        // The first round's value at one is known, and not summed where bytes are looked up.
        if cols > 1 && fan_in == FOUR && self.looked_up == Some(8) {
            let positions = (cols.div_ceil(2) * rows) as u64;
            total.products -= positions;
            total.additions -= positions;
        }
        total
    }
}

/// The sumcheck of products of `f` factors over a box (`product/instance.rs`).
pub(super) fn box_product(rows: usize, cols: usize, f: usize) -> Counts {
    let (rv, cv) = (log(rows), log(cols));
    let mut total = sum([eq_table(cv), factored(rv + cv)]);
    if cv > 0 {
        total += eq_table(rv);
    }
    let round = |n: usize| match f {
        1 => ops(n, 0, 2 * n),
        2 => ops(4 * n, 0, 4 * n),
        4 => quartic_round(n),
        3..=8 => lines_round(f, n),
        _ => ops((f * f + 2 * f - 4) * n, 0, (3 * f - 2 + (f - 1) * (f - 2) / 2) * n),
    };
    let mut columns = cols;
    let mut is_weighted = false;
    for left in (1..=cv).rev() {
        let pairs = columns.div_ceil(2);
        // A pair's sums, added up run by run of rows, get its weight, which is a sum of two; the sum of all weights is added once.
        let at_one = match f {
            2 | 4 => 0,
            3..=8 => 9,
            _ => (2 * f - 1) * rows.div_ceil(RUN),
        };
        total += times(pairs, sum([round(rows), ops(f + 1, 0, f + 5 + at_one)]));
        total += ops(1, 0, rows);
        total += ops(pairs * rows * f, 0, 2 * pairs * rows * f + (1 << (left - 1)));
        total += factored_round(f, false);
        columns = pairs;
        // The first of four factors is multiplied by what rows weigh once, not its two values in each round.
        if is_weighted {
            total.products -= (2 * pairs * rows) as u64;
        } else if f == FOUR && left > 3 {
            is_weighted = true;
            total += ops(pairs * rows, 0, 0);
        }
    }
    if is_weighted {
        // The inverses of the weights, and the last column's first factor times them.
        total += sum([invert(), eq_table(rv), ops(2 * rv + (1 << rv) + rows, 0, rv)]);
    }
    for left in (1..=rv).rev() {
        let half = 1 << (left - 1);
        let inner = (left - 1).min(10);
        let weights = ops(1, 0, (1 << inner) + (1 << (left - 1 - inner)));
        total += sum([chunks(left - 1, 10, f + 1), round(half), weights]);
        total += sum([ops(f * half, 0, 2 * f * half), factored_round(f, false)]);
    }
    total
}

/// The forest's sumchecks after `bytes` of messages, all levels and the last batch.
pub(super) fn forest(mut bytes: usize, trees: &[Box]) -> Counts {
    let own = trees;
    let trees: &[Box] = &own.iter().map(Box::argued).collect::<Vec<_>>();
    let depth = trees.iter().map(Box::col_vars).max().unwrap_or(0);
    let mut total = Counts::default();
    let mut started = 0;
    for left in (0..=depth).rev() {
        let joining = trees.iter().filter(|t| t.col_vars() == left).count();
        started += joining;
        if joining > 0 && started > 1 {
            total += draw(core::mem::take(&mut bytes));
        }
        if left == 0 {
            break;
        }
        let active = || trees.iter().filter(|t| t.col_vars() >= left);
        total += sum(active().map(|t| t.level(t.col_vars() - left)));
        let shapes: Vec<_> = active().map(|t| (t.col_vars() - left + t.row_vars(), 4)).collect();
        // A level without variables leaves what was sent to the next draw.
        let has_rounds = shapes.iter().any(|&(n_vars, _)| n_vars > 0);
        total += weighted(bytes, &shapes);
        if has_rounds {
            bytes = 0;
        }
        total += sum([join(shapes.len(), 2), times(shapes.len(), ops(1, 0, 2))]);
        total += draw(core::mem::take(&mut bytes) + message_bytes([2]));
    }
    let last: Vec<&Box> = trees.iter().filter(|t| t.fan_in > 1).collect();
    if !last.is_empty() {
        total += sum(own.iter().filter(|t| t.argued().fan_in > 1).map(Box::split));
        let shapes: Vec<_> =
            last.iter().map(|t| (t.col_vars() + t.row_vars(), t.fan_in + 2)).collect();
        let single = (last.len() < trees.len()).then_some(1);
        total += weighted(message_bytes(single), &shapes);
        let mut fan_ins: Vec<usize> = last.iter().map(|t| t.fan_in).collect();
        total += join(last.len(), fan_ins.iter().copied().max().unwrap_or(0));
        fan_ins.sort_unstable();
        fan_ins.dedup();
        total += draw(message_bytes(fan_ins));
    }
    total
}
