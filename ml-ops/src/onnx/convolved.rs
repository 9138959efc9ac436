//! What QLinearConv, ConvInteger and Conv share: windows over an image, a matmul of what they hold.

use super::builder::Builder;
use super::error::NodeError;
use super::matrix::Matrix;
use super::node::NodeView;
use super::value::{MatMulOperands, Value, Weights};
use super::view::{View, Window};
use super::windows::Pool;

/// Attributes of a convolution, besides those of its windows.
pub(super) const ATTRIBUTES: [&str; 1] = ["group"];

/// Whether the convolution by operand 1 is a matmul for each place: windows of one element, all of them, in one group.
pub(super) fn is_of_points(node: &NodeView<'_>) -> Result<bool, NodeError> {
    let kernels = match node.value(1)? {
        Value::Constant(array) => array.shape(),
        Value::Dequantized(constant) => constant.values.shape(),
        _ => return Ok(false),
    };
    let Some(x) = node.value(0)?.view() else { return Ok(false) };
    if kernels.len() != x.rank() + 1 || x.rank() < 2 {
        return Ok(false);
    }
    let Geometry { groups, pool } = Geometry::of(node, x, kernels, 1)?;
    let is_point = |window: &Window| window.kernel == 1 && window.stride == 1 && window.pad == 0;
    Ok(groups == 1 && !pool.beyond && pool.windows.iter().all(is_point))
}

/// The windows and groups of a convolution.
pub(super) struct Geometry {
    pub(super) groups: usize,
    pub(super) pool: Pool,
}

impl Geometry {
    /// The geometry of a convolution of `x` (operand 0) by kernels of shape `kernels` (operand `index`).
    pub(super) fn of(
        node: &NodeView<'_>,
        x: &View,
        kernels: &[usize],
        index: usize,
    ) -> Result<Self, NodeError> {
        let shape = x.shape();
        let (&channels, sizes) = shape
            .split_first()
            .filter(|(_, sizes)| !sizes.is_empty())
            .ok_or(NodeError::OperandShape { index: 0, expected: 3, got: shape.len() + 1 })?;
        let [outputs, depth, kernel @ ..] = kernels else {
            let got = kernels.len();
            return Err(NodeError::OperandShape { index, expected: shape.len() + 1, got });
        };
        if kernel.len() != sizes.len() {
            let (expected, got) = (sizes.len() + 2, kernel.len() + 2);
            return Err(NodeError::OperandShape { index, expected, got });
        }
        if kernels.contains(&0) {
            return Err(NodeError::OperandShape { index, expected: 1, got: 0 });
        }
        let value = node.int("group", 1)?;
        let wrong = NodeError::AttributeValue { attribute: "group", value: value as f64 };
        let divides = |&groups: &usize| {
            groups > 0 && channels.is_multiple_of(groups) && outputs.is_multiple_of(groups)
        };
        let groups = usize::try_from(value).ok().filter(divides).ok_or(wrong)?;
        if depth * groups != channels {
            let expected = channels / groups;
            return Err(NodeError::OperandShape { index, expected, got: *depth });
        }
        let pool = Pool::of(node, sizes, Some(kernel))?;
        Ok(Self { groups, pool })
    }

    /// The operands of the convolution as a matmul, and how its output is seen.
    pub(super) fn operands(
        &self,
        builder: &mut Builder,
        node: &NodeView<'_>,
        x: &View,
        zero_code: u8,
        (weights, bias): (Weights, Vec<i64>),
    ) -> Result<(MatMulOperands, View), NodeError> {
        let seen = self.pool.see(builder, node.name, x)?;
        let pad = self.pool.beyond.then_some(zero_code);
        let output = self.pool.output(weights.n);
        let x = seen.matrix(pad);
        let (_, width) = Matrix::size(&x);
        debug_assert_eq!(width, self.groups * weights.k);
        let (name, groups) = (node.name.to_owned(), self.groups);
        Ok((MatMulOperands { name, x, zero_code, reach: None, weights, bias, groups }, output))
    }
}
