//! The two factors of a matmul or convolution of floats: an activation, and constant weights with a bias.

use super::arithmetic::Operation;
use super::builder::Builder;
use super::concatenated;
use super::constants;
use super::convolved::Geometry;
use super::deferred::{After, Deferred, Kind, Product, Wide};
use super::error::NodeError;
use super::fine::{Digits, Fine};
use super::grid;
use super::node::NodeView;
use super::operands::{
    Layout, check_bias, dequantized_bias, dequantized_weights, of_column, units,
};
use super::prepared::FloatInput;
use super::rowwise;
use super::stepped;
use super::thresholds;
use super::value::{Codes, Dequantized, Floats, MatMulOperands, Scaling, Value, Weights};
use super::view::View;
use super::words::WordFloats;
use crate::array::{Array, ArrayData};
use crate::graph::{CodeType, InputTransform};
use std::rc::Rc;

/// An activation as codes less a zero code, at a scale.
pub(super) struct Activation {
    pub(super) view: View,
    pub(super) zero_code: u8,
    /// Of a 16-bit tensor, which is read as integers: its zero point.
    pub(super) zero_point: Option<i32>,
    scale: f32,
    /// Features of its tensor that hold the negated activation.
    negated: Option<Rc<Vec<bool>>>,
    /// The dimension that numbers the weights' rows is twice as long: the second half holds, everywhere, a code
    /// that is one less than the zero code. Floats are the sums of a code less its zero code, twice, and of that.
    halves: bool,
    /// Of a 16-bit tensor in two digits, of which `view` is the high one, the low one and its zero code.
    low: Option<(View, u8)>,
}

/// Constant weights, and what comes with them.
pub(super) struct Constants {
    pub(super) weights: Weights,
    /// The shape of the array, its rows doubled where the activation is in halves.
    pub(super) shape: Vec<usize>,
    /// `f32(sx * sw)`: one, or one for each column.
    pub(super) scales: Vec<f32>,
    pub(super) bias: Vec<i64>,
    /// A bias of floats.
    pub(super) after: Option<After>,
    /// The weights themselves, where they are floats that no 8-bit integers stand for.
    pub(super) fine: Option<Fine>,
}

/// Operand 0, whose dimension `dim` the weights' rows number.
///
/// A float input that no QuantizeLinear is of has 256 levels from -1 to 1, as pixels often do; its zero lies
/// between two of them, which takes two codes for each.
pub(super) fn first(
    builder: &mut Builder,
    node: &NodeView<'_>,
    dim: usize,
) -> Result<Activation, NodeError> {
    let value = node.value(0)?;
    let made = match value {
        Value::Floats(floats) if !floats.pure => {
            let name = rowwise::part(node.name, "steps");
            let steps = stepped::together(builder, &name, &[value], |x| x[0])?;
            steps.or_else(|| Some(Value::Floats(multiples(builder, &name, floats)?)))
        }
        _ => None,
    };
    let (floats, negated) = match made.as_ref().unwrap_or(value) {
        Value::Floats(floats) if floats.pure => (floats, None),
        Value::Negated(floats, negated) => (floats, Some(negated.clone())),
        Value::FloatInput(FloatInput { view, operations }) if operations.is_empty() => {
            return levels(builder, node, view, dim);
        }
        _ => {
            let expected = "the DequantizeLinear of an 8-bit tensor, or one of thresholds";
            return Err(NodeError::Operand { index: 0, expected });
        }
    };
    Ok(Activation {
        view: floats.codes.view.clone(),
        zero_code: floats.zero_code(),
        zero_point: None,
        scale: floats.scaling.scale,
        negated,
        halves: false,
        low: None,
    })
}

/// Operand 0, whose dimension `dim` the weights' rows number: that of [`first`], or a 16-bit tensor in two digits.
pub(super) fn image(
    builder: &mut Builder,
    node: &NodeView<'_>,
    dim: usize,
) -> Result<Activation, NodeError> {
    let floats = match node.value(0)? {
        Value::WordFloats(floats) if floats.is_pure() => floats,
        _ => return first(builder, node, dim),
    };
    let Scaling { scale, zero_point } = floats.scaling;
    let [view, low] = floats.words.codes(builder, &rowwise::part(node.name, "digits"))?;
    let zero = (zero_point - floats.words.dtype.min()) as u16;
    let [zero_code, of_low] = zero.to_be_bytes();
    let (zero_point, low) = (Some(zero_point), Some((low, of_low)));
    Ok(Activation { view, zero_code, zero_point, scale, negated: None, halves: false, low })
}

