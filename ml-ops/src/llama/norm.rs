//! Norms: the reciprocal size of each row of the residual stream, and codes of the rows brought to size 1.

use super::builder::{Builder, To, along, gather, linear, mapped, repeated, through};
use super::forward::NormRanges;
use super::functions::{power, spread};
use crate::exact::ln;
use crate::graph::{CodeMatrix, Edges, Function, TensorId, signed_bits};

/// How much more than what was seen activations may range over, and what of codes is left free for it.
pub(super) const MARGIN: f64 = 1.05;

/// Largest factor of a feature.
const MAX_FACTOR: f64 = 31.0;

/// How much smaller and larger than what was seen the size of a row may be.
const ROOM: f64 = 3.0;

/// Relative spacing of reciprocals, about.
const SPACING: f64 = 1.0 / 96.0;

/// The least reciprocal in units of its integers.
const LEAST: f64 = 64.0;

/// Bits of the square of the largest element.
const SQUARE_BITS: i32 = 30;

/// The residual stream at some node.
#[derive(Clone, Copy)]
pub(super) struct Stream {
    pub(super) tensor: TensorId,
    /// What 1 stands for.
    pub(super) unit: f64,
}

/// Normalized rows, transposed: a row for each feature of the stream, a column for each token.
pub(super) struct Normalized {
    tensor: TensorId,
    tokens: usize,
    width: usize,
    /// What one step of a code stands for in feature `j` is this times the inverse of `factors[j]`.
    pub(super) scale: f64,
    /// For each feature, at least 1.
    pub(super) factors: Vec<f64>,
}

impl Normalized {
    /// What the weights behind it are multiplied by.
    pub(super) fn inverses(&self) -> Vec<f64> {
        self.factors.iter().map(|factor| 1.0 / factor).collect()
    }

    /// Bits of sums of its products with integers of at most `most` in size.
    pub(super) fn sum_bits(&self, most: i32) -> u32 {
        signed_bits(self.factors.len() as i64 * 128 * i64::from(most + 1))
    }

    /// The matrix of a row for each token.
    pub(super) fn matrix(&self) -> CodeMatrix {
        let map = gather(
            (&[self.tokens], &[self.width]),
            &[0, 0],
            &[along(0, self.tokens)],
            &[along(1, self.width)],
        );
        through(self.tensor, map, 128)
    }
}

/// What is normalized: rows of the stream, all or the last only.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// Rows of the stream.
    pub(super) all: usize,
    /// The first that is normalized, and then all.
    pub(super) first: usize,
}

impl Rows {
    fn count(self) -> usize {
        self.all - self.first
    }
}

impl Builder {
    /// Codes of the rows of `x`, which ranged over `seen`, brought to size 1. `behind` has the largest weight that each
    /// feature meets next, relative to the largest of all: what a feature's factor makes up for.
    pub(super) fn normalized(
        &mut self,
        name: &str,
        x: Stream,
        rows: Rows,
        seen: &NormRanges,
        behind: &[f64],
        epsilon: f64,
    ) -> Normalized {
        let (width, tokens) = (behind.len(), rows.count());
        let reciprocals = self.reciprocals(name, x, rows, seen, (width, epsilon));
        // Features are divided by the geometric mean of their range and the inverse of their weights.
        let inverse =
            |(range, weight): (&f32, &f64)| (weight.max(1e-4) / f64::from(*range).max(1e-3)).sqrt();
        let inverses: Vec<f64> = seen.features.iter().zip(behind).map(inverse).collect();
        let largest = inverses.iter().copied().fold(0.0, f64::max);
        let factor = |inverse: &f64| (inverse / largest * MAX_FACTOR).round_ties_even().max(1.0);
        let factors: Vec<f64> = inverses.iter().map(factor).collect();
        let ranges = seen.features.iter().zip(&factors).map(|(&range, f)| f64::from(range) * f);
        let scale = ranges.fold(0.0, f64::max).max(1e-9) * MARGIN / 127.0;
        // Rows are features, and each token is a head.
        let map = |source: (&[usize], &[usize]), first: usize, rows, cols| {
            gather(source, &[0, first as i64], &[rows], &[cols])
        };
        let a = map((&[width], &[rows.all]), rows.first, along(0, width), along(1, tokens));
        let b = map((&[1], &[tokens]), 0, repeated(1), along(1, tokens));
        let operands = [through(x.tensor, a, 0), through(reciprocals.tensor, b, 0)];
        let row_factors = factors.iter().map(|&factor| factor as i64).collect();
        let step = linear(scale / (x.unit * reciprocals.unit));
        let size = (width, tokens);
        let name = format!("{name}/normalized");
        let to = To::Codes(step);
        let tensor = self.batch_matmul(name, size, operands, tokens, Some(row_factors), to);
        Normalized { tensor, tokens, width, scale, factors }
    }

