//! ConvTranspose of a dequantized image and dequantized constants: convolutions, one for each place within a stride.
//!
//! An output at `stride * q + r - pad` takes the inputs at `q - j` times the kernel's elements at `stride * j + r`. So the
//! outputs of all `r` are channels of one convolution, which then are spread out; what the pads cut off is not read.

use crate::array::{Array, ArrayData};
use crate::graph::MAX_ELEMENTS;
use crate::onnx::builder::Builder;
use crate::onnx::convolved::{self, Geometry};
use crate::onnx::deferred::{Cut, Deferred, Kind};
use crate::onnx::error::NodeError;
use crate::onnx::factors;
use crate::onnx::fine::Digits;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{Layout, check_bias, check_columns, integers, of_column};
use crate::onnx::value::{Dequantized, Value};
use crate::onnx::view::{View, Window};
use crate::onnx::windows::{self, Pool};
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "ConvTranspose",
    inputs: 3,
    attributes: &[
        &convolved::ATTRIBUTES,
        &windows::ATTRIBUTES,
        &["output_padding", "output_shape"],
    ],
    import: Import::One(import),
};

/// The places within a stride along one dimension.
struct Phases {
    stride: usize,
    kernel: usize,
    /// Outputs; those of all places may be more.
    out: usize,
    /// For each place and each of the window's inputs the kernel's element beside it, if there is one.
    elements: Vec<Vec<Option<usize>>>,
    window: Window,
}

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = factors::image(builder, node, 0)?;
    let kernels = match node.value(1)? {
        Value::Dequantized(kernels) => &kernels.values,
        Value::Constant(kernels) if x.is_plain() => kernels,
        _ => return Err(NodeError::Operand { index: 1, expected: "constant weights" }),
    };
    let shape = x.view.shape();
    let rank = shape.len();
    let wrong = |index, expected, got| NodeError::OperandShape { index, expected, got };
    let (Some((&channels, sizes)), [inputs, outputs, kernel @ ..]) =
        (shape.split_first(), kernels.shape())
    else {
        return Err(wrong(1, rank + 1, kernels.shape().len()));
    };
    if kernel.len() != sizes.len() || kernel.is_empty() {
        return Err(wrong(1, sizes.len() + 2, kernel.len() + 2));
    }
    let value = node.int("group", 1)?;
    let groups = usize::try_from(value).ok().filter(|&n| n > 0 && inputs.is_multiple_of(n));
    let groups =
        groups.ok_or(NodeError::AttributeValue { attribute: "group", value: value as f64 })?;
    if *inputs != channels || kernels.shape().contains(&0) {
        return Err(wrong(1, channels, *inputs));
    }
    let phases = phases(node, sizes, kernel)?;
    let places: usize = phases.iter().map(|along| along.stride).product();
    let of = Spread { groups, inputs: inputs / groups, outputs: *outputs, phases: &phases, places };
    let bias = node.optional(2)?.map(|bias| of.bias(bias)).transpose()?;
    let rounded = x.rounded(node, kernels);
    let dequantized = match node.value(1)? {
        Value::Dequantized(kernels) => Some(&**kernels),
        _ => rounded.as_ref(),
    };
    let constants = match dequantized {
        Some(kernels) => {
            let weights = Value::Dequantized(Rc::new(of.weights(kernels)?));
            factors::of_values(node, &x, Layout::Kernels, &weights, bias.as_ref())?
        }
        None => {
            let digits = Digits::of_array(kernels, 1)?.map(|array| of.spread(array, &[0]))?;
            factors::of_digits(&digits, Layout::Kernels, bias.as_ref())?
        }
    };
    let windows = phases.iter().map(|along| along.window).collect();
    let pool = Pool { windows, beyond: true, beyond_pads: false };
    let geometry = Geometry { groups, pool };
    let product = factors::convolved(builder, node, &geometry, x, constants)?;
    let product = product.seen(|view| of.spread_out(view)).ok_or(NodeError::NoView { index: 0 })?;
    let outs: Vec<usize> = of.phases.iter().map(|along| along.out).collect();
    match product {
        // Places beyond the last output.
        Value::Deferred(of) if of.view.shape()[1..] != outs => {
            let cut = Cut { name: node.name.to_owned(), of };
            let whole = cut.whole();
            let view = outs
                .iter()
                .enumerate()
                .try_fold(whole, |view, (dim, &out)| view.sliced(dim + 1, 0, 1, out));
            let view = view.ok_or(NodeError::NoView { index: 0 })?;
            Ok(Value::Deferred(Deferred::new(Kind::Cut(Rc::new(cut)), view)))
        }
        product => Ok(product),
    }
}