/// Operand 0, the floats of a 16-bit tensor, whose last dimension the weights' rows number.
pub(super) fn words(
    builder: &mut Builder,
    node: &NodeView<'_>,
    floats: &WordFloats,
) -> Result<Activation, NodeError> {
    let view = floats.words.integers(builder, node.name)?;
    let last = view.rank().saturating_sub(1);
    let view = builder.straight(&rowwise::part(node.name, "rows"), &view, |dim| dim == last)?;
    let Scaling { scale, zero_point } = floats.scaling;
    let zero_point = Some(zero_point);
    Ok(Activation {
        view,
        zero_code: 0,
        zero_point,
        scale,
        negated: None,
        halves: false,
        low: None,
    })
}

/// Floats that are multiples of one number, up to 255 apart, as those of codes.
fn multiples(builder: &mut Builder, name: &str, floats: &Floats) -> Option<Floats> {
    if let Some(scaled) = floats.scaled() {
        return Some(scaled.into_owned());
    }
    let mut levels = floats.images[..=usize::from(floats.codes.dtype.last())].to_vec();
    if levels.iter().any(|level| !level.is_finite()) {
        return None;
    }
    levels.iter_mut().for_each(|level| *level += 0.0);
    levels.sort_unstable_by(f32::total_cmp);
    levels.dedup();
    let (scaling, codes) = thresholds::grid(&levels).ok()?;
    let number = |image: f32| levels.partition_point(|&level| level < image).min(levels.len() - 1);
    let table = floats.images.map(|image| codes[number(image)]);
    let codes = Codes { dtype: CodeType::U8, ..floats.codes.mapped(builder, name, &table) };
    Some(Floats::of(codes, scaling))
}

/// Levels -1 to 1 in steps of 2/255: `(2 (p - 127) - 1) / 255` of codes `p`.
fn levels(
    builder: &mut Builder,
    node: &NodeView<'_>,
    view: &View,
    dim: usize,
) -> Result<Activation, NodeError> {
    let zero_code = 127u8;
    let transform = InputTransform::Levels { low: -1.0, high: 1.0 };
    let codes = builder.quantized_input(transform, view.clone())?;
    let identity = std::array::from_fn(|code| code as u8);
    let parts = [(codes.view.clone(), identity), (codes.view, [zero_code - 1; 256])];
    let view = concatenated::view(builder, node.name, &parts, dim)?;
    let (zero_point, scale) = (None, 1.0 / 255.0);
    Ok(Activation { view, zero_code, zero_point, scale, negated: None, halves: true, low: None })
}

/// Operands 1 and 2, of a product with `x`.
pub(super) fn constants(
    node: &NodeView<'_>,
    x: &Activation,
    layout: Layout,
) -> Result<Constants, NodeError> {
    of_values(node, x, layout, node.value(1)?, node.optional(2)?)
}

/// The same, the product times `alpha` and the bias times `beta`, which come into the scale of `x`, the scales and the bias.
pub(super) fn constants_times(
    node: &NodeView<'_>,
    x: &mut Activation,
    layout: Layout,
    (alpha, beta): (f32, f32),
) -> Result<Constants, NodeError> {
    let Some(bias) = node.optional(2)?.filter(|_| (alpha, beta) != (1.0, 1.0)) else {
        x.scale *= alpha;
        return constants(node, x, layout);
    };
    let unknown = NodeError::AttributeValue { attribute: "alpha", value: alpha.into() };
    let weights = node.value(1)?;
    let (mut made, added) = match (bias, weights) {
        (Value::Dequantized(_), Value::Dequantized(_)) => {
            let made = of_values(node, x, layout, weights, None)?;
            let added = constants::bias_in(bias, layout, made.weights.n)?;
            (made, added)
        }
        (Value::Constant(_), _) => {
            let mut made = of_values(node, x, layout, weights, Some(bias))?;
            let of =
                |(column, units): (usize, &i64)| *units as f32 * of_column(&made.scales, column);
            let rounded = made.bias.iter().enumerate().map(of).collect();
            let added = made.after.take().map_or(rounded, |after| after.constant);
            (made, added)
        }
        _ => return Err(unknown),
    };
    if made.fine.is_some() {
        return Err(unknown);
    }
    made.bias = vec![];
    made.scales.iter_mut().for_each(|scale| *scale *= alpha);
    let constant = added.iter().map(|value| beta * value).collect();
    made.after = Some(After { operation: Operation::Add, constant, first: false });
    Ok(made)
}

