//! The small-field commitment with the tensor code: sizes of proofs, and proofs of these sizes.

use std::error::Error;

use binfer_benches::bytes;
use binfer_cli::report::plot::{Axis, LinePlot, Scale, Series};
use binfer_cli::report::table::Table;
use binfer_cli::report::units::{self, count, plain, time};
use binfer_hash::Transcript;
use binfer_pcs::tensor_code::{Alphabet, Params, commit, open, verify};

use super::{Part, Scope, Section};
use crate::clock::Clock;
use crate::row::Row;

/// Bits of security of all rows.
const SECURITY: u32 = 100;
/// Bytes of a MiB.
const MIB: f64 = (1 << 20) as f64;

/// A published size.
enum Published {
    /// In MiB, to three places.
    Mib(&'static str),
    /// In bytes, with the logarithms of rows and columns.
    Bytes(u64, u32, u32),
}
use Published::{Bytes, Mib};

/// Logarithm of a coefficient's bits, alphabet, logarithm of one over the rate, sizes by the
/// logarithm of the number of coefficients.
type Sizes = (u32, Alphabet, u32, &'static [(u32, Published)]);

const PUBLISHED: [Sizes; 6] = [
    (
        0,
        Alphabet::B16,
        2,
        &[
            (20, Mib("0.180")),
            (24, Mib("0.593")),
            (28, Bytes(2_327_296, 12, 16)),
            (32, Mib("8.697")),
        ],
    ),
    (3, Alphabet::B16, 2, &[(20, Mib("0.193")), (24, Mib("0.607")), (28, Mib("2.885"))]),
    (
        5,
        Alphabet::B32,
        2,
        &[(20, Mib("0.265")), (24, Mib("0.866")), (28, Bytes(3_399_552, 11, 17))],
    ),
    (0, Alphabet::B16, 1, &[(28, Mib("2.978"))]),
    (3, Alphabet::B16, 1, &[(28, Mib("3.000"))]),
    (5, Alphabet::B32, 1, &[(28, Mib("4.015"))]),
];

pub(super) const SECTION: Section = Section {
    name: "tensor-code",
    title: "Small-field commitment with the tensor code",
    source: "DP23 (ePrint 2023/1784), constructions 3.7 and 3.11, tables of proof sizes: 100 bits, \
             the shape of the shortest proof. Sizes are those of whole proofs, which nothing frames: \
             the root, 32 bytes, and the value, 16 bytes, are in the statement.",
    run: |scope, clock| {
        let mut rows = Vec::new();
        for (log_coefficient, alphabet, log_inv_rate, sizes) in &PUBLISHED {
            for (n_vars, published) in *sizes {
                let params = Params::smallest(
                    *n_vars,
                    *log_coefficient,
                    *alphabet,
                    *log_inv_rate,
                    SECURITY,
                )?;
                rows.push(size_row(&params, published));
            }
        }
        for (log_inv_rate, published) in [(2, 148), (1, 241)] {
            let params = Params::smallest(28, 0, Alphabet::B16, log_inv_rate, SECURITY)?;
            let what = format!("queries at rate 1/{}, 2^28 bits", 1 << log_inv_rate);
            rows.push(Row::exact(what, published, params.queries));
        }
        let (run, table) = proofs(scope, clock)?;
        rows.extend(run);
        Ok(vec![
            Part::Rows(rows),
            Part::Text(format!(
                "Proofs of random data up to 2^{} bits, made and verified: rate 1/4, BLAKE3, all \
                 threads; columns are the parts of a proof.",
                scope.max_log_size
            )),
            Part::Table(table),
            Part::Plot("tensor-code", plot()?),
        ])
    },
};

fn name(params: &Params) -> String {
    format!(
        "2^{} coefficients of {}, {}-bit alphabet, rate 1/{}",
        params.n_vars(),
        units::plural(1 << params.log_coefficient, "bit"),
        params.alphabet.bits(),
        1 << params.log_inv_rate
    )
}

fn size_row(params: &Params, published: &Published) -> Row {
    let bytes = params.proof_bytes();
    match published {
        Mib(mib) => {
            Row::exact(name(params), format!("{mib} MiB"), format!("{:.3} MiB", bytes as f64 / MIB))
        }
        Bytes(size, log_rows, log_cols) => {
            let text = |bytes: u64, rows: u32, cols: u32| {
                format!("{} B, 2^{rows} rows, 2^{cols} columns", count(bytes))
            };
            let ours = text(bytes, params.log_rows, params.log_cols);
            Row::exact(name(params), text(*size, *log_rows, *log_cols), ours)
        }
    }
}

/// Proofs of random data: their lengths against the formula, and how long they take.
fn proofs(scope: &Scope, clock: &mut Clock) -> Result<(Vec<Row>, Table), Box<dyn Error>> {
    let titles = ["proof", "row", "columns and paths", "bytes", "commit", "open", "verify"];
    let mut table = Table::new(1, &titles);
    let (mut rows, mut proved, mut verified) = (Vec::new(), 0u64, 0u64);
    for (log_coefficient, alphabet, log_inv_rate, sizes) in &PUBLISHED {
        for (n_vars, _) in *sizes {
            let is_large = scope.refuses(n_vars + log_coefficient).is_some();
            if is_large || (scope.quick && *n_vars > 20) {
                continue;
            }
            let params =
                Params::smallest(*n_vars, *log_coefficient, *alphabet, *log_inv_rate, SECURITY)?;
            clock.says(&name(&params));
            let matrix = bytes(params.message_bytes() as usize, 1);
            let start = std::time::Instant::now();
            let oracle = commit(&params, matrix);
            let commit_ns = start.elapsed().as_nanos() as u64;
            let mut transcript = Transcript::new("reproduction");
            transcript.absorb_bytes("root", &oracle.root());
            let point = transcript.challenges("point", *n_vars as usize);
            let start = std::time::Instant::now();
            let (value, proof) = open(&oracle, &point, &mut transcript.clone());
            let open_ns = start.elapsed().as_nanos() as u64;
            let check = |proof: &[u8]| {
                let mut transcript = transcript.clone();
                verify(&params, &oracle.root(), &point, value, &mut transcript, proof)
            };
            let start = std::time::Instant::now();
            let accepted = check(&proof).is_ok();
            let verify_ns = start.elapsed().as_nanos() as u64;
            // One bit of the combined row: it has to be rejected.
            let mut forged = proof.clone();
            forged[0] ^= 1;
            proved += 1;
            let as_long = proof.len() as u64 == params.proof_bytes();
            verified += u64::from(accepted && as_long && check(&forged).is_err());
            table.row([
                name(&params),
                units::bytes(params.row_bytes()),
                units::bytes(params.query_bytes() * params.queries as u64),
                count(proof.len() as u64),
                time(commit_ns),
                time(open_ns),
                time(verify_ns),
            ]);
        }
    }
    rows.push(Row::exact(
        "proofs made that have the size of their row, are accepted, and rejected with one bit changed",
        proved,
        verified,
    ));
    Ok((rows, table))
}

/// Sizes from 2^16 to 2^32 coefficients.
fn plot() -> Result<String, Box<dyn Error>> {
    let mut measured = Vec::new();
    for (title, log_coefficient, alphabet) in
        [("1 bit", 0, Alphabet::B16), ("8 bits", 3, Alphabet::B16), ("32 bits", 5, Alphabet::B32)]
    {
        let mut points = Vec::new();
        for n_vars in (16..=32).step_by(2) {
            // A short alphabet has no code for the most coefficients.
            if let Ok(params) = Params::smallest(n_vars, log_coefficient, alphabet, 2, SECURITY) {
                points.push((f64::from(n_vars).exp2(), params.proof_bytes() as f64 / MIB));
            }
        }
        measured.push(Series::measured(title, points));
    }
    let first = measured[0].points[0].1;
    let last = f64::from(16).exp2();
    let law = [16, 20, 24, 28, 32].map(|n| f64::from(n).exp2());
    let root = law.map(|n| (n, first * (n / last).sqrt()));
    let all: Vec<f64> =
        measured.iter().flat_map(|series| &series.points).chain(&root).map(|p| p.1).collect();
    measured.push(Series::law("square root of the coefficients", root.to_vec()));
    let plot = LinePlot {
        title: "Proofs of the tensor code, 100 bits, rate 1/4".into(),
        x: Axis {
            title: "coefficients".into(),
            scale: Scale::at(&law, |n| format!("2^{}", n.log2())),
        },
        y: Axis { title: "MiB".into(), scale: Scale::logarithmic(all, plain) },
        series: measured,
    };
    Ok(plot.svg())
}
