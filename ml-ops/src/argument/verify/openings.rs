//! The end of the argument: claims on planes become openings, or are checked where they are public.

use binfer_iop::channel::{VerifierChannel, VerifyError};
use binfer_iop::indexed::tiles;
use binfer_iop::zerocheck;
use binfer_pcs::{Claim, ClaimGroup, Width};

use super::{MALFORMED, Statement};
use crate::argument::layout::Layout;
use crate::argument::plan::{Matrix, Origin, Relu, Source};
use crate::argument::{public, relu_constraints};
use crate::graph::Values;

const OUT_OF_RANGE: VerifyError = VerifyError::CheckFailed { label: "public range" };

impl Statement<'_> {
    /// The tensor that a matrix of the statement holds, all within its bits.
    pub(super) fn public_values(&self, matrix: &Matrix) -> Result<&Values, VerifyError> {
        let Source::Tensor(t) = matrix.source else { return Err(MALFORMED) };
        let tensor = if t == self.graph.input.tensor { self.input } else { self.output };
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
    /// Adds claims on all planes of matrix `m`, by bit and tile, at the group's point.
    pub(super) fn open<'v, C: VerifierChannel>(
        &self,
        channel: &mut C,
        m: usize,
        values: impl Iterator<Item = &'v Vec<C::Elem>>,
        group: &mut ClaimGroup<C::Elem>,
    ) -> Result<(), VerifyError>
    where
        C::Elem: 'v,
    {
        let matrix = self.statement.plan.matrices.get(m).ok_or(MALFORMED)?;
        let oracle = match matrix.origin {
            Origin::Public => return self.check_public(channel, matrix, values, group),
            Origin::Model => 0,
            Origin::Trace => 1,
        };
        let tiles = tiles(matrix.rows, matrix.cols);
        let offsets = self.layouts.get(oracle).and_then(|l| l.offsets.get(m)).ok_or(MALFORMED)?;
        for (offsets, values) in offsets.iter().zip(values) {
            for ((tile, &offset), &value) in tiles.iter().zip(offsets).zip(values) {
                let n_vars = tile.n_vars() as u32;
                group.claims.push(Claim { oracle, offset, n_vars, value });
            }
        }
        Ok(())
    }

    fn check_public<'v, C: VerifierChannel>(
        &self,
        channel: &mut C,
        matrix: &Matrix,
        values: impl Iterator<Item = &'v Vec<C::Elem>>,
        group: &ClaimGroup<C::Elem>,
    ) -> Result<(), VerifyError>
    where
        C::Elem: 'v,
    {
        let values_of = self.statement.public_values(matrix)?;
        let entries = public::entries(values_of, matrix).ok_or(OUT_OF_RANGE)?;
        let expected = public::evaluate(&entries, matrix, &group.coefficients, &group.point);
        for (bit, values) in values.enumerate() {
            for (bits, &value) in expected.iter().zip(values) {
                let &known = bits.get(bit).ok_or(MALFORMED)?;
                channel.assert_zero("public value", value + C::Elem::from(known))?;
            }
        }
        Ok(())
    }

    /// `y_t = x_t x_top` for all bits, over the tiles of both matrices.
    pub(super) fn verify_relu<C: VerifierChannel>(
        &self,
        channel: &mut C,
        relu: &Relu,
    ) -> Result<ClaimGroup<C::Elem>, VerifyError> {
        let matrices = &self.statement.plan.matrices;
        let x = matrices.get(relu.x).ok_or(MALFORMED)?;
        let y = matrices.get(relu.y).ok_or(MALFORMED)?;
        let constraints = relu_constraints(x.bits, y.bits, relu.unsigned);
        let n_planes = (x.bits as usize).saturating_add(y.bits as usize);
        let tile_vars: Vec<usize> = tiles(x.rows, x.cols).iter().map(|t| t.n_vars()).collect();
        let claims = zerocheck::verify(channel, &constraints, n_planes, &tile_vars)?;
        let mut group = ClaimGroup::at(Width::Bit, &claims.point, vec![]);
        let plane = |p| claims.values.iter().filter_map(|tile| tile.get(p).copied()).collect();
        let by_plane: Vec<Vec<C::Elem>> = (0..n_planes).map(plane).collect();
        let (of_x, of_y) = by_plane.split_at_checked(x.bits as usize).ok_or(MALFORMED)?;
        self.open(channel, relu.x, of_x.iter(), &mut group)?;
        self.open(channel, relu.y, of_y.iter(), &mut group)?;
        Ok(group)
    }
}