/// The same of weights and a bias that have been made of operands 1 and 2.
pub(super) fn of_values(
    node: &NodeView<'_>,
    x: &Activation,
    layout: Layout,
    weights: &Value,
    bias: Option<&Value>,
) -> Result<Constants, NodeError> {
    let rounded_weights = match weights {
        Value::Constant(array) => x.rounded(node, array),
        _ => None,
    };
    let rounded_weights = rounded_weights.map(|constant| Value::Dequantized(Rc::new(constant)));
    let weights = rounded_weights.as_ref().unwrap_or(weights);
    let dequantized = matches!(weights, Value::Dequantized(_)) && !x.halves;
    let operand = |index| NodeError::Operand {
        index,
        expected: "constant weights, dequantized or of few values",
    };
    let (mut weights, scales, shape) = match weights {
        Value::Dequantized(constant) => {
            let (weights, scales) = dequantized_weights(constant, layout, 1)?;
            (weights, scales, constant.values.shape().to_vec())
        }
        Value::Constant(_) if x.low.is_some() => {
            return Err(NodeError::Operand { index: 1, expected: "dequantized constant weights" });
        }
        Value::Constant(array) => {
            let (codes, scales) = match grid::of(array, 1) {
                Err(NodeError::NotOnGrid { index, value }) => {
                    match grid::by_column(array, layout) {
                        Some(found) => found,
                        None if x.can_be_by_digits() => {
                            return of_digits(&Digits::of_array(array, 1)?, layout, bias);
                        }
                        None => return Err(NodeError::NotOnGrid { index, value }),
                    }
                }
                found => found.map(|(codes, scale)| (codes, vec![scale]))?,
            };
            let weights = super::operands::weights(&codes, None, layout, 1, 1)?;
            (weights, scales, array.shape().to_vec())
        }
        _ => return Err(operand(1)),
    };
    let scales: Vec<f32> = scales.iter().map(|sw| x.scale * sw).collect();
    let (mut of_bias, mut after) = (Vec::new(), None);
    match bias {
        None => {}
        Some(value @ Value::Dequantized(constant)) => {
            let found = dequantized_bias(constant, layout, &scales, weights.n, 2);
            // Not fused: the bias is floats.
            let is_float = match &found {
                Err(NodeError::OperandType { .. }) => true,
                Err(NodeError::BiasScale { .. }) => !node.is_fused(),
                _ => false,
            };
            if is_float {
                let constant = constants::bias_in(value, layout, weights.n)?;
                after = Some(After { operation: Operation::Add, constant, first: false });
            } else {
                of_bias = found?;
            }
        }
        Some(Value::Constant(array)) => {
            let of = float_bias(array, layout, weights.n)?;
            // The session takes lists alone, as long as the scales where those are several.
            let is_list = array.shape().len() == 1 && [of.len(), 1].contains(&scales.len());
            match is_list && dequantized && node.is_between_codes(1) {
                true => of_bias = rounded(&of, &scales, weights.n)?,
                false => {
                    let operation = Operation::Add;
                    after = Some(After { operation, constant: of, first: false });
                }
            }
        }
        Some(_) => return Err(operand(2)),
    }
    let (bias, mut shape) = (of_bias, shape);
    if x.halves {
        weights = in_halves(&weights)?;
        shape[usize::from(layout != Layout::Columns)] *= 2;
    }
    Ok(Constants { weights, shape, scales, bias, after, fine: None })
}

/// The same of weights in digits.
pub(super) fn of_digits(
    digits: &Digits,
    layout: Layout,
    bias: Option<&Value>,
) -> Result<Constants, NodeError> {
    let of_bias = |n| bias.map(|bias| constants::bias_in(bias, layout, n)).transpose();
    let fine = digits.weights(layout, |n| {
        let bias = of_bias(n)?.unwrap_or_default();
        Ok(bias.into_iter().map(f64::from).collect())
    })?;
    let (weights, shape) = (fine.first().clone(), digits.arrays[0].shape().to_vec());
    let (scales, bias, after) = (vec![1.0], vec![], None);
    Ok(Constants { weights, shape, scales, bias, after, fine: Some(fine) })
}

