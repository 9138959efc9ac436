//! What a Relu leaves of a sum that is added to another: one integer for each element.

use super::exact::Exact;
use super::{Addend, ExactTerm};
use crate::graph::{Epilogue, TensorId, TensorKind, signed_bits};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::rowwise::part;
use crate::onnx::view::View;
use std::cell::OnceCell;
use std::rc::Rc;

/// Units to the largest scale of a sum of codes: the multiple that each scale is then is off by so little that what sums
/// of this one are off by is mostly theirs.
const UNITS: f64 = (1u64 << 18) as f64;

/// What scales that are multiples of one leave an element off by, in parts of a 16th of a code.
pub(super) const FINER: f64 = 1.0 / 64.0;

/// What a Relu leaves of a sum.
#[derive(Debug)]
pub(in crate::onnx) struct Rectified {
    sum: Exact,
    /// What 1 stands for.
    unit: f64,
    /// How the sum is seen.
    view: View,
    /// The integers, once they are computed.
    made: OnceCell<TensorId>,
}

impl Rectified {
    /// What a Relu leaves of `sum`, seen as `view`, as a summand.
    pub(super) fn term(sum: Exact, view: View) -> Option<ExactTerm> {
        // The scale of codes that would reach as far.
        let scales = sum.terms.iter().map(|term| term.scale.abs() * term.size() / 255.0);
        let largest = scales.fold(0.0, f64::max);
        let is_of_codes = |term: &ExactTerm| matches!(term.of, Addend::Codes { .. });
        let unit = match sum.terms.iter().all(is_of_codes) {
            true => largest / UNITS,
            false => sum.unit(sum.off(FINER) * largest).ok()?,
        };
        let of = Addend::Rectified(Rc::new(Self { sum, unit, view, made: OnceCell::new() }));
        Some(ExactTerm { of, scale: unit })
    }

    /// Whether weights of 24 bits are in the sum.
    pub(super) fn is_fine(&self) -> bool {
        self.sum.is_fine()
    }

    /// How the elements are seen.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// Bound on the size of the integers.
    pub(super) fn bound(&self) -> i64 {
        self.sum.bound(self.unit)
    }

    /// The integers.
    pub(super) fn made(&self, builder: &mut Builder) -> Result<View, NodeError> {
        if let Some(&tensor) = self.made.get() {
            return Ok(self.view.on(tensor));
        }
        let sums = self.sum.sums(builder, &self.sum.name, self.unit)?;
        let tensor = builder.relu(&part(&self.sum.name, "relu"), sums);
        Ok(self.view.on(*self.made.get_or_init(|| tensor)))
    }
}

impl Exact {
    /// The sum in integers that stand for multiples of `unit`, of the node `name`.
    pub(super) fn sums(
        &self,
        builder: &mut Builder,
        name: &str,
        unit: f64,
    ) -> Result<TensorId, NodeError> {
        let of = self.integers(builder, unit)?;
        if of.constant != 0 {
            let expected = "a sum of tensors of 8 bits and products";
            return Err(NodeError::Operand { index: 0, expected });
        }
        let kind = TensorKind::Integer { bits: signed_bits(self.bound(unit)) };
        builder.combine(&part(name, "sum"), of.columns, of.terms, kind, Epilogue::Accumulator)
    }
}
