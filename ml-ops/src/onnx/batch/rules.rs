//! Each operator's rule: what becomes of the samples of its operands.

use super::super::error::NodeError;
use super::axes;
use super::moved;
use super::place::Place;
use super::products;
use super::samples::{Made, Node};

/// Where the samples of `node`, of an operand at least, are numbered in its outputs.
///
/// # Errors
/// [`NodeError`] where samples are mixed, or nothing is known of the operator.
pub(super) fn made(node: &Node<'_>, domain: &str) -> Result<Made, NodeError> {
    let rule = rule(node.operator, domain).ok_or(NodeError::SamplesLost)?;
    // What depends on how many samples there are is a shape's, and nobody else's.
    let counted = node.operands.iter().find(|operand| {
        let is_shape = match node.operator {
            "Reshape" | "Expand" => operand.index == 1,
            "Resize" => operand.index == 3,
            _ => false,
        };
        operand.counts.is_some() && !is_shape
    });
    if let Some(operand) = counted {
        return Err(NodeError::SamplesCounted { index: operand.index });
    }
    match rule {
        Rule::Each => each(node),
        Rule::Broadcast(indices) => broadcast(node, indices),
        Rule::Image => image(node),
        Rule::Of(rule) => rule(node),
    }
}

/// What an operator does with samples.
enum Rule {
    /// A function of each element of operand 0.
    Each,
    /// A function of an element of each of these operands, all if none is named, which are broadcast.
    Broadcast(&'static [usize]),
    /// A function of each sample of operand 0, which its first dimension numbers.
    Image,
    Of(fn(&Node<'_>) -> Result<Made, NodeError>),
}

fn rule(operator: &str, domain: &str) -> Option<Rule> {
    Some(match operator {
        "Abs" | "Cast" | "Ceil" | "Celu" | "Clip" | "Dropout" | "Elu" | "Erf" | "Exp" | "Floor"
        | "Gelu" | "HardSigmoid" | "HardSwish" | "Identity" | "LeakyRelu" | "Log" | "Mish"
        | "Neg" | "Not" | "QLinearLeakyRelu" | "QLinearSigmoid" | "Reciprocal" | "Relu"
        | "Round" | "Selu" | "Sigmoid" | "Sign" | "Softplus" | "Softsign" | "Sqrt" | "Swish"
        | "Tanh" | "ThresholdedRelu" => Rule::Each,
        "Add" | "And" | "Div" | "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual"
        | "Max" | "Min" | "Mod" | "Mul" | "PRelu" | "Pow" | "Sub" | "Sum" | "Where" | "Xor" => {
            Rule::Broadcast(&[])
        }
        "QLinearAdd" | "QLinearMul" => Rule::Broadcast(&[0, 3]),
        "AveragePool"
        | "Conv"
        | "ConvInteger"
        | "ConvTranspose"
        | "DepthToSpace"
        | "GlobalAveragePool"
        | "GlobalMaxPool"
        | "GroupNorm"
        | "GroupNormalization"
        | "InstanceNormalization"
        | "LRN"
        | "MaxPool"
        | "NhwcMaxPool"
        | "QLinearAveragePool"
        | "QLinearConv"
        | "QLinearGlobalAveragePool"
        | "SpaceToDepth" => Rule::Image,
        "ArgMax" | "ArgMin" => Rule::Of(axes::choice),
        "BatchNormalization" => Rule::Of(axes::channels),
        "Concat" | "QLinearConcat" => Rule::Of(axes::concatenation),
        "CumSum" => Rule::Of(axes::running),
        "DequantizeLinear" | "QuantizeLinear" => Rule::Of(axes::scales),
        "Gather" => Rule::Of(axes::gather),
        "LayerNormalization" | "RMSNormalization" | "SimplifiedLayerNormalization" => {
            Rule::Of(|node| axes::rows(node, false))
        }
        "Pad" => Rule::Of(axes::pads),
        "QLinearSoftmax" | "Softmax" => Rule::Of(axes::softmax),
        "ReduceMax" | "ReduceMean" | "ReduceMin" | "ReduceSum" => Rule::Of(axes::reduction),
        "Slice" => Rule::Of(axes::slice),
        "Split" => Rule::Of(|node| axes::along(node, 0)),
        "TopK" => Rule::Of(|node| axes::along(node, -1)),
        "Einsum" => Rule::Of(products::einsum),
        "Gemm" | "QGemm" => Rule::Of(|node| {
            let right = if node.operator == "QGemm" { 3 } else { 1 };
            products::gemm(node, right)
        }),
        "MatMul" | "MatMulInteger" | "MatMulIntegerToFloat" => {
            Rule::Of(|node| products::matmul(node, 1))
        }
        "QLinearMatMul" => Rule::Of(|node| products::matmul(node, 3)),
        "Expand" => Rule::Of(moved::expand),
        "Flatten" => Rule::Of(moved::flatten),
        "Reshape" => Rule::Of(moved::reshape),
        "Resize" => Rule::Of(moved::resize),
        "RotaryEmbedding" if domain.is_empty() => Rule::Of(|node| moved::rotary(node, 3)),
        "RotaryEmbedding" => Rule::Of(|node| moved::rotary(node, 1)),
        "Squeeze" => Rule::Of(moved::squeeze),
        "Tile" => Rule::Of(moved::tile),
        "Transpose" => Rule::Of(moved::transpose),
        "Unsqueeze" => Rule::Of(moved::unsqueeze),
        _ => return None,
    })
}

/// Operand `index`'s place, where no other operand has samples.
pub(super) fn only(node: &Node<'_>, index: usize) -> Result<Place, NodeError> {
    let mut others = node.operands.iter().filter(|operand| operand.index != index);
    if let Some(other) = others.find(|operand| operand.place.is_some()) {
        return Err(NodeError::SamplesMeet { index: other.index });
    }
    Ok(node.numbered(index)?.1)
}

fn each(node: &Node<'_>) -> Result<Made, NodeError> {
    Ok(Made::At(only(node, 0)?))
}

/// Samples that the first dimension numbers stay there.
fn image(node: &Node<'_>) -> Result<Made, NodeError> {
    match only(node, 0)? {
        place @ Place { dim: 0, .. } => Ok(Made::At(place)),
        _ => Err(NodeError::NoBatch { index: 0 }),
    }
}

/// Operands `indices`, all if there are none, aligned at their last dimensions.
fn broadcast(node: &Node<'_>, indices: &[usize]) -> Result<Made, NodeError> {
    let is_one = |index: usize| indices.is_empty() || indices.contains(&index);
    let operands = node.operands.iter().filter(|operand| is_one(operand.index));
    let shapes: Vec<_> = operands.map(|of| (of.index, of.place, &of.shape[..])).collect();
    if let Some(operand) = node.operands.iter().find(|of| !is_one(of.index) && of.place.is_some()) {
        return Err(NodeError::SamplesMeet { index: operand.index });
    }
    aligned(&shapes)
}

/// What becomes of samples where operands are broadcast, each given as its number, the place of its samples and its shape.
pub(super) fn aligned(operands: &[(usize, Option<Place>, &[usize])]) -> Result<Made, NodeError> {
    let rank = operands.iter().map(|(_, _, shape)| shape.len()).max().unwrap_or(0);
    let moved = |place: Place, shape: &[usize]| place.at(place.dim + rank - shape.len());
    let found = operands.iter().find_map(|&(_, place, shape)| Some(moved(place?, shape)));
    let found = found.ok_or(NodeError::SamplesLost)?;
    let mut made = Made::At(found);
    for &(index, place, shape) in operands {
        let dim = (found.dim + shape.len()).checked_sub(rank);
        let beside = dim.and_then(|dim| shape.get(dim)).copied().unwrap_or(1);
        match place {
            Some(place) if moved(place, shape) == found => {}
            // The same for all samples.
            None if beside == 1 => {}
            // As many as one sample has, of which the runtime takes no more.
            None if beside == found.size() => made = Made::One,
            _ => return Err(NodeError::SamplesMeet { index }),
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::super::super::ops::REGISTRY;
    use super::*;

    #[test]
    fn every_operator_has_a_rule() {
        // Those of constants, and the shape, whose integers are counted.
        let others = ["Constant", "ConstantOfShape", "Shape"];
        for operator in REGISTRY.iter().filter(|operator| !others.contains(&operator.name)) {
            assert!(rule(operator.name, operator.domain).is_some(), "{}", operator.name);
        }
    }
}
