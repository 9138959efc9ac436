//! The end of the argument: claims on planes become openings, or are checked where they are public.

use binfer_field::F128;
use binfer_iop::channel::{VerifierChannel, VerifyError};
use binfer_iop::indexed::tiles;
use binfer_iop::zerocheck::{self, System};
use binfer_pcs::{Claim, ClaimGroup, Width};

use super::{MALFORMED, Statement};
use crate::argument::layout::{Layout, add_parts};
use crate::argument::plan::{BitCheck, Matrix, Origin, Source};
use crate::argument::planes::{self, MatrixPlanes};
use crate::argument::public;
use crate::graph::Values;

const OUT_OF_RANGE: VerifyError = VerifyError::CheckFailed { label: "public range" };

impl Statement<'_> {
    /// The tensor that a matrix of the statement or of the graph holds, all within its bits.
    pub(super) fn public_values(&self, matrix: &Matrix) -> Result<&Values, VerifyError> {
        if let Some(values) = self.plan.known_values(matrix) {
            return Ok(values);
        }
        let Source::Tensor(t) = matrix.source else { return Err(MALFORMED) };
        let known = [self.constants, self.inputs, self.outputs];
        let tensor = known.into_iter().find_map(|known| known.get(&t)).ok_or(MALFORMED)?;
        if public::are_in_range(tensor, matrix) { Ok(tensor) } else { Err(OUT_OF_RANGE) }
    }
}

/// Turns claims on planes into openings, or checks them where the plane is public.
pub(super) struct Openings<'a> {
    pub(super) statement: &'a Statement<'a>,
    /// Of the model's oracle and of the trace's.
    pub(super) layouts: [&'a Layout; 2],
}

impl Openings<'_> {
    /// Takes the planes that are public out of a claim on a weighted sum of planes, and leaves one on those that are committed.
    pub(super) fn open<C: VerifierChannel>(
        &self,
        channel: &mut C,
        planes: &[MatrixPlanes],
        (coefficients, point): (Vec<F128>, Vec<F128>),
        mut value: C::Elem,
    ) -> Result<ClaimGroup<C::Elem>, VerifyError> {
        let mut parts = Vec::new();
        for share in planes {
            let matrix = self.statement.plan.matrices.get(share.matrix).ok_or(MALFORMED)?;
            if matrix.origin == Origin::Public {
                let known = self.public_planes(matrix, &coefficients, &point, &share.weights)?;
                value += C::Elem::from(known);
            } else {
                add_parts(self.layouts, matrix, share, &mut parts).ok_or(MALFORMED)?;
            }
        }
        let claims = if parts.is_empty() {
            channel.assert_zero("public value", value)?;
            Vec::new()
        } else {
            vec![Claim { parts, value }]
        };
        Ok(ClaimGroup { width: Width::Bit, coefficients, point, claims })
    }

    /// The weighted sum of planes of a public matrix, with weights by bit and tile.
    fn public_planes(
        &self,
        matrix: &Matrix,
        coefficients: &[F128],
        point: &[F128],
        weights: &[Vec<F128>],
    ) -> Result<F128, VerifyError> {
        let values_of = self.statement.public_values(matrix)?;
        let entries = public::entries(values_of, matrix).ok_or(OUT_OF_RANGE)?;
        let known = public::evaluate(&entries, matrix, coefficients, point);
        let mut sum = F128::ZERO;
        for (bit, weights) in weights.iter().enumerate() {
            for (bits, &weight) in known.iter().zip(weights) {
                sum += weight * bits.get(bit).copied().ok_or(MALFORMED)?;
            }
        }
        Ok(sum)
    }

    /// All constraints on bits, over the tiles of all matrices.
    pub(super) fn verify_bits<C: VerifierChannel>(
        &self,
        channel: &mut C,
    ) -> Result<ClaimGroup<C::Elem>, VerifyError> {
        let plan = self.statement.plan;
        let systems = plan.bit_checks.iter().map(|check| self.system(check));
        let systems = systems.collect::<Result<Vec<_>, _>>()?;
        let claim = zerocheck::verify(channel, &systems)?;
        let planes = planes::of_checks(plan, &claim.weights);
        self.open(channel, &planes, (claim.bit_weights, claim.point), claim.value)
    }

    /// What a check asks of the tiles of its matrices.
    fn system<'a>(&self, check: &'a BitCheck) -> Result<System<'a>, VerifyError> {
        let of_plan = &self.statement.plan.matrices;
        let matrices = check.matrices.iter().map(|&m| of_plan.get(m).ok_or(MALFORMED));
        let matrices = matrices.collect::<Result<Vec<&Matrix>, _>>()?;
        let first = matrices.first().ok_or(MALFORMED)?;
        if matrices.iter().any(|m| (m.rows, m.cols) != (first.rows, first.cols)) {
            return Err(MALFORMED);
        }
        let n_planes = matrices.iter().fold(0usize, |n, m| n.saturating_add(m.bits as usize));
        let tile_vars = tiles(first.rows, first.cols).iter().map(|t| t.n_vars()).collect();
        Ok(System { constraints: &check.constraints, n_planes, tile_vars })
    }
}
