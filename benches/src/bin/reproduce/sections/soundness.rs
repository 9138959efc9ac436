//! Query counts, and the error of every row of the commitments, term by term.

use binfer_cli::report::table::Table;
use binfer_cli::report::units::plural;
use binfer_pcs::tensor_code::{self, Alphabet};
use binfer_pcs::{Params, Width, dp24, opening_size, queries};

use super::{Part, Section};
use crate::row::Row;

/// Bits of security, logarithm of one over the rate, queries.
const COUNTS: [(u32, u32, usize); 4] = [(96, 1, 232), (96, 2, 142), (100, 1, 241), (100, 2, 148)];

pub(super) const SECTION: Section = Section {
    name: "soundness",
    title: "Query counts and soundness",
    source: "In the unique-decoding regime, `ceil(s / -log2((1 + rho) / 2))` queries for `s` bits at \
             rate `rho`. The terms of DP24 (ePrint 2024/504) are `kappa / 2^128` for ring switching, \
             `2 n / 2^128` for the sumcheck of `n` variables, `2^(n + R) / 2^128` for the folds of a \
             code of rate `2^-R`, and that of the queries.",
    run: |_, _| {
        let mut rows: Vec<Row> = COUNTS
            .iter()
            .map(|&(bits, log_inv_rate, published)| {
                let what = format!("queries for {bits} bits at rate 1/{}", 1 << log_inv_rate);
                Row::exact(what, published, queries(bits, log_inv_rate))
            })
            .collect();
        rows.push(fewest());
        let mut terms = Table::new(
            1,
            &[
                "opening",
                "bits asked for",
                "rate",
                "queries",
                "ring switching",
                "sumcheck",
                "folds",
                "query phase",
                "all, bits",
            ],
        );
        for (security, log_inv_rate, _) in COUNTS {
            for n_vars in [20, 24, 28] {
                let opening = dp24::Opening::new(n_vars, 7, security, log_inv_rate);
                let soundness = opening.soundness();
                let of = |label: &str| {
                    let term = soundness.iter().find(|term| term.label == label);
                    term.map_or_else(|| "–".into(), |term| format!("2^{:.1}", term.log2_error))
                };
                terms.row([
                    format!("DP24, 2^{n_vars} bits"),
                    security.to_string(),
                    format!("1/{}", 1 << log_inv_rate),
                    opening.queries.to_string(),
                    of("ring switching"),
                    of("sumcheck"),
                    of("proximity gaps of the folds"),
                    of("queries"),
                    format!("{:.2}", opening.soundness_bits()),
                ]);
                let within = opening.soundness_bits() >= f64::from(security);
                if security == 100 {
                    rows.push(Row::exact(
                        format!(
                            "DP24, 2^{n_vars} bits, rate 1/{}: all terms within 2^-100",
                            1 << log_inv_rate
                        ),
                        "yes",
                        if within { "yes" } else { "no" },
                    ));
                }
            }
        }
        let mut ours = Table::new(1, &["opening", "rate", "queries", "all terms, bits"]);
        for log_inv_rate in [1, 2] {
            let params = Params { log_inv_rate, ..Params::fast() };
            for n_vars in [20, 24, 28] {
                let size = opening_size(&params, Width::Bit, n_vars)?;
                ours.row([
                    format!("ours, 2^{n_vars} bits"),
                    format!("1/{}", 1 << log_inv_rate),
                    params.queries().to_string(),
                    format!("{:.2}", size.soundness_bits()),
                ]);
            }
            for (log_coefficient, alphabet) in
                [(0, Alphabet::B16), (3, Alphabet::B16), (5, Alphabet::B32)]
            {
                let params = tensor_code::Params::smallest(
                    28,
                    log_coefficient,
                    alphabet,
                    log_inv_rate,
                    100,
                )?;
                ours.row([
                    format!(
                        "tensor code, 2^28 coefficients of {}",
                        plural(1 << log_coefficient, "bit")
                    ),
                    format!("1/{}", 1 << log_inv_rate),
                    params.queries.to_string(),
                    format!("{:.2}", params.soundness_bits()),
                ]);
            }
        }
        Ok(vec![
            Part::Rows(rows),
            Part::Text("DP24's openings, term by term.".into()),
            Part::Table(terms),
            Part::Text(
                "What this code's verifiers state. By default the query phase has 103 bits, so \
                 that all terms together stay above 100."
                    .into(),
            ),
            Part::Table(ours),
        ])
    },
};

/// The counts against whole numbers: `((1 + rho) / 2)^q <= 2^-s` with `rho = 1/2^R` is
/// `(2^R + 1)^q <= 2^((R + 1) q - s)`.
fn fewest() -> Row {
    let (mut all, mut right) = (0, 0);
    for log_inv_rate in 1..=3u32 {
        for bits in 80..=128u32 {
            let is_enough = |q: usize| {
                let exponent = (log_inv_rate as usize + 1) * q - bits as usize;
                bits_of_power((1 << log_inv_rate) + 1, q) <= exponent
            };
            let q = queries(bits, log_inv_rate);
            all += 1;
            right += usize::from(is_enough(q) && !is_enough(q - 1));
        }
    }
    let what =
        "counts for 80 to 128 bits at rates 1/2 to 1/8 that are the fewest, in whole numbers";
    Row::exact(what, all, right)
}

/// The number of bits of `base^exponent`, for an odd base: a power of two bounds it from above if
/// its exponent is at least that.
fn bits_of_power(base: u64, exponent: usize) -> usize {
    let mut digits = vec![1u64];
    for _ in 0..exponent {
        let mut carry = 0;
        for digit in &mut digits {
            let product = u128::from(*digit) * u128::from(base) + carry;
            (*digit, carry) = (product as u64, product >> 64);
        }
        if carry > 0 {
            digits.push(carry as u64);
        }
    }
    let top = digits.last().copied().unwrap_or_default();
    64 * digits.len() - top.leading_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_have_their_bits() {
        assert_eq!(bits_of_power(3, 0), 1);
        assert_eq!(bits_of_power(3, 4), 7);
        assert_eq!(bits_of_power(5, 100), 233);
        assert_eq!(fewest().holds, Some(true));
    }
}