/// The places along each dimension.
fn phases(
    node: &NodeView<'_>,
    sizes: &[usize],
    kernel: &[usize],
) -> Result<Vec<Phases>, NodeError> {
    let n = sizes.len();
    let named = |attribute, default: &[usize], least| {
        windows::named(node, attribute, Some(default), default.len(), least)
    };
    if named("kernel_shape", kernel, 1)? != kernel {
        let value = kernel.len() as f64;
        return Err(NodeError::AttributeValue { attribute: "kernel_shape", value });
    }
    let ones = vec![1; n];
    let (strides, dilations) = (named("strides", &ones, 1)?, named("dilations", &ones, 1)?);
    let pads = named("pads", &vec![0; 2 * n], 0)?;
    let more = named("output_padding", &vec![0; n], 0)?;
    let shape = match node.attribute("output_shape") {
        None => None,
        Some(_) => Some(named("output_shape", &ones, 1)?),
    };
    let same = match node.text("auto_pad")?.unwrap_or("NOTSET") {
        "" | "NOTSET" => None,
        "VALID" => Some(None),
        "SAME_UPPER" => Some(Some(true)),
        "SAME_LOWER" => Some(Some(false)),
        other => {
            let attribute = "auto_pad";
            return Err(NodeError::AttributeText { attribute, value: other.to_owned() });
        }
    };
    let along = |dim: usize| {
        let (stride, kernel, dilation) = (strides[dim], kernel[dim], dilations[dim]);
        let most = |size: Option<usize>| size.filter(|&size| size <= MAX_ELEMENTS);
        let reach = most((kernel - 1).checked_mul(dilation));
        let steps = most((sizes[dim] - 1).checked_mul(stride));
        let wrong = NodeError::AttributeValue { attribute: "strides", value: stride as f64 };
        let (reach, steps) = reach.zip(steps).ok_or(wrong)?;
        let full = steps + reach + 1 + more[dim];
        let (out, pad) = match (&shape, same) {
            (Some(shape), upper) => {
                let total = full.saturating_sub(shape[dim]);
                let upper = upper == Some(Some(true));
                (Some(shape[dim]), if upper { total / 2 } else { total - total / 2 })
            }
            (None, Some(Some(upper))) => {
                let out = sizes[dim].saturating_mul(stride);
                let total = full.saturating_sub(out);
                (Some(out), if upper { total / 2 } else { total - total / 2 })
            }
            (None, Some(None)) => (Some(full), 0),
            (None, None) => (full.checked_sub(pads[dim] + pads[n + dim]), pads[dim]),
        };
        let wrong = NodeError::AttributeValue { attribute: "pads", value: pad as f64 };
        let out = out.filter(|&out| (1..=MAX_ELEMENTS).contains(&out)).ok_or(wrong)?;
        // The input beside an element of the kernel at a place, counted from the place's stride on.
        let input = |place: usize, element: usize| {
            let at = (place + pad) as i64 - (dilation * element) as i64;
            (at.rem_euclid(stride as i64) == 0).then_some(at.div_euclid(stride as i64))
        };
        let inputs = |place: usize| (0..kernel).filter_map(move |element| input(place, element));
        let all = || (0..stride.min(out)).flat_map(inputs);
        let (first, last) = (all().fold(0, i64::min), all().fold(0, i64::max));
        let beside = |place: usize| {
            let element = |at: i64| (0..kernel).find(|&element| input(place, element) == Some(at));
            (first..=last).map(element).collect()
        };
        let taps = (last - first) as usize + 1;
        if stride.saturating_mul(taps).saturating_mul(kernel) > MAX_ELEMENTS {
            return Err(NodeError::AttributeValue { attribute: "strides", value: stride as f64 });
        }
        let pad = first.unsigned_abs() as usize;
        let window =
            Window { out: out.div_ceil(stride), stride: 1, kernel: taps, dilation: 1, pad };
        let elements = (0..stride).map(beside).collect();
        Ok(Phases { stride, kernel, out, elements, window })
    };
    (0..n).map(along).collect()
}

/// Which weights the convolution of all places has.
struct Spread<'a> {
    groups: usize,
    /// Inputs and outputs of a group.
    inputs: usize,
    outputs: usize,
    phases: &'a [Phases],
    /// Places of all dimensions together.
    places: usize,
}

