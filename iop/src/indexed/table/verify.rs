//! The verifier of the table step.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::{TableClaim, TableStatement, split_challenges};
use crate::channel::{VerifierChannel, VerifyError};
use crate::multilinear::{eq, log2_ceil};
use crate::sumcheck::{self, Shape};

/// Reduces leaf claims to claims on tables and histograms.
///
/// # Errors
/// Those of the channel, and a failed check where the sumcheck does not close.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    statements: &[TableStatement<C::Elem>],
) -> Result<Vec<TableClaim<C::Elem>>, VerifyError> {
    let one = C::Elem::from(F128::ONE);
    let instances: Vec<_> = statements
        .iter()
        .map(|s| {
            let n_vars = log2_ceil(s.cols).saturating_add(s.width);
            (s.value + one, Shape { n_vars, degree: 3 })
        })
        .collect();
    let reduced = sumcheck::verify(channel, &instances)?;
    let mut expected = C::Elem::from(F128::ZERO);
    let mut claims = Vec::with_capacity(statements.len());
    for ((s, (_, shape)), &weight) in statements.iter().zip(&instances).zip(&reduced.weights) {
        let (col_point, index_point) = split_challenges(reduced.point(shape.n_vars), s.width);
        let table = channel.receive("table value")?;
        let histogram = channel.receive("histogram value")?;
        expected += table * histogram * (weight * eq(&s.col_point, &col_point));
        claims.push(TableClaim { col_point, index_point, table, histogram });
    }
    channel.assert_zero("table step", reduced.claim + expected)?;
    Ok(claims)
}
