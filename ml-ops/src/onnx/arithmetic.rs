//! Add, Sub, Mul and Div of floats that are functions of codes.

use super::builder::Builder;
use super::constants;
use super::deferred::{
    After, Applied, Deferred, Each, Elementwise, Exact, ExactTerm, Factor, Factored, Kind,
    NormalizationPart, Quotient, Sum, Term,
};
use super::error::NodeError;
use super::factors;
use super::folded;
use super::followed::followed;
use super::masked;
use super::node::NodeView;
use super::numbers;
use super::operands::{codes_of, integers};
use super::pairs::{self, Aligned};
use super::positions;
use super::qlinear::{self, Kernel, Quantization};
use super::rowwise;
use super::stepped;
use super::value::{Dequantized, Floats, Fused, Scaling, Value};
use super::wordwise;
use crate::array::{Array, ArrayData};
use crate::graph::CodeType;
use std::rc::Rc;

/// An operator of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Sub,
    Mul,
    Div,
    /// PRelu: the second is a slope that negative numbers are multiplied with.
    Slope,
    /// QuantizeLinear: the first is rounded to an integer, to which the second is added.
    Round,
}

impl Operation {
    /// What the operator gives.
    pub(super) fn of(self, a: f32, b: f32) -> f32 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Slope if a < 0.0 => a * b,
            Self::Slope => a,
            Self::Round => a.round_ties_even() + b,
        }
    }

    /// What the operator gives of integers, as far as 64 bits hold it; of a division by zero 0.
    fn of_integers(self, a: i64, b: i64) -> i64 {
        match self {
            Self::Add | Self::Round => a.wrapping_add(b),
            Self::Sub => a.wrapping_sub(b),
            Self::Mul => a.wrapping_mul(b),
            Self::Div => a.checked_div(b).unwrap_or(0),
            Self::Slope => {
                if a < 0 {
                    a.wrapping_mul(b)
                } else {
                    a
                }
            }
        }
    }

    /// Whether it is a sum or a difference.
    fn is_sum(self) -> bool {
        matches!(self, Self::Add | Self::Sub)
    }

    /// The kernel that the runtime has for it between DequantizeLinear and QuantizeLinear of one type.
    fn kernel(self) -> Option<Kernel> {
        match self {
            Self::Add => Some(qlinear::add),
            Self::Mul => Some(qlinear::mul),
            Self::Sub | Self::Div | Self::Slope | Self::Round => None,
        }
    }
}

/// An operand that is one number: as a float, and as a value of an 8-bit type if it was dequantized.
struct Scalar {
    float: f32,
    quantized: Option<(Quantization, i32)>,
}

