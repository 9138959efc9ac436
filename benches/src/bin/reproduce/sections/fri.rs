//! FRI with ring switching: sizes of openings by DP24's accounting, and ours beside them.

use std::error::Error;
use std::time::Instant;

use binfer_benches::elements;
use binfer_cli::report::plot::{Axis, LinePlot, Scale, Series};
use binfer_cli::report::table::Table;
use binfer_cli::report::units::{count, digits, plain, time};
use binfer_field::{F128, kernels};
use binfer_hash::Transcript;
use binfer_iop::channel::{ProofReader, ProverChannel, VerifyError};
use binfer_pcs::{
    Claim, ClaimGroup, Params, Width, commit, dp24, log_row_for, open, opening_size, verify,
};

use super::{Part, Scope, Section};
use crate::clock::Clock;
use crate::row::Row;
use crate::row::hardware::SAME_KIND;

/// Bits of security, logarithm of one over the rate, KiB of FRI data at 2^20, 2^24 and 2^28 bits.
const PUBLISHED: [(u32, u32, [&str; 3]); 4] = [
    (96, 1, ["90.8", "200.2", "338.8"]),
    (96, 2, ["81.7", "156.2", "248.6"]),
    (100, 1, ["92.7", "206.2", "349.7"]),
    (100, 2, ["84.1", "161.5", "257.4"]),
];
/// Logarithms of the bits.
const SIZES: [u32; 3] = [20, 24, 28];
/// Binius64 measured on this kind of server: logarithm of the bits, bytes, times.
const BINIUS64: [(u32, u64, &str); 2] =
    [(24, 208_032, "15 + 10 ms"), (28, 350_080, "258 + 149 ms")];

pub(super) const SECTION: Section = Section {
    name: "fri",
    title: "FRI with ring switching",
    source: "DP24 (ePrint 2024/504), sizes of openings of 1-bit coefficients. By its accounting each \
             query has a path of its own to a cap of the tree, and the last codeword is sent whole; \
             `binfer_pcs::dp24` computes that, and has to give the published figures. Ours are \
             smaller: sixteen interleaved rows take the place of the first folds, so the first leaf \
             is one column; paths of all queries share their digests; and what is left is sent as a \
             message, not as a codeword.",
    run: |scope, clock| {
        let mut rows = Vec::new();
        let mut ours = Vec::new();
        for (security_bits, log_inv_rate, sizes) in PUBLISHED {
            for (n_vars, kib) in SIZES.into_iter().zip(sizes) {
                let theirs = dp24::Opening::new(n_vars, 7, security_bits, log_inv_rate);
                let params = Params { security_bits, log_inv_rate, ..Params::fast() };
                let what = format!(
                    "2^{n_vars} bits, {security_bits} bits of security, rate 1/{}, {} queries",
                    1 << log_inv_rate,
                    theirs.queries
                );
                let size = opening_size(&params, Width::Bit, n_vars)?;
                let (published, here) =
                    (theirs.fri_bytes() as f64 / 1024.0, size.fri as f64 / 1024.0);
                rows.push(Row::exact(&what, format!("{kib} KiB"), format!("{published:.1} KiB")));
                ours.push((what, published, here, size));
            }
        }
        let mut table = Table::new(
            1,
            &[
                "opening",
                "DP24, FRI KiB",
                "ours, FRI KiB",
                "of it",
                "ring switching B",
                "sumcheck B",
                "ours, all B",
            ],
        );
        for (what, published, here, size) in &ours {
            table.row([
                what.clone(),
                format!("{published:.1}"),
                format!("{here:.1}"),
                digits(here / published),
                count(size.ring_switching as u64),
                count(size.sumcheck as u64),
                count(size.total() as u64),
            ]);
        }
        let smaller = ours.iter().all(|(_, published, here, _)| here < published);
        rows.push(Row::law(
            "our openings beside DP24's",
            "none larger",
            if smaller { "all smaller" } else { "not all" },
            smaller,
        ));
        rows.extend(openings(scope, clock)?);
        Ok(vec![
            Part::Rows(rows),
            Part::Text(
                "Ours of the same level and rate, part by part. The positions of queries decide \
                 how many digests paths share, so proofs differ by some of them."
                    .into(),
            ),
            Part::Table(table),
            Part::Plot("fri", plot()?),
        ])
    },
};