    /// The reciprocal of each row's size.
    fn reciprocals(
        &mut self,
        name: &str,
        x: Stream,
        rows: Rows,
        seen: &NormRanges,
        (width, epsilon): (usize, f64),
    ) -> Stream {
        let tokens = rows.count();
        let (least, most) = (f64::from(seen.rms.0) / ROOM, f64::from(seen.rms.1) * ROOM);
        let levels = Levels::new(2.0 * f64::from(seen.most), least * ROOM / 2.0);
        let source: (&[usize], &[usize]) = (&[width], &[rows.all]);
        let offsets = [0, rows.first as i64];
        let map = gather(source, &offsets, &[along(1, tokens)], &[along(0, width)]);
        let terms = vec![mapped(x.tensor, map, 1, Function::Times(1))];
        let step = levels.edges(x.unit);
        let of = |part: &str| format!("{name}/{part}");
        let levelled = self.sum(of("levels"), (tokens, width), terms, To::Codes(step));
        // The square of the largest level has `SQUARE_BITS`.
        let largest = levels.level(-128.0);
        let unit = largest * largest / power(f64::from(SQUARE_BITS) * std::f64::consts::LN_2);
        // Negative, as reciprocals grow where sums fall.
        let square = Function::table(|code| {
            let level = levels.level(code as f64 - 128.0);
            -(level * level / unit).round_ties_even() as i64
        });
        // Reciprocals of the root of the mean square, evenly spaced in their logarithm.
        let (lowest, ratio) = (1.0 / most, ln(most / least));
        let parts = (ratio / (255.0 * SPACING)).ceil().max(1.0) as usize;
        let reciprocal = |level: f64| lowest * power(ratio * level / (255.0 * parts as f64));
        let step = |part: usize| {
            Edges::rising(0, 255, |code| {
                let r = reciprocal(255.0 * part as f64 + f64::from(code) - 0.5);
                (epsilon - 1.0 / (r * r)) * width as f64 / unit
            })
        };
        let cols = [repeated(parts), along(0, width)];
        let map = gather((&[width], &[tokens]), &[0, 0], &[along(1, tokens)], &cols);
        let terms = vec![mapped(levelled, map, width, square)];
        let steps: Vec<Edges> = (0..parts).map(step).collect();
        let codes = self.sum(of("steps"), (tokens, parts), terms, To::Columns(steps));
        let unit = lowest / LEAST;
        let integer = |level: f64| (reciprocal(level) / unit).round_ties_even() as i64;
        let term = |part: usize| {
            let first = 255.0 * part as f64;
            let base = if part == 0 { 0 } else { integer(first) };
            let function = Function::table(|code| integer(first + code as f64) - base);
            let source: (&[usize], &[usize]) = (&[parts], &[tokens]);
            let map = gather(source, &[part as i64, 0], &[along(1, tokens)], &[repeated(1)]);
            mapped(codes, map, 1, function)
        };
        let terms = (0..parts).map(term).collect();
        let bits = signed_bits(integer(255.0 * parts as f64));
        let tensor = self.sum(of("reciprocal"), (tokens, 1), terms, To::Integers(bits));
        Stream { tensor, unit }
    }
}

/// Levels of the elements of a row: evenly spaced near zero, by a ratio far from it.
struct Levels {
    /// Up to where they are evenly spaced, about.
    knee: f64,
    /// Logarithm of the ratio.
    ratio: f64,
}

impl Levels {
    /// Those of numbers of at most `most` in size.
    fn new(most: f64, knee: f64) -> Self {
        Self { knee, ratio: ln(1.0 + most / knee) / 127.0 }
    }

    /// The number of a level from -128 to 127, or between two.
    fn level(&self, at: f64) -> f64 {
        spread(self.knee, at * self.ratio)
    }

    fn edges(&self, unit: f64) -> Edges {
        Edges::rising(0, 255, |code| self.level(f64::from(code) - 128.5) / unit)
    }
}