/// `operation` of operands 0 and 1.
pub(super) fn import(
    builder: &mut Builder,
    node: &NodeView<'_>,
    operation: Operation,
) -> Result<Value, NodeError> {
    // Of two dequantized constants before a QuantizeLinear the session makes an operator of its own, where it has one.
    let has_kernel = operation.kernel().is_some()
        && matches!(
            (node.value(0)?, node.value(1)?),
            (Value::Dequantized(_), Value::Dequantized(_))
        );
    if !has_kernel && folded::is_floats(node, 0)? && folded::is_floats(node, 1)? {
        return folded::floats(node, move |a, b| operation.of(a, b));
    }
    if let (Value::Constant(_), Value::Constant(_)) = (node.value(0)?, node.value(1)?) {
        return folded::pairs(node, |a, b| operation.of_integers(a, b));
    }
    if let Some(counted) = positions::arithmetic(node, operation)? {
        return Ok(counted);
    }
    let operands = numbers::operands(builder, node)?;
    let [a, b] = wordwise::beside(builder, node, operands)?;
    let part = match (operation, &*a, &*b) {
        (Operation::Sub, Value::Floats(x), Value::Deferred(mean)) => {
            NormalizationPart::less(node.name, x, mean)
        }
        (Operation::Mul, Value::Deferred(x), _) if node.input_name(0) == node.input_name(1) => {
            NormalizationPart::squared(node.name, x)
        }
        (Operation::Div, Value::Deferred(x), Value::Floats(by)) => {
            NormalizationPart::over(node.name, x, by)
        }
        (Operation::Div, Value::Floats(x), Value::Floats(by)) => {
            NormalizationPart::of_codes(node.name, x, by)
        }
        _ => None,
    };
    if let Some(part) = part {
        return Ok(Value::Deferred(part));
    }
    if let (Value::Deferred(a), Value::Deferred(b)) = (&*a, &*b)
        && node.goes_on()
        && (is_applied(a) || is_applied(b) || !operation.is_sum())
        && let Some(applied) = Applied::of_two([a, b], move |a, b| operation.of(a, b))
    {
        return Ok(Value::Deferred(applied));
    }
    if let Some(steps) = of_steps(builder, node, [&a, &b], operation)? {
        return Ok(steps);
    }
    if operation == Operation::Add
        && !node.is_quantized()
        && let Some(masked) = masked::sum(builder, node.name, [&a, &b])?
    {
        return Ok(masked);
    }
    if operation == Operation::Mul
        && let Some(product) = wordwise::product(builder, node.name, [&a, &b])?
    {
        return Ok(product);
    }
    match (&*a, &*b) {
        (a, b)
            if operation.is_sum()
                && (is_wide(a) || is_wide(b))
                && a.view().is_some()
                && b.view().is_some() =>
        {
            let sign = if operation == Operation::Sub { -1.0 } else { 1.0 };
            let (mut terms, more) = (summands(node, a, 0, 1.0)?, summands(node, b, 1, sign)?);
            terms.extend(more);
            let sum = Exact::new(node.name, terms)?;
            let output = sum.layout.clone();
            Ok(Value::Deferred(Deferred::new(Kind::Exact(Rc::new(sum)), output)))
        }
        (Value::Floats(a), Value::Floats(b)) => of_two(node, a, b, operation, true),
        (Value::Masked(of), mask) | (mask, Value::Masked(of)) if operation == Operation::Add => {
            let index = if matches!(&*a, Value::Masked(_)) { 1 } else { 0 };
            let more = match mask {
                Value::Floats(mask) => masked::added_numbers(builder, &of.floats, mask)?,
                Value::Constant(constant) => {
                    let part = rowwise::part(node.name, "constant");
                    masked::added(builder, &part, &of.floats, constant, index)?
                }
                _ => None,
            };
            let expected = "a dequantized tensor, the other a mask";
            match more {
                Some(Value::Masked(more)) => masked::both(builder, node.name, of, &more.mask),
                _ => Err(NodeError::Operand { index, expected }),
            }
        }
        (Value::Deferred(a), Value::Deferred(b)) if operation == Operation::Div => {
            let quotient = Quotient::of(builder, node.name, a, b);
            let quotient = quotient.ok_or(NodeError::ProductOfTensors)?;
            let output = a.view.clone();
            Ok(Value::Deferred(Deferred::new(Kind::Quotient(Rc::new(quotient)), output)))
        }
        (Value::FloatInput(x), Value::Constant(constant)) => {
            Ok(Value::FloatInput(x.followed(constant, operation, false, 1)?))
        }
        (Value::Constant(constant), Value::FloatInput(x)) => {
            Ok(Value::FloatInput(x.followed(constant, operation, true, 0)?))
        }
        (Value::Deferred(x), Value::Constant(bias))
        | (Value::Constant(bias), Value::Deferred(x))
            if node.is_gemm()
                && (x.view.rank() + usize::from(!node.is_whole()) == 2 || builder.batch_is_one)
                && let Some(product) = factors::biased(x, bias)? =>
        {
            Ok(Value::Deferred(product))
        }
        (Value::Deferred(x), Value::Constant(_) | Value::Dequantized(_)) => {
            let constant = &constants::array_of(node, 1)?;
            Ok(Value::Deferred(followed(node, x, constant, 1, operation, false)?))
        }
        (Value::Constant(_) | Value::Dequantized(_), Value::Deferred(x)) => {
            let constant = &constants::array_of(node, 0)?;
            Ok(Value::Deferred(followed(node, x, constant, 0, operation, true)?))
        }
        (Value::WordFloats(x), other) | (other, Value::WordFloats(x))
            if is_number(other) && node.goes_on() =>
        {
            let first = matches!(&*b, Value::WordFloats(_));
            let number = scalar(other, usize::from(!first))?.float;
            let of = move |x| if first { operation.of(number, x) } else { operation.of(x, number) };
            Ok(Value::Deferred(x.applied(node.name, of)?))
        }
        (Value::Floats(a), other) if is_number(other) => {
            let b = scalar(other, 1)?;
            let fused = |kernel: Kernel, of: Quantization| {
                let (qb, y) = b.quantized?;
                Some((qb, table_of(a, kernel, [of, qb], y)))
            };
            Ok(with_scalar(node, a, |x| operation.of(x, b.float), operation, fused))
        }
        (other, Value::Floats(b)) if is_number(other) => {
            let a = scalar(other, 0)?;
            let fused = |kernel: Kernel, of: Quantization| {
                let (qa, x) = a.quantized?;
                // The kernel adds the operand that has one element to the fixed part first.
                Some((qa, table_of(b, kernel, [of, qa], x)))
            };
            Ok(with_scalar(node, b, |y| operation.of(a.float, y), operation, fused))
        }
        (Value::Floats(a), Value::Constant(constant)) => {
            if let Some(each) = by_index(node, a, constant, operation, false, 1)? {
                return Ok(each);
            }
            let b = plain(builder, node, a, constant, operation, 1)?;
            of_two(node, a, &b, operation, false)
        }
        (Value::Constant(constant), Value::Floats(b)) => {
            if let Some(each) = by_index(node, b, constant, operation, true, 0)? {
                return Ok(each);
            }
            let a = plain(builder, node, b, constant, operation, 0)?;
            of_two(node, &a, b, operation, false)
        }
        (Value::Floats(a), Value::Dequantized(constant)) => {
            let view = &a.codes.view;
            let b = constants::dequantized(builder, node.name, view, constant, 1)?;
            of_two(node, a, &b, operation, true)
        }
        (Value::Dequantized(constant), Value::Floats(b)) => {
            let view = &b.codes.view;
            let a = constants::dequantized(builder, node.name, view, constant, 0)?;
            of_two(node, &a, b, operation, true)
        }
        _ => Err(NodeError::Operand { index: 0, expected: "a dequantized tensor" }),
    }
}

