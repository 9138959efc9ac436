//! Axes: where a value lies, and which values have a tick.

/// Most steps of an axis from 0, and most ticks of one that has them at 1, 2 and 5 of a decade.
const MAX_TICKS: usize = 8;

/// How values spread.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spread {
    Linear,
    Logarithmic,
}

/// The range of an axis with its ticks.
#[derive(Clone, Debug)]
pub struct Scale {
    spread: Spread,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

impl Scale {
    /// From 0 to a round number that is at least `max`.
    pub fn from_zero(max: f64, label: impl Fn(f64) -> String) -> Self {
        let max = if max > 0.0 { max } else { 1.0 };
        let step = round_up(max / MAX_TICKS as f64);
        let n_steps = (max / step).ceil() as u32;
        let ticks = (0..=n_steps).map(|i| f64::from(i) * step);
        let ticks = ticks.map(|at| (at, label(at))).collect();
        Self { spread: Spread::Linear, low: 0.0, high: f64::from(n_steps) * step, ticks }
    }

    /// Logarithmic, between round numbers around the positive ones of `values`.
    pub fn logarithmic(
        values: impl IntoIterator<Item = f64>,
        label: impl Fn(f64) -> String,
    ) -> Self {
        let (low, high) = positive_range(values);
        let (low, mut high) = (round_down(low), round_up(high));
        if low == high {
            high *= 10.0;
        }
        let first = low.log10().floor() as i32;
        let last = high.log10().ceil() as i32;
        let every = |digits: &[f64]| -> Vec<f64> {
            let all = (first..=last).flat_map(|e| digits.iter().map(move |d| d * power(e)));
            let slack = 1.0 + 1e-9;
            all.filter(|v| low <= v * slack && *v <= high * slack).collect()
        };
        let mut at = every(&[1.0, 2.0, 5.0]);
        if at.len() > MAX_TICKS {
            at = every(&[1.0]);
        }
        let ticks = at.into_iter().map(|at| (at, label(at))).collect();
        Self { spread: Spread::Logarithmic, low, high, ticks }
    }

    /// Logarithmic from the first to the last of `values`, with a tick at each. Precondition: they
    /// are positive and increase.
    pub fn at(values: &[f64], label: impl Fn(f64) -> String) -> Self {
        let (low, high) = positive_range(values.iter().copied());
        let ticks = values.iter().map(|&at| (at, label(at))).collect();
        Self { spread: Spread::Logarithmic, low, high, ticks }
    }

    /// Where `value` lies, 0 at the low end and 1 at the high end.
    pub(super) fn position(&self, value: f64) -> f64 {
        let along = |v: f64| match self.spread {
            Spread::Linear => v,
            Spread::Logarithmic => v.max(f64::MIN_POSITIVE).ln(),
        };
        let (low, high) = (along(self.low), along(self.high));
        if low == high { 0.5 } else { ((along(value) - low) / (high - low)).clamp(0.0, 1.0) }
    }

    /// Values and labels of the ticks.
    pub(super) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }
}

/// The smallest and the largest positive value; 1 and 1 if there is none.
fn positive_range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let positive = values.into_iter().filter(|v| *v > 0.0 && v.is_finite());
    let range = positive.fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((low, high)) => Some((v.min(low), v.max(high))),
    });
    range.unwrap_or((1.0, 1.0))
}

/// `10^exponent`, exact where it is a whole number.
fn power(exponent: i32) -> f64 {
    10f64.powi(exponent)
}

/// The least of 1, 2 and 5 times a power of ten that is at least `value > 0`.
fn round_up(value: f64) -> f64 {
    let base = power(value.log10().floor() as i32);
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * base * (1.0 + 1e-9) >= value);
    factor.unwrap_or(10.0) * base
}

/// The largest of 1, 2 and 5 times a power of ten that is at most `value > 0`.
fn round_down(value: f64) -> f64 {
    let base = power(value.log10().floor() as i32);
    let factor = [5.0, 2.0].into_iter().find(|f| f * base <= value * (1.0 + 1e-9));
    factor.unwrap_or(1.0) * base
}
