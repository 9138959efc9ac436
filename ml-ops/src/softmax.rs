//! Softmax of codes: the tables and steps of distances from the maximum, and of the sum of their exponentials.

use crate::exact::{exp, ln};
use crate::graph::{Edges, Function};

/// Fixed-point unit of exponentials and logarithms.
const UNIT: f64 = 65536.0;

/// The same where levels are as many as outputs tell apart.
const FINE_UNIT: f64 = (1 << 24) as f64;

/// Most codes that hold the sum of a row then.
const MAX_FINE_PARTS: usize = 64;

/// Largest exponent that is told from others.
const FARTHEST: f64 = 64.0;

/// Steps of one code.
const STEPS: u32 = 255;

/// Most codes that hold the sum of a row.
const MAX_PARTS: u32 = 8;

/// Half the spacing of sums' levels, as far as it goes into an output, in units of the output's code: what the
/// number of parts is chosen for.
const TOLERANCE: f64 = 0.51;

/// The functions of a softmax of rows of one length.
pub(crate) struct Functions {
    /// What a step of a distance stands for.
    scale: f64,
    /// The distance of elements that are left out.
    left_out: Option<i64>,
    /// What a step of an output stands for.
    output: f64,
    /// What an exponential of 1 has.
    one: f64,
    /// What a logarithm of 1 has.
    unit: f64,
    levels: Levels,
}

impl Functions {
    /// Of distances in steps of `scale`, in rows of `length`, into outputs of at most `most` in steps of `output`.
    pub(crate) fn new(
        scale: f64,
        length: usize,
        left_out: Option<i64>,
        (output, most): (f64, f64),
    ) -> Self {
        let one = f64::from(1u32 << exponential_bits(length, 16));
        let levels = Levels::Even(Even::new(length, output, most));
        Self { scale, left_out, output, one, unit: UNIT, levels }
    }

    /// The same with the levels of sums between which no output has another code, up to the fixed point's rounding;
    /// `None` if they are too many.
    pub(crate) fn fine(scale: f64, length: usize, (output, most): (f64, f64)) -> Option<Self> {
        let most_edges = MAX_FINE_PARTS * STEPS as usize;
        let (farthest, largest) = (exp(-scale * 255.0), length as f64);
        let least = 1.0 + (largest - 1.0) * farthest;
        let mut edges = Vec::new();
        for distance in 0..=255 {
            let exponential = exp(-scale * f64::from(distance));
            for code in 1..=u8::MAX {
                let sum = exponential / ((f64::from(code) - 0.5) * output);
                if sum <= least || f64::from(code) * output > most + output / 2.0 {
                    break;
                }
                if sum < largest {
                    edges.push(sum);
                }
            }
            if edges.len() > most_edges {
                return None;
            }
        }
        edges.sort_unstable_by(f64::total_cmp);
        let one = f64::from(1u32 << exponential_bits(length, 26));
        let levels = Levels::Told { edges, least, largest };
        Some(Self { scale, left_out: None, output, one, unit: FINE_UNIT, levels })
    }

    /// The logarithm of a distance's exponential, less that of the lowest level.
    pub(crate) fn distances(&self) -> Function {
        let lowest = (self.unit * self.levels.logarithm(0.0)).round_ties_even();
        Function::table(|code| {
            let exponent = self.scale * code as f64;
            let is_far = self.left_out == Some(code);
            let exponent = if is_far { FARTHEST } else { exponent.min(FARTHEST) };
            -((self.unit * exponent).round_ties_even() + lowest) as i64
        })
    }

    /// The exponential.
    pub(crate) fn exponentials(&self) -> Function {
        Function::table(|code| match self.left_out == Some(code) {
            true => 0,
            false => (self.one * exp(-self.scale * code as f64)).round_ties_even() as i64,
        })
    }

    /// Codes that hold the sum of a row.
    pub(crate) fn parts(&self) -> u32 {
        self.levels.parts()
    }