/// `operation` of steps of a product and others of the same, or a number, as steps.
fn of_steps(
    builder: &mut Builder,
    node: &NodeView<'_>,
    [a, b]: [&Value; 2],
    operation: Operation,
) -> Result<Option<Value>, NodeError> {
    match [a, b].map(|value| stepped::is_stepped(builder, value)) {
        [true, true] => {
            stepped::together(builder, node.name, &[a, b], |x| operation.of(x[0], x[1]))
        }
        [true, false] if is_number(b) => {
            let b = scalar(b, 1)?.float;
            stepped::together(builder, node.name, &[a], |x| operation.of(x[0], b))
        }
        [false, true] if is_number(a) => {
            let a = scalar(a, 0)?.float;
            stepped::together(builder, node.name, &[b], |x| operation.of(a, x[0]))
        }
        _ => Ok(None),
    }
}

/// Whether floats are a function of each of a product's.
fn is_applied(floats: &Deferred) -> bool {
    matches!(floats.kind, Kind::Applied(_))
}

/// Whether a value is floats of more than 8 bits.
fn is_wide(value: &Value) -> bool {
    matches!(value, Value::WordFloats(_) | Value::Deferred(_))
}

/// Operand `index`, which is `value`, times `sign` as summands of integers.
fn summands(
    node: &NodeView<'_>,
    value: &Value,
    index: usize,
    sign: f64,
) -> Result<Vec<ExactTerm>, NodeError> {
    let terms = match value {
        Value::Floats(floats) => {
            let scale = floats.scaling.scale;
            ExactTerm::codes(&floats.codes.view, &floats.images, scale).map(|term| vec![term])
        }
        Value::WordFloats(floats) if floats.is_pure() => Some(vec![floats.term()]),
        Value::Deferred(deferred) => {
            deferred.summands(&rowwise::part(node.name, &format!("summand{index}")))
        }
        _ => None,
    };
    let is_mean =
        |deferred: &Deferred| matches!(deferred.kind, Kind::Average(_) | Kind::SumAverage(_));
    let expected = "a dequantized tensor, a product of one scale, or a sum of those";
    let mut terms = terms.ok_or(match value {
        Value::Deferred(mean) if sign < 0.0 && is_mean(mean) => NodeError::QuantizedParts,
        _ => NodeError::Operand { index, expected },
    })?;
    terms.iter_mut().for_each(|term| term.scale *= sign);
    Ok(terms)
}

