//! What a QuantizeLinear makes codes of: floats after bounds, or a rising function of them.

use super::value::Scaling;
use crate::graph::{CodeType, quantize};

/// What a QuantizeLinear makes codes of, after the bounds of Relus and Clips.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) low: f32,
    pub(super) high: f32,
    pub(super) to: Scaling,
    pub(super) dtype: CodeType,
    /// Codes are not those of the floats but this function of them.
    pub(super) through: Option<Through>,
}

/// A function from floats to codes, which rises with them.
#[derive(Debug, Clone)]
pub(super) struct Through {
    first: u8,
    /// The least float of each code above the first.
    edges: Vec<f32>,
    ends: [f32; 2],
}

impl Target {
    /// Without bounds.
    pub(super) fn unbounded(to: Scaling, dtype: CodeType) -> Self {
        Self { low: f32::NEG_INFINITY, high: f32::INFINITY, to, dtype, through: None }
    }

    /// The code of a float.
    pub(super) fn code(&self, x: f32) -> u8 {
        match &self.through {
            Some(through) => through.code(x),
            None => self.quantized(x.max(self.low).min(self.high)),
        }
    }

    /// The codes of the bounds.
    pub(super) fn ends(&self) -> (u8, u8) {
        match &self.through {
            Some(Through { first, edges, .. }) => (*first, *first + edges.len() as u8),
            None => (self.quantized(self.low), self.quantized(self.high)),
        }
    }

    /// The number from which on numbers have at least `code`, which is one between the ends.
    pub(super) fn least(&self, code: u8) -> f64 {
        match &self.through {
            Some(through) => through.least(code),
            None => {
                let zero = f64::from(self.zero_code());
                (f64::from(code) - 0.5 - zero) * f64::from(self.to.scale)
            }
        }
    }

    /// How far the numbers from which on there are other codes are apart, at least.
    pub(super) fn fineness(&self) -> f64 {
        let Some(Through { edges, ends: [low, high], .. }) = &self.through else {
            return self.to.scale.into();
        };
        let gaps = edges.windows(2).map(|pair| f64::from(pair[1]) - f64::from(pair[0]));
        let widest = (f64::from(*high) - f64::from(*low)).max(f32::MIN_POSITIVE.into());
        gaps.filter(|gap| *gap > 0.0).fold(widest, f64::min)
    }

    /// The code of zero.
    pub(super) fn zero_code(&self) -> u8 {
        (self.to.zero_point - self.dtype.min()) as u8
    }

    fn quantized(&self, x: f32) -> u8 {
        quantize(x, self.to.scale, self.to.zero_point, self.dtype)
    }
}

impl Through {
    /// The function `code` of floats between two ends, taken to rise where it falls by less than what is noticed.
    pub(super) fn new(code: impl Fn(f32) -> u8, ends: [f32; 2]) -> Self {
        let [low, high] = ends.map(number);
        let (first, last) = (code(ends[0]), code(ends[1]));
        let least = |wanted: u8| {
            let (mut below, mut from) = (low, high);
            while from - below > 1 {
                let middle = below + (from - below) / 2;
                *(if code(float(middle)) >= wanted { &mut from } else { &mut below }) = middle;
            }
            float(from)
        };
        let mut edges: Vec<f32> = (first..last).map(|below| least(below + 1)).collect();
        edges.sort_by(f32::total_cmp);
        Self { first, edges, ends }
    }

    fn code(&self, x: f32) -> u8 {
        self.first + self.edges.partition_point(|edge| *edge <= x) as u8
    }

    /// The least float of at least `code`.
    fn least(&self, code: u8) -> f64 {
        let above = code.saturating_sub(self.first);
        let edge = usize::from(above).checked_sub(1).and_then(|at| self.edges.get(at));
        f64::from(*edge.unwrap_or(&self.ends[usize::from(above > 0)]))
    }
}

/// The number of a float, in their order.
fn number(x: f32) -> i64 {
    let size = i64::from(x.abs().to_bits());
    if x.is_sign_negative() { -size } else { size }
}

/// The float of a number.
fn float(number: i64) -> f32 {
    // Sizes are those of floats.
    let size = f32::from_bits(number.unsigned_abs() as u32);
    if number < 0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_through_a_function() {
        let to = Scaling { scale: 0.25, zero_point: 10 };
        let plain = Target::unbounded(to, CodeType::U8);
        let code = plain.clone();
        // A cube, on both sides of zero.
        let cube = move |x: f32| code.code(x * x * x);
        let through = Through::new(cube, [-1.0, 3.0]);
        let target = Target { through: Some(through), ..plain.clone() };
        assert_eq!(target.ends(), (6, 118));
        assert_eq!((target.code(2.0), target.code(-9.0), target.code(9.0)), (42, 6, 118));
        for code in 7..=118 {
            let least = target.least(code) as f32;
            assert!(target.code(least) >= code && target.code(float(number(least) - 1)) < code);
        }
        assert_eq!(target.least(6), -1.0);
        assert!((target.fineness() - 0.25 / 27.0).abs() < 1e-4, "{}", target.fineness());
        assert_eq!((plain.least(12), plain.fineness()), (0.375, 0.25));
    }
}
