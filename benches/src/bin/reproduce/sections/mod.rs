//! The sections of the report, a file each: the published figures as data, and what is done here.

mod commit;
mod fri;
mod hashes;
mod matmul;
mod operations;
mod soundness;
mod tensor_code;
mod tower;

use std::error::Error;

use binfer_cli::report::machine::available_memory;
use binfer_cli::report::table::Table;
use binfer_cli::report::units::bytes;

use crate::clock::Clock;
use crate::row::Row;

/// What a run covers.
pub(crate) struct Scope {
    /// Most data to commit to at once, as a logarithm of bits.
    pub(crate) max_log_size: u32,
    /// Whether it only matters that everything works.
    pub(crate) quick: bool,
}

/// Bytes of memory that a commitment may take for each byte of its data: the data, another copy or planes of them,
/// and a codeword of rate 1/4, or one of rate 1/2 with its tree.
const COPIES: u64 = 6;

/// Memory that is there where the system does not tell.
const ASSUMED: u64 = 2 << 30;

impl Scope {
    /// Why data of `2^log_bits` bits are not committed to, if they are not.
    fn refuses(&self, log_bits: u32) -> Option<String> {
        if log_bits > self.max_log_size {
            return Some("beyond --max-log-size".into());
        }
        let needed = COPIES << log_bits.saturating_sub(3);
        let available = available_memory().unwrap_or(ASSUMED);
        (needed > available).then(|| {
            format!("needs {} of memory, of which {} are free", bytes(needed), bytes(available))
        })
    }
}

/// A part of the report.
pub(crate) struct Section {
    /// The word that `--only` knows.
    pub(crate) name: &'static str,
    /// Its title.
    pub(crate) title: &'static str,
    /// Where the figures come from.
    pub(crate) source: &'static str,
    /// Measures and checks.
    pub(crate) run: fn(&Scope, &mut Clock) -> Outcome,
}

/// What a section makes, or why it cannot.
type Outcome = Result<Vec<Part>, Box<dyn Error>>;

/// What a section is made of, in the order of the page.
pub(crate) enum Part {
    /// Sentences.
    Text(String),
    /// Rows that the page's verdict counts.
    Rows(Vec<Row>),
    /// Figures with nothing beside them.
    Table(Table),
    /// A plot by name, as an SVG file.
    Plot(&'static str, String),
}

/// The sections, in their order.
pub(crate) const SECTIONS: [Section; 8] = [
    tower::SECTION,
    tensor_code::SECTION,
    fri::SECTION,
    commit::SECTION,
    hashes::SECTION,
    soundness::SECTION,
    matmul::SECTION,
    operations::SECTION,
];

/// The slope of the straight line of least squares through the logarithms of points: the exponent of
/// a power law.
///
/// Precondition: two points or more, not all of one first coordinate, all positive.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let logs = || points.iter().map(|&(x, y)| (x.ln(), y.ln()));
    let mean_x = logs().map(|p| p.0).sum::<f64>() / n;
    let mean_y = logs().map(|p| p.1).sum::<f64>() / n;
    let along: f64 = logs().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    along / logs().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_are_too_large_are_refused_with_a_reason() {
        let scope = |max_log_size| Scope { max_log_size, quick: false };
        assert_eq!(scope(20).refuses(20), None);
        assert_eq!(scope(20).refuses(21).unwrap(), "beyond --max-log-size");
        assert!(scope(60).refuses(60).unwrap().starts_with("needs "));
    }

    #[test]
    fn exponents_of_power_laws() {
        let points: Vec<(f64, f64)> =
            [1.0, 2.0, 8.0].iter().map(|&x: &f64| (x, 5.0 * x.powf(1.5))).collect();
        assert!((exponent(&points) - 1.5).abs() < 1e-12);
    }
}