impl Activation {
    /// The codes in `view` less a zero code that is said elsewhere, at scale 1.
    pub(super) fn of_codes(view: View) -> Self {
        let (zero_code, zero_point, scale) = (0, None, 1.0);
        Self { view, zero_code, zero_point, scale, negated: None, halves: false, low: None }
    }

    /// Integers at a scale.
    pub(super) fn of_integers(view: View, scale: f32) -> Self {
        let (zero_code, zero_point) = (0, Some(0));
        Self { view, zero_code, zero_point, scale, negated: None, halves: false, low: None }
    }

    /// Whether weights of 24 bits can be beside it: one tensor of codes, or integers whose zero is 0.
    fn can_be_by_digits(&self) -> bool {
        let is_one = !self.halves && self.low.is_none();
        is_one && self.negated.is_none() && self.zero_point.unwrap_or(0) == 0
    }

    /// Whether it is one tensor of codes, none of them negated.
    pub(super) fn is_plain(&self) -> bool {
        !self.halves && self.negated.is_none() && self.zero_point.is_none()
    }

    /// Float weights beside it as int8 numbers of one scale and zero point: what the runtime's default session makes of those of
    /// a Conv, ConvTranspose or Gemm between a DequantizeLinear and a QuantizeLinear. `None` where it does not.
    pub(super) fn rounded(&self, node: &NodeView<'_>, array: &Array) -> Option<Dequantized> {
        let ArrayData::F32(values) = array.data() else { return None };
        if !(self.is_plain() && node.has_rounded_weights()) {
            return None;
        }
        let least = values.iter().copied().fold(0.0, f32::min);
        let most = values.iter().copied().fold(0.0, f32::max);
        let scale = if most == least { 1.0 } else { (most - least) / 255.0 };
        let zero = (-128.0 - least / scale).clamp(-128.0, 127.0).round_ties_even();
        let code = |value: &f32| {
            let rounded = (value / scale).clamp(-128.0 - zero, 127.0 - zero).round_ties_even();
            (rounded + zero) as i8
        };
        let codes = ArrayData::I8(values.iter().map(code).collect());
        let values = Rc::new(Array::new(array.shape().to_vec(), codes).ok()?);
        let zeros = Array::new(vec![], ArrayData::I8(vec![zero as i8])).ok()?;
        let zero_points = Some(Rc::new(zeros));
        (scale.is_finite() && scale > 0.0).then_some(Dequantized {
            values,
            scales: vec![scale],
            zero_points,
            axis: 0,
        })
    }
}

/// A bias of floats as integers at the scales of the accumulators: what the runtime's default session makes of it where
/// it fuses the operator with its QuantizeLinear. What its conversion to int32 makes of a larger number depends on the machine.
fn rounded(bias: &[f32], scales: &[f32], n: usize) -> Result<Vec<i64>, NodeError> {
    let of = |column: usize| {
        let quotient = of_column(bias, column) / of_column(scales, column);
        units(quotient.into(), 1.0, i32::MAX.into())
    };
    (0..n).map(of).collect()
}

/// The product `x` with a bias of floats, one for each column, rounded to integers as that of a Gemm; `None` of what is no such product.
pub(super) fn biased(x: &Deferred, bias: &Array) -> Result<Option<Deferred>, NodeError> {
    let (Kind::Product(product), ArrayData::F32(values)) = (&x.kind, bias.data()) else {
        return Ok(None);
    };
    let Product { matmul, scales } = &**product;
    let n = matmul.weights.n;
    let is_plain = x.after.is_empty() && x.is_unbounded() && x.pools.is_empty();
    if !is_plain
        || matmul.groups != 1
        || !matmul.bias.is_empty()
        || matmul.reach.is_some()
        || values.len() != n
    {
        return Ok(None);
    }
    let matmul = MatMulOperands { bias: rounded(values, scales, n)?, ..matmul.clone() };
    let product = Product { matmul, scales: scales.clone() };
    Ok(Some(Deferred { kind: Kind::Product(Rc::new(product)), ..x.clone() }))
}