/// `operation` of floats, operand 0, and a constant, operand `index`: one number, or one for each index of some dimensions.
pub(super) fn by_constant(
    node: &NodeView<'_>,
    value: &Value,
    constant: &Array,
    operation: Operation,
    index: usize,
) -> Result<Value, NodeError> {
    match value {
        Value::Floats(floats) => {
            if let Ok(number) = number(constant, index) {
                return Ok(Value::Floats(floats.map(|x| operation.of(x, number))));
            }
            let each = by_index(node, floats, constant, operation, false, index)?;
            let (expected, got) = (floats.codes.view.elements(), constant.data().len());
            each.ok_or(NodeError::OperandShape { index, expected, got })
        }
        Value::Deferred(x) => {
            Ok(Value::Deferred(followed(node, x, constant, index, operation, false)?))
        }
        Value::FloatInput(x) => {
            Ok(Value::FloatInput(x.followed(constant, operation, false, index)?))
        }
        _ => Err(NodeError::Operand { index: 0, expected: "a dequantized tensor" }),
    }
}

/// The sum of all operands, which the runtime has no kernel for: of more than two as one integer for each element.
pub(super) fn sum(node: &NodeView<'_>) -> Result<Value, NodeError> {
    if let (2, Value::Floats(a), Value::Floats(b)) =
        (node.inputs(), node.value(0)?, node.value(node.inputs() - 1)?)
    {
        let mut value = of_two(node, a, b, Operation::Add, true)?;
        match &mut value {
            Value::Floats(floats) => floats.fused = None,
            Value::Deferred(Deferred { kind: Kind::Sum(sum), .. }) => {
                if let Some(sum) = Rc::get_mut(sum) {
                    sum.fused = false;
                }
            }
            _ => {}
        }
        return Ok(value);
    }
    let terms = (0..node.inputs()).map(|index| summands(node, node.value(index)?, index, 1.0));
    let sum = Exact::new(node.name, terms.collect::<Result<Vec<_>, _>>()?.concat())?;
    let output = sum.layout.clone();
    Ok(Value::Deferred(Deferred::new(Kind::Exact(Rc::new(sum)), output)))
}

/// Operand `index`, a constant number, dequantized or not.
pub(super) fn number_of(node: &NodeView<'_>, index: usize) -> Result<f32, NodeError> {
    Ok(scalar(node.value(index)?, index)?.float)
}

/// `floats` and the constant that is operand `index`, which is broadcast along some dimension of theirs: a function for
/// each index of the others. `None` where it is not broadcast, or does not fit.
pub(super) fn by_index(
    node: &NodeView<'_>,
    floats: &Floats,
    constant: &Array,
    operation: Operation,
    first: bool,
    index: usize,
) -> Result<Option<Value>, NodeError> {
    let ArrayData::F32(values) = constant.data() else {
        return Err(NodeError::OperandType { index });
    };
    if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
        return Err(NodeError::NotOnGrid { index, value });
    }
    let view = &floats.codes.view;
    let shape = constants::shape(constant, view.rank(), index)?;
    let sizes = shape.iter().zip(view.shape());
    let fits = sizes.clone().all(|(&size, of)| size == 1 || size == of);
    let is_broadcast = sizes.clone().any(|(&size, of)| size == 1 && of > 1);
    if !fits || !is_broadcast && view.rank() > 1 {
        return Ok(None);
    }
    let each = Each::of(node.name, floats, shape.iter().map(|&size| size > 1).collect());
    let output = each.output();
    let mut deferred = Deferred::new(Kind::Each(Rc::new(each)), output);
    deferred.after.push(After { operation, constant: values.clone(), first });
    Ok(Some(Value::Deferred(deferred)))
}

type Table = Rc<dyn Fn(Scaling) -> Result<[u8; 256], NodeError>>;