    /// The step of a sum to the levels of a part that it has passed.
    pub(crate) fn edges(&self, part: u32) -> Edges {
        let first = STEPS * part;
        match &self.levels {
            Levels::Even(levels) => Edges::rising(0, 255, |code| {
                let level = f64::from(first + u32::from(code)) - 0.5;
                self.one / exp(-levels.logarithm(level))
            }),
            Levels::Told { edges, .. } => {
                let of_part = edges.iter().skip(first as usize).take(STEPS as usize);
                let of_part: Vec<f64> = of_part.map(|sum| self.one * sum).collect();
                let last = of_part.len().min(255) as u8;
                Edges::rising(0, last, |code| {
                    let number = usize::from(code).saturating_sub(1);
                    of_part.get(number).copied().unwrap_or(f64::INFINITY)
                })
            }
        }
    }

    /// What the levels of a part that a sum has passed take off the logarithm of an output.
    pub(crate) fn logarithms(&self, part: u32) -> Function {
        let of = |code: i64| {
            let level = f64::from(STEPS * part) + code as f64;
            (self.unit * self.levels.logarithm(level)).round_ties_even() as i64
        };
        Function::table(|code| of(0) - of(code))
    }

    /// The step of an output's logarithm to its code, from `first` to `last`, `zero` standing for zero.
    pub(crate) fn outputs(&self, zero: u8, first: u8, last: u8) -> Edges {
        let least =
            |code: u8| self.unit * ln((f64::from(code) - f64::from(zero) - 0.5) * self.output);
        Edges::rising(first, last, least)
    }
}

/// Bits of an exponential of 1 in rows of `length`, which leave room for the sum of a row in 31.
fn exponential_bits(length: usize, most: u32) -> u32 {
    29u32.saturating_sub(length.ilog2()).min(most)
}

/// Levels of sums of exponentials of which the largest is 1.
enum Levels {
    Even(Even),
    /// Those between the sums at which some output's code changes, in order, from a least sum to a largest.
    Told {
        edges: Vec<f64>,
        least: f64,
        largest: f64,
    },
}

impl Levels {
    /// Codes that number the levels.
    fn parts(&self) -> u32 {
        match self {
            Self::Even(levels) => levels.parts,
            Self::Told { edges, .. } => (edges.len() as u32).div_ceil(STEPS).max(1),
        }
    }

    /// The logarithm of the sum at a level.
    fn logarithm(&self, level: f64) -> f64 {
        match self {
            Self::Even(levels) => levels.logarithm(level),
            Self::Told { edges, least, largest } => {
                let number = level as usize;
                let above = edges.get(number).unwrap_or(largest);
                let below = number
                    .checked_sub(1)
                    .map_or(*least, |at| edges.get(at).or(edges.last()).copied().unwrap_or(*least));
                (ln(*above) + ln(below)) / 2.0
            }
        }
    }
}

/// Levels of `s`, between 1 and the number of summands, as few as do.
///
/// An output is at most `y(s) = min(most, 1/s)`, and moves by `y dln(s)` with the logarithm of the sum. Levels are
/// spaced evenly in the integral of that from 1 on: `most ln(s)` up to `1/most`, and on by `most - 1/s`.
struct Even {
    /// Codes that number the levels.
    parts: u32,
    /// The integral at the largest sum.
    whole: f64,
    /// The largest output that the output's codes hold, between 0 and 1.
    most: f64,
}

impl Even {
    /// Those for sums of `n` exponentials, into outputs of at most `most` in steps of `scale`.
    fn new(n: usize, scale: f64, most: f64) -> Self {
        let most = most.clamp(scale.min(1.0), 1.0);
        let least = 1.0 / n as f64;
        let whole = if least >= most { -most * ln(least) } else { most - least - most * ln(most) };
        let parts = (whole / (2.0 * TOLERANCE * scale * f64::from(STEPS))).ceil();
        Self { parts: (parts as u32).clamp(1, MAX_PARTS), whole, most }
    }

    /// The logarithm of the sum at `level`, of `255 * parts` and between them.
    fn logarithm(&self, level: f64) -> f64 {
        let at = self.whole * level / f64::from(STEPS * self.parts);
        let turn = -self.most * ln(self.most);
        if at <= turn { at / self.most } else { -ln(self.most - (at - turn)) }
    }
}