/// Commitments, openings and verifications of random bits, beside Binius64.
fn openings(scope: &Scope, clock: &mut Clock) -> Result<Vec<Row>, Box<dyn Error>> {
    let params = Params { security_bits: 100, ..Params::fast() };
    let mut rows = Vec::new();
    for (n_vars, bytes, times) in BINIUS64 {
        if scope.refuses(n_vars).is_some() || (scope.quick && n_vars > 24) {
            continue;
        }
        clock.says(&format!("opening of 2^{n_vars} bits"));
        let n_runs = if scope.quick { 1 } else { 3 };
        let runs = (0..n_runs).map(|_| prove(&params, n_vars)).collect::<Result<Vec<_>, _>>()?;
        let least = |of: fn(&Opening) -> u64| runs.iter().map(of).min().unwrap_or_default();
        let size = opening_size(&params, Width::Bit, n_vars)?;
        let (stated, got) = (size.total() as f64, least(|o| o.bytes) as f64);
        rows.push(Row::machine(
            format!("2^{n_vars} bits, rate 1/2: proof"),
            format!("{} B (Binius64)", count(bytes)),
            SAME_KIND,
            format!("{} B", count(least(|o| o.bytes))),
        ));
        rows.push(Row::machine(
            format!("2^{n_vars} bits, rate 1/2: commit + open, all threads"),
            format!("{times} (Binius64)"),
            "this kind of server",
            format!("{} + {}", time(least(|o| o.commit)), time(least(|o| o.open))),
        ));
        rows.push(Row::law(
            format!("2^{n_vars} bits: the proof's bytes over those computed in advance"),
            "1, paths within 2%",
            digits(got / stated),
            (got / stated - 1.0).abs() < 0.02,
        ));
    }
    Ok(rows)
}

/// What an opening took.
struct Opening {
    bytes: u64,
    commit: u64,
    open: u64,
}

fn prove(params: &Params, n_vars: u32) -> Result<Opening, VerifyError> {
    let words = elements(1 << (n_vars - 7), 1);
    let log_row = log_row_for(params, words.len());
    // Within the pool, so that no step waits for another thread to take it up.
    rayon::scope(|_| {
        let start = Instant::now();
        let oracle = commit(params, log_row, words);
        let commit = start.elapsed().as_nanos() as u64;
        let mut transcript = Transcript::new("reproduction");
        transcript.absorb_bytes("root", &oracle.root());
        let point = transcript.challenges("point", n_vars as usize);
        let value = value_at(oracle.words(), &point);
        let claims = vec![Claim::on(0, 0, n_vars, value)];
        let groups = [ClaimGroup::at(Width::Bit, &point, claims)];
        let start = Instant::now();
        let mut prover = ProverChannel::new(transcript.clone());
        open(params, &[&oracle], &groups, &mut prover);
        let proof = prover.finish();
        let open = start.elapsed().as_nanos() as u64;
        let mut verifier = ProofReader::new(transcript, &proof);
        verify(params, &[(oracle.root(), oracle.shape())], &groups, &mut verifier)?;
        verifier.finish()?;
        Ok(Opening { bytes: proof.len() as u64, commit, open })
    })
}

/// The value of the multilinear of the bits of `words` at `point`.
fn value_at(words: &[F128], point: &[F128]) -> F128 {
    let (low, high) = point.split_at(7);
    let (low, high) = (kernels::eq_table(low), kernels::eq_table(high));
    // The weights of the words that have each bit, then the bits' own.
    let mut sums = [F128::ZERO; 128];
    for (word, &weight) in words.iter().zip(&high) {
        let mut bits = word.to_bits();
        while bits != 0 {
            sums[bits.trailing_zeros() as usize] += weight;
            bits &= bits - 1;
        }
    }
    kernels::inner_product(&sums, &low)
}

/// Sizes at 100 bits, rate 1/2.
fn plot() -> Result<String, Box<dyn Error>> {
    let params = Params { security_bits: 100, ..Params::fast() };
    let sizes: Vec<u32> = (16..=32).step_by(2).collect();
    let kib = |bytes: u64| bytes as f64 / 1024.0;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for &n_vars in &sizes {
        let at = f64::from(n_vars).exp2();
        theirs.push((at, kib(dp24::Opening::new(n_vars, 7, 100, 1).fri_bytes())));
        ours.push((at, kib(opening_size(&params, Width::Bit, n_vars)?.fri as u64)));
    }
    let most = theirs.iter().map(|p| p.1).fold(0.0, f64::max);
    let at: Vec<f64> = sizes.iter().step_by(2).map(|&n| f64::from(n).exp2()).collect();
    let plot = LinePlot {
        title: "FRI data of an opening, 100 bits, rate 1/2".into(),
        x: Axis {
            title: "bits committed".into(),
            scale: Scale::at(&at, |n| format!("2^{}", n.log2())),
        },
        y: Axis { title: "KiB".into(), scale: Scale::from_zero(most, plain) },
        series: vec![Series::measured("DP24", theirs), Series::measured("ours", ours)],
    };
    Ok(plot.svg())
}
