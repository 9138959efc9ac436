//! The time of a commitment is proportional to the bits of the data, not to the coefficients.

use binfer_benches::{tensor_commit_time, words_commit_time};
use binfer_cli::report::plot::{Axis, LinePlot, Scale, Series};
use binfer_cli::report::table::Table;
use binfer_cli::report::units::{plural, tick_ms, time};
use binfer_pcs::Params;
use binfer_pcs::tensor_code::{self, Alphabet};

use super::{Part, Section, exponent};
use crate::row::Row;
use crate::row::hardware::AUTHORS;

/// Coefficients, as a logarithm, of the published times.
const LOG_PUBLISHED: u32 = 28;
/// Logarithm of a coefficient's bits, and the time in the original.
const PUBLISHED: [(u32, &str); 4] =
    [(0, "0.586 s"), (3, "5.173 s"), (5, "29.36 s"), (6, "58.62 s")];
/// Logarithms of the coefficients of our series.
const SIZES: [u32; 4] = [20, 22, 24, 26];
/// Logarithms of the bits of a coefficient.
const WIDTHS: std::ops::RangeInclusive<u32> = 0..=7;

/// A time that was measured.
struct Time {
    log_coefficients: u32,
    log_width: u32,
    ns: f64,
}

pub(super) const SECTION: Section = Section {
    name: "commit",
    title: "Commit time proportional to bits",
    source: "The authors of DP24, one thread, rate 1/2, on an i9-13900H. At 2^28 coefficients FRI \
             over Goldilocks with Keccak takes 29.36 s at any width there, and Hyrax over BN254 85 to \
             605 s. The law is the point: ours is time against width, for each number of coefficients.",
    run: |scope, clock| {
        let sizes = if scope.quick { &SIZES[..1] } else { &SIZES };
        let repeats = clock.effort().runs.min(3) as usize;
        let params = Params { security_bits: 100, ..Params::fast() };
        let mut times = Vec::new();
        let mut tensor = Vec::new();
        for &log_coefficients in sizes {
            for log_width in WIDTHS {
                if scope.refuses(log_coefficients + log_width).is_some() {
                    continue;
                }
                clock.says(&format!(
                    "2^{log_coefficients} coefficients of {}",
                    plural(1 << log_width, "bit")
                ));
                let ns = words_commit_time(&params, log_coefficients, log_width, repeats);
                times.push(Time { log_coefficients, log_width, ns: ns.as_nanos() as f64 });
                let alphabet = if log_width <= 4 { Alphabet::B16 } else { Alphabet::B32 };
                let shape =
                    tensor_code::Params::smallest(log_coefficients, log_width, alphabet, 1, 100);
                if let (Ok(shape), true) = (shape, log_width <= 5) {
                    let ns = tensor_commit_time(&shape, repeats).as_nanos() as f64;
                    tensor.push(Time { log_coefficients, log_width, ns });
                }
            }
        }
        let mut rows = Vec::new();
        for (log_width, original) in PUBLISHED {
            let what =
                format!("2^{LOG_PUBLISHED} coefficients of {}", plural(1 << log_width, "bit"));
            let refusal = if scope.quick {
                Some("left out of a quick run".into())
            } else {
                scope.refuses(LOG_PUBLISHED + log_width)
            };
            let ours = refusal.unwrap_or_else(|| {
                clock.says(&what);
                time(words_commit_time(&params, LOG_PUBLISHED, log_width, 2).as_nanos() as u64)
            });
            rows.push(Row::machine(what, original, AUTHORS, ours));
        }
        rows.extend(law("FRI with ring switching", &times));
        rows.extend(law("tensor code", &tensor));
        Ok(vec![
            Part::Rows(rows),
            Part::Text(
                "FRI with ring switching, one thread, rate 1/2, by bits of a coefficient.".into(),
            ),
            Part::Table(table(sizes, &times)),
            Part::Text(
                "The tensor code of DP23, one thread, rate 1/2, the shape of the shortest proof, \
                 alphabet of 16 bits up to coefficients of 16 and else of 32."
                    .into(),
            ),
            Part::Table(table(sizes, &tensor)),
            Part::Plot("commit", plot(sizes, &times)),
        ])
    },
};

/// The exponent of the bits in the times of data of 2^20 bits and more, if there are enough of them.
fn law(scheme: &str, times: &[Time]) -> Option<Row> {
    let large = times.iter().filter(|t| t.log_coefficients + t.log_width >= 20);
    let points: Vec<(f64, f64)> = large.map(|t| (bits(t), t.ns)).collect();
    let power = (points.len() > 2).then(|| exponent(&points))?;
    Some(Row::law(
        format!("{scheme}: time of 2^20 bits and more"),
        "bits^1, within 0.25",
        format!("bits^{power:.2}"),
        (power - 1.0).abs() <= 0.25,
    ))
}

fn bits(time: &Time) -> f64 {
    f64::from(time.log_coefficients + time.log_width).exp2()
}

fn table(sizes: &[u32], times: &[Time]) -> Table {
    let mut titles = vec!["coefficients".to_owned()];
    titles.extend(WIDTHS.map(|log_width| (1 << log_width).to_string()));
    let titles: Vec<&str> = titles.iter().map(|title| &title[..]).collect();
    let mut table = Table::new(1, &titles);
    for &size in sizes {
        let at = |log_width: u32| {
            let found =
                times.iter().find(|t| t.log_coefficients == size && t.log_width == log_width);
            found.map_or_else(|| "–".into(), |t| time(t.ns as u64))
        };
        table.row([format!("2^{size}")].into_iter().chain(WIDTHS.map(at)));
    }
    table
}

fn plot(sizes: &[u32], times: &[Time]) -> String {
    let of = |size: u32| -> Vec<(f64, f64)> {
        let such = times.iter().filter(|t| t.log_coefficients == size);
        such.map(|t| (f64::from(t.log_width).exp2(), t.ns / 1e6)).collect()
    };
    let mut series: Vec<Series> = sizes
        .iter()
        .map(|&size| Series::measured(&format!("2^{size} coefficients"), of(size)))
        .collect();
    let last = sizes.last().map(|&size| of(size)).unwrap_or_default();
    let law = last.last().map_or_else(Vec::new, |&(width, ms)| {
        last.iter().map(|&(w, _)| (w, ms * w / width)).collect()
    });
    series.push(Series::law("proportional to bits", law));
    let all: Vec<f64> = series.iter().flat_map(|s| &s.points).map(|p| p.1).collect();
    let widths: Vec<f64> = WIDTHS.map(|w| f64::from(w).exp2()).collect();
    LinePlot {
        title: "Committing, one thread, rate 1/2".into(),
        x: Axis {
            title: "bits of a coefficient".into(),
            scale: Scale::at(&widths, |w| format!("{w}")),
        },
        y: Axis { title: "time".into(), scale: Scale::logarithmic(all, tick_ms) },
        series,
    }
    .svg()
}
