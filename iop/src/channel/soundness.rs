//! Soundness errors as labelled terms whose union bound is the proof's.

/// One event that lets a false statement pass, and a bound on its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundnessTerm {
    /// What must happen: the argument and the theorem behind the bound.
    pub label: &'static str,
    /// The base-2 logarithm of the bound; more negative is better.
    pub log2_error: f64,
}

impl SoundnessTerm {
    /// A term from the Schwartz-Zippel lemma: `degree / 2^128`.
    pub fn schwartz_zippel(label: &'static str, degree: f64) -> Self {
        Self { label, log2_error: degree.log2() - 128.0 }
    }
}

/// `log2` of a sum of probabilities given by their logarithms: the union bound.
pub fn log2_sum(logs: impl IntoIterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = logs.into_iter().collect();
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + logs.iter().map(|l| (l - top).exp2()).sum::<f64>().log2()
}
