//! The verifier of the table step.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::{TableClaim, TableClaims, TableStatement, split_challenges};
use crate::channel::{Blank, VerifierChannel, VerifyError};
use crate::join::{self, Term};
use crate::multilinear::{eq, log2_ceil};
use crate::sumcheck::{self, Shape};

/// Reduces leaf claims, whose weighted sum is `value`, to claims on tables and histograms.
///
/// # Errors
/// Those of the channel, and a failed check where the sumcheck does not close.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    statements: &[TableStatement],
    value: C::Elem,
) -> Result<TableClaims<C::Elem>, VerifyError> {
    let shape = |s: &TableStatement| {
        let n_vars = log2_ceil(s.cols).saturating_add(s.width);
        Shape { n_vars, degree: 3 }
    };
    let shapes: Vec<Shape> = statements.iter().map(shape).collect();
    let weights = statements.iter().map(|s| s.weight).collect();
    let reduced = sumcheck::verify_weighted(channel, value, &shapes, weights)?;
    let (mut claims, mut weights) = (Vec::new(), Vec::new());
    for ((s, shape), &weight) in statements.iter().zip(&shapes).zip(&reduced.weights) {
        let (col_point, index_point) = split_challenges(reduced.point(shape.n_vars), s.width);
        let of_columns = if s.taps > 1 { F128::ONE } else { eq(&s.col_point, &col_point) };
        weights.push(weight * of_columns);
        let (table, histogram) = (Blank, Blank);
        claims.push(TableClaim { col_point, index_point, weight, table, histogram });
    }
    let joined =
        join::verify(channel, "table step", reduced.claim, &[Term { weights, factors: 2 }])?;
    for (claim, weight) in claims.iter_mut().zip(joined.weights) {
        claim.weight = weight;
    }
    match joined.values.first().map(Vec::as_slice) {
        Some(&[table, histogram]) => Ok(TableClaims { claims, table, histogram }),
        _ => Err(VerifyError::CheckFailed { label: "table step" }),
    }
}