impl Spread<'_> {
    /// Constant kernels as those of the convolution, for each place of each output.
    fn weights(&self, kernels: &Dequantized) -> Result<Dequantized, NodeError> {
        let columns = self.columns();
        if kernels.scales.len() > 1 && kernels.axis != 1 {
            let (expected, got) = (1, kernels.axis);
            return Err(NodeError::OperandShape { index: 1, expected, got });
        }
        check_columns(kernels.scales.len(), self.outputs, 1)?;
        let zeros = match &kernels.zero_points {
            None => vec![0],
            Some(zeros) => integers(zeros).ok_or(NodeError::OperandType { index: 1 })?,
        };
        check_columns(zeros.len(), self.outputs, 1)?;
        let array = self.spread(&kernels.values, &zeros)?;
        let zero_points = match &kernels.zero_points {
            None => None,
            Some(of) => {
                let zeros = (0..columns).map(|column| of_column(&zeros, self.output_of(column)));
                Some(Rc::new(alike(of, vec![columns], zeros.collect())?))
            }
        };
        let scales =
            (0..columns).map(|column| of_column(&kernels.scales, self.output_of(column))).collect();
        Ok(Dequantized { values: Rc::new(array), scales, zero_points, axis: 0 })
    }

    /// The integers of kernels for each place of each output; where the kernel has no element they are `zeros`, one or those
    /// of the outputs.
    fn spread(&self, kernels: &Array, zeros: &[i32]) -> Result<Array, NodeError> {
        let taps: usize = self.phases.iter().map(|along| along.window.kernel).product();
        let elements: usize = self.phases.iter().map(|along| along.kernel).product();
        let columns = self.columns();
        let values = integers(kernels).ok_or(NodeError::OperandType { index: 1 })?;
        let rows = self.inputs * taps;
        let value = |at: usize| {
            let (column, row) = (at / rows, at % rows);
            let group = column / (self.outputs * self.places);
            let input = group * self.inputs + row / taps;
            let element = self.element(column % self.places, row % taps);
            let number = (input * self.outputs + self.output_of(column)) * elements;
            let zero = of_column(zeros, self.output_of(column));
            element.map_or(zero, |element| values[number + element])
        };
        let mut shape = vec![columns, self.inputs];
        shape.extend(self.phases.iter().map(|along| along.window.kernel));
        let of_columns = columns.checked_mul(rows).filter(|&size| size <= MAX_ELEMENTS);
        let size = of_columns.ok_or(NodeError::OperandShape {
            index: 1,
            expected: MAX_ELEMENTS / rows,
            got: columns,
        })?;
        alike(kernels, shape, (0..size).map(value).collect())
    }

    /// The bias of each output, for each of its places.
    fn bias(&self, bias: &Value) -> Result<Value, NodeError> {
        let wrong = NodeError::OperandType { index: 2 };
        let n = self.groups * self.outputs;
        let check = |array: &Array| check_bias(array.shape(), Layout::Kernels, n, 2);
        let columns = || 0..self.columns();
        match bias {
            Value::Constant(array) => {
                let ArrayData::F32(values) = array.data() else { return Err(wrong) };
                check(array)?;
                let values = columns().map(|column| values[column / self.places]).collect();
                let array = Array::new(vec![self.columns()], ArrayData::F32(values));
                Ok(Value::Constant(Rc::new(array.map_err(|_| wrong)?)))
            }
            Value::Dequantized(constant) => {
                let values = integers(&constant.values).ok_or(wrong)?;
                check(&constant.values)?;
                check_columns(constant.scales.len(), n, 2)?;
                let number = |column: usize| column / self.places;
                let values = columns().map(|column| values[number(column)]).collect();
                let scales = columns().map(|column| of_column(&constant.scales, number(column)));
                Ok(Value::Dequantized(Rc::new(Dequantized {
                    values: Rc::new(alike(&constant.values, vec![self.columns()], values)?),
                    scales: scales.collect(),
                    zero_points: constant.zero_points.clone(),
                    axis: 0,
                })))
            }
            _ => Err(NodeError::Operand { index: 2, expected: "a constant bias" }),
        }
    }

    /// The places of all outputs.
    fn columns(&self) -> usize {
        self.groups * self.outputs * self.places
    }

    /// The image of the outputs, each at its places.
    fn spread_out(&self, view: &View) -> Option<View> {
        let n = self.phases.len();
        let strides = self.phases.iter().map(|along| along.stride);
        let outs = self.phases.iter().map(|along| along.window.out);
        let outputs = [self.groups * self.outputs];
        let cut: Vec<usize> =
            outputs.into_iter().chain(strides.clone()).chain(outs.clone()).collect();
        let order: Vec<usize> =
            [0].into_iter().chain((1..=n).flat_map(|dim| [n + dim, dim])).collect();
        let sizes = strides.zip(outs).map(|(stride, out)| stride * out);
        let to: Vec<usize> = outputs.into_iter().chain(sizes).collect();
        view.reshaped(&cut)?.transposed(&order).reshaped(&to)
    }

    /// The output of a group that a column is of.
    fn output_of(&self, column: usize) -> usize {
        column / self.places % self.outputs
    }

    /// The element of the kernel that is beside tap `tap` at place `place`, if there is one.
    fn element(&self, place: usize, tap: usize) -> Option<usize> {
        let (mut place, mut tap, mut stride, mut number) = (place, tap, 1, 0);
        for along in self.phases.iter().rev() {
            let element = along.elements[place % along.stride][tap % along.window.kernel]?;
            number += stride * element;
            stride *= along.kernel;
            place /= along.stride;
            tap /= along.window.kernel;
        }
        Some(number)
    }
}

/// Integers in an array of the type of `of`.
fn alike(of: &Array, shape: Vec<usize>, values: Vec<i32>) -> Result<Array, NodeError> {
    let wrong = NodeError::OperandType { index: 1 };
    let data = match of.data() {
        ArrayData::U8(_) => ArrayData::U8(values.iter().map(|&value| value as u8).collect()),
        ArrayData::I8(_) => ArrayData::I8(values.iter().map(|&value| value as i8).collect()),
        ArrayData::I32(_) => ArrayData::I32(values),
        _ => return Err(wrong),
    };
    Array::new(shape, data).map_err(|_| wrong)
}
