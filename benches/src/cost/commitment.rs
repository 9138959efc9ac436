//! Committing and opening (`pcs`), one claim group on bits.

use binfer_field::count::Counts;
use binfer_pcs::{Params, log_row_for};

use super::ops::{blake3, compressions, draw, draw_many, eq_table, message_bytes, ops, sum, times};

/// An oracle of bits.
pub(super) struct Oracle {
    /// Words with data, tile by tile.
    pub(super) tiles: Vec<usize>,
    log_row: u32,
    n_rows: usize,
}

/// Words of salt beside a model's weights.
const SALT: usize = 2;

/// Words of a chunk of weights.
const CHUNK: usize = 1 << 11;

impl Oracle {
    pub(super) fn new(tiles: Vec<usize>) -> Self {
        let n_words = tiles.iter().sum::<usize>() + SALT;
        let log_row = log_row_for(&Params::default(), n_words);
        Self { tiles, log_row, n_rows: n_words.div_ceil(1 << log_row) }
    }

    fn length(&self) -> usize {
        1 << self.log_row
    }

    /// Butterflies of `rows` rows, and of each coset the table of twiddles.
    fn encode(&self, params: &Params, rows: usize) -> Counts {
        let layers = self.log_row as usize;
        let n = (rows << params.log_inv_rate) * layers * self.length() / 2;
        let twiddles = (1 << layers.min(11).saturating_sub(1)) - 1;
        ops(n, 0, 2 * n + (twiddles << params.log_inv_rate))
    }

    pub(super) fn commit(&self, params: &Params) -> Counts {
        let leaves = self.length() << params.log_inv_rate;
        let hashes = leaves * blake3(16 * self.n_rows) + leaves - 1;
        sum([self.encode(params, self.n_rows), compressions(hashes)])
    }

    /// After `bytes` of messages.
    pub(super) fn open(&self, params: &Params, bytes: usize) -> Counts {
        let words: usize = self.tiles.iter().sum();
        let parts = |tile: usize| tile.div_ceil(CHUNK);
        let n_parts: usize = self.tiles.iter().map(|&t| parts(t)).sum();
        let mut sizes: Vec<usize> = self.tiles.iter().map(|&t| t.min(CHUNK)).collect();
        sizes.dedup();
        let mut total = sum(sizes.into_iter().map(|size| eq_table(log(size))));
        // Sums by bits.
        total += ops(words + n_parts, 0, 16 * words);
        // Weights of all words.
        let chunk = CHUNK.min(self.length());
        let covered = words.div_ceil(chunk) * chunk;
        total += ops(words + n_parts, 0, words + 16 * covered);
        // Powers that batch the claims, and the group's among all groups.
        total += ops(2 * self.tiles.len(), 0, 0);
        total += self.sumcheck(params);
        total += sum([draw(bytes), draw(message_bytes([128])), draw_many(0, 7)]);
        // The table of r'' and that of the map.
        total += sum([eq_table(7), ops(0, 0, 16 * 255)]);
        // Halves of the parts are summed apart where both have four, each onto zeros, then joined.
        let joins = if n_parts < 8 { 1 } else { 3 };
        total += ops(0, 0, joins * 128);
        total
    }

    fn sumcheck(&self, params: &Params) -> Counts {
        let (rows, length) = (self.n_rows, self.length());
        let mut total = Counts::default();
        let n_vars = rows.next_power_of_two().ilog2();
        if n_vars > 0 {
            let half = 1 << (n_vars - 1);
            let (paired, single) = (rows - half, 2 * half - rows);
            // The round, then the rows bound and the weights.
            total += times(length, ops(2 * paired + single, 0, 6 * paired + single));
            total += times(length, ops(2 * paired + 2 * single, 0, 4 * paired));
            for left in (1..n_vars).rev() {
                let pairs = length << (left - 1);
                total += ops(4 * pairs, 0, 10 * pairs);
            }
            total += times(n_vars as usize, draw(31 + 32));
        }
        total += ops(4 * (length - 1), 0, 8 * (length - 1));
        total += times(self.log_row as usize, draw(31 + 32));
        total += self.fold(params);
        total
    }

    /// The folded codewords, the message in the clear and the positions of queries.
    fn fold(&self, params: &Params) -> Counts {
        let steps = schedule(params, self.log_row);
        let left = self.log_row - steps.iter().sum::<u32>();
        // The message, the key of grinding, the positions: those beyond the draw's own block take others.
        let positions = (32 + 8 * params.queries()).div_ceil(64) - 1;
        let clear = sum([compressions(blake3(16 << left) + positions), times(2, draw(0))]);
        let Some(_) = steps.first() else {
            return clear;
        };
        let mut symbols = self.length() << params.log_inv_rate;
        let mut total = sum([self.encode(params, 1), ops(0, 0, symbols / 2)]);
        for (i, &step) in steps.iter().enumerate() {
            let leaves = symbols >> step;
            total += compressions(leaves * blake3(16 << step) + leaves - 1);
            // Its root, before a round.
            total += compressions(1);
            for _ in 0..step {
                symbols /= 2;
                if i + 1 < steps.len() {
                    total += ops(2 * symbols, 0, 4 * symbols);
                }
            }
        }
        sum([total, clear])
    }
}

fn log(n: usize) -> usize {
    n.ilog2() as usize
}

/// The folds with the least estimated bytes, as the commitment's page says.
fn schedule(params: &Params, log_message: u32) -> Vec<u32> {
    let oracle = |m: u32, step: u32| {
        let log_leaves = m + params.log_inv_rate - step;
        let opened = (params.queries() as u64).min(1 << log_leaves);
        opened * ((16 << step) + 32 * u64::from(log_leaves.saturating_sub(opened.ilog2()))) + 32
    };
    let mut best: Vec<(u64, u32)> = Vec::new();
    for m in 0..=log_message {
        let folds = 1..=params.log_arity.min(m);
        let folds = folds.map(|step| (best[(m - step) as usize].0 + oracle(m, step), step));
        best.push(folds.fold((16 << m, 0), |least, other| least.min(other)));
    }
    let mut steps = Vec::new();
    let mut m = log_message;
    while best[m as usize].1 > 0 {
        steps.push(best[m as usize].1);
        m -= best[m as usize].1;
    }
    steps
}