fn float_bias(array: &Array, layout: Layout, n: usize) -> Result<Vec<f32>, NodeError> {
    let ArrayData::F32(values) = array.data() else {
        return Err(NodeError::OperandType { index: 2 });
    };
    check_bias(array.shape(), layout, n, 2)?;
    Ok(values.clone())
}

/// The matrix of twice as many rows for an activation in halves: twice the weights, then the weights.
fn in_halves(weights: &Weights) -> Result<Weights, NodeError> {
    let Weights { k, n, heads, codes, offsets } = weights;
    let values =
        codes.iter().enumerate().map(|(at, &code)| i32::from(code) + of_column(offsets, at % n));
    let values: Vec<i32> = values.collect();
    let twice = values.iter().map(|w| 2 * w);
    let codes = twice.chain(values.iter().copied()).map(|w| {
        let code = u8::try_from(w + 128).ok();
        code.ok_or(NodeError::NotOnGrid { index: 1, value: w as f32 })
    });
    let heads = heads.clone();
    Ok(Weights {
        k: 2 * k,
        n: *n,
        heads,
        codes: codes.collect::<Result<_, _>>()?,
        offsets: vec![-128],
    })
}

/// The convolution of `x` by weights, as `geometry` has it.
pub(super) fn convolved(
    builder: &mut Builder,
    node: &NodeView<'_>,
    geometry: &Geometry,
    x: Activation,
    constants: Constants,
) -> Result<Value, NodeError> {
    let Constants { weights, scales, bias, after, fine, .. } = constants;
    let Some((low, of_low)) = &x.low else {
        let of = (weights, bias);
        let (matmul, output) = geometry.operands(builder, node, &x.view, x.zero_code, of)?;
        return deferred(x, matmul, (scales, after), fine.as_ref(), output);
    };
    let of = (weights.clone(), vec![]);
    let (mut high, output) = geometry.operands(builder, node, &x.view, x.zero_code, of)?;
    let of = (weights, bias);
    let (mut low, _) = geometry.operands(builder, node, low, *of_low, of)?;
    high.name = rowwise::part(node.name, "times256");
    low.name = rowwise::part(node.name, "times1");
    let after: Vec<After> = after.into_iter().collect();
    let wide = Wide::new(node.name, vec![(high, 256), (low, 1)], scales, &after);
    let expected = "dequantized constant weights at scales above zero";
    let wide = wide.ok_or(NodeError::Operand { index: 1, expected })?;
    Ok(Value::Deferred(Deferred::new(Kind::Wide(Rc::new(wide)), output)))
}

/// The product of `x` and what `matmul` holds, at scales, seen as `output`.
pub(super) fn deferred(
    x: Activation,
    mut matmul: MatMulOperands,
    (scales, after): (Vec<f32>, Option<After>),
    fine: Option<&Fine>,
    output: View,
) -> Result<Value, NodeError> {
    if let Some(fine) = fine {
        return fine.deferred(&matmul, x.scale.into(), &output);
    }
    if let Some(negated) = &x.negated {
        negate(&mut matmul, negated)?;
    }
    let product = Kind::Product(Rc::new(Product { matmul, scales }));
    let mut deferred = Deferred::new(product, output);
    deferred.after.extend(after);
    Ok(Value::Deferred(deferred))
}

/// Negates the rows that read negated features.
fn negate(matmul: &mut MatMulOperands, negated: &[bool]) -> Result<(), NodeError> {
    let no_view = NodeError::NoView { index: 0 };
    let features = matmul.x.features().ok_or(no_view.clone())?;
    let Weights { k, n, codes, offsets, .. } = &mut matmul.weights;
    let outputs = *n / matmul.groups;
    for (at, code) in codes.iter_mut().enumerate() {
        let (row, column) = (at / *n, at % *n);
        let feature = features.get(column / outputs * *k + row);
        if *feature.and_then(|&feature| negated.get(feature)).ok_or(no_view.clone())? {
            let offset = of_column(offsets, column);
            let negative = -(i32::from(*code) + offset) - offset;
            let fits = u8::try_from(negative).ok();
            let value = negative as f32;
            *code = fits.ok_or(NodeError::NotOnGrid { index: 1, value })?;
        }
    }
    Ok(())
}