/// For each code of `floats` what `kernel` makes of its value and `y`.
fn table_of(floats: &Floats, kernel: Kernel, [a, b]: [Quantization; 2], y: i32) -> Table {
    let dtype = floats.codes.dtype;
    Rc::new(move |to| {
        let code = qlinear::codes(kernel, [a, b, (to, dtype)], Some(y))?;
        Ok(std::array::from_fn(|x| code(x as i32 + dtype.min(), y)))
    })
}

fn with_scalar(
    node: &NodeView<'_>,
    floats: &Floats,
    function: impl Fn(f32) -> f32,
    operation: Operation,
    fused: impl Fn(Kernel, Quantization) -> Option<(Quantization, Table)>,
) -> Value {
    let of = (floats.scaling, floats.codes.dtype);
    let mut result = floats.map(function);
    let kernel = operation.kernel().filter(|_| floats.pure && node.is_between_scalars());
    let table = kernel.and_then(|kernel| fused(kernel, of));
    if let Some(((_, dtype), codes)) = table
        && dtype == of.1
    {
        result.fused = Some(Fused { codes, low: f32::NEG_INFINITY, high: f32::INFINITY });
    }
    Value::Floats(result)
}

/// Plain floats beside `floats`, operand `index`.
fn plain(
    builder: &mut Builder,
    node: &NodeView<'_>,
    floats: &Floats,
    constant: &Array,
    operation: Operation,
    index: usize,
) -> Result<Floats, NodeError> {
    let view = &floats.codes.view;
    match operation {
        Operation::Div | Operation::Slope | Operation::Round => Err(NodeError::ProductOfTensors),
        _ => {
            let is_factor = operation == Operation::Mul;
            constants::plain(builder, node.name, view, constant, is_factor, index)
        }
    }
}

/// `operation` of two tensors; if both are `dequantized` right before the node, kernels of the runtime may take their place.
fn of_two(
    node: &NodeView<'_>,
    a: &Floats,
    b: &Floats,
    operation: Operation,
    dequantized: bool,
) -> Result<Value, NodeError> {
    let (qa, qb) = ((a.scaling, a.codes.dtype), (b.scaling, b.codes.dtype));
    let has_kernel = dequantized && a.pure && b.pure && node.is_between_scalars();
    if let Some((of, f, g)) = pairs::common(&a.codes, &b.codes) {
        let image =
            |i: usize| operation.of(a.images[usize::from(f[i])], b.images[usize::from(g[i])]);
        let kernel = operation.kernel().filter(|_| has_kernel && qa.1 == qb.1);
        let fused = kernel.map(|kernel| {
            let value = move |code: u8| i32::from(code) + qa.1.min();
            let codes: Table = Rc::new(move |to| {
                let code = qlinear::codes(kernel, [qa, qb, (to, qa.1)], None)?;
                Ok(std::array::from_fn(|i| code(value(f[i]), value(g[i]))))
            });
            Fused { codes, low: f32::NEG_INFINITY, high: f32::INFINITY }
        });
        let images = Box::new(std::array::from_fn(image));
        let codes = super::value::Codes { dtype: qa.1, quantized: false, ..of };
        let scaling = a.scaling;
        return Ok(Value::Floats(Floats {
            codes,
            scaling,
            images,
            pure: false,
            direct: false,
            fused,
        }));
    }
    let subtracted = match operation {
        Operation::Add => false,
        Operation::Sub => true,
        Operation::Mul if a.is_scaled() && b.is_scaled() => {
            let Aligned { a: x, b: y, columns, output } =
                pairs::aligned(&a.codes.view, &b.codes.view, 1)?;
            let (name, operands, from) = (node.name.to_owned(), [x, y], [qa, qb]);
            let (layout, fused) = (output.clone(), has_kernel);
            let product = Elementwise { name, columns, operands, layout, from, fused };
            let product = Rc::new(product);
            return Ok(Value::Deferred(Deferred::new(Kind::Elementwise(product), output)));
        }
        Operation::Mul => return factored(node, a, b),
        // Of a function of the second, the quotient is a product.
        Operation::Div => return factored(node, a, &b.map(f32::recip)),
        Operation::Slope | Operation::Round => return Err(NodeError::ProductOfTensors),
    };
    let Aligned { a: x, b: y, columns, output } = pairs::aligned(&a.codes.view, &b.codes.view, 1)?;
    let term = |x, floats: &Floats| Term {
        x,
        dtype: floats.codes.dtype,
        from: floats.scaling,
        images: floats.images.clone(),
        pure: floats.pure && dequantized,
    };
    let terms = [term(x, a), term(y, b)];
    let layout = output.clone();
    let (name, fused) = (node.name.to_owned(), has_kernel);
    let sum = Sum { name, columns, terms, fused, subtracted, layout };
    Ok(Value::Deferred(Deferred::new(Kind::Sum(Rc::new(sum)), output)))
}

/// The product of functions of two tensors' codes.
fn factored(node: &NodeView<'_>, a: &Floats, b: &Floats) -> Result<Value, NodeError> {
    for (index, floats) in [a, b].into_iter().enumerate() {
        if let Some(&value) = floats.images.iter().find(|image| !image.is_finite()) {
            return Err(NodeError::NotOnGrid { index, value });
        }
    }
    let Aligned { a: x, b: y, columns, output } = pairs::aligned(&a.codes.view, &b.codes.view, 1)?;
    let operands = [(x, a), (y, b)].map(|(x, floats)| Factor { x, floats: floats.clone() });
    let product = Rc::new(Factored { name: node.name.to_owned(), columns, operands });
    Ok(Value::Deferred(Deferred::new(Kind::Factored(product), output)))
}

/// Whether a constant has elements of one value, as its scale and zero point do.
pub(super) fn is_number(value: &Value) -> bool {
    match value {
        Value::Constant(array) => number(array, 0).is_ok(),
        Value::Dequantized(constant) => dequantized_scalar(constant, 0).is_ok(),
        _ => false,
    }
}

/// Operand `index`, a constant whose elements have one value.
fn scalar(value: &Value, index: usize) -> Result<Scalar, NodeError> {
    match value {
        Value::Constant(array) => Ok(Scalar { float: number(array, index)?, quantized: None }),
        Value::Dequantized(constant) => dequantized_scalar(constant, index),
        _ => Err(NodeError::Operand { index, expected: "a dequantized tensor or a constant" }),
    }
}

fn dequantized_scalar(constant: &Dequantized, index: usize) -> Result<Scalar, NodeError> {
    let codes = |array: &Array| -> Result<(i32, CodeType), NodeError> {
        let (codes, dtype) = codes_of(array).ok_or(NodeError::OperandType { index })?;
        Ok((i32::from(uniform(&codes, index)?) + dtype.min(), dtype))
    };
    if let ArrayData::U16(_) | ArrayData::I16(_) = constant.values.data() {
        let value = |array: &Array| {
            uniform(&integers(array).ok_or(NodeError::OperandType { index })?, index)
        };
        let zero_point = constant.zero_points.as_deref().map_or(Ok(0), value)?;
        let of_scale = uniform(&constant.scales, index)?;
        let float = (value(&constant.values)? - zero_point) as f32 * of_scale;
        return Ok(Scalar { float, quantized: None });
    }
    let (value, dtype) = codes(&constant.values)?;
    let zero_point = match &constant.zero_points {
        None => 0,
        Some(zero_points) => codes(zero_points)?.0,
    };
    let scale = uniform(&constant.scales, index)?;
    let float = (value - zero_point) as f32 * scale;
    Ok(Scalar { float, quantized: Some(((Scaling { scale, zero_point }, dtype), value)) })
}

/// The one float of a constant, operand `index`.
pub(super) fn number(constant: &Array, index: usize) -> Result<f32, NodeError> {
    match constant.data() {
        ArrayData::F32(values) => uniform(values, index),
        _ => Err(NodeError::OperandType { index }),
    }
}

/// The one value that all of `values`, operand `index`, have.
pub(super) fn uniform<T: Copy + PartialEq>(values: &[T], index: usize) -> Result<T, NodeError> {
    match values.split_first() {
        Some((first, rest)) if rest.iter().all(|value| value == first) => Ok(*first),
        _ => Err(NodeError::OperandShape { index, expected: 1, got: values.len() }),
    }
}
