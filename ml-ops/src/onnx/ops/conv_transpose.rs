//! ConvTranspose of a dequantized image and dequantized constants: convolutions, one for each place within a stride.
//!
//! An output at `stride * q + r - pad` takes the inputs at `q - j` times the kernel's elements at `stride * j + r`. So the
//! outputs of all `r` are channels of one convolution, which then are spread out; what the pads cut off is not read.

use crate::array::{Array, ArrayData};
use crate::graph::MAX_ELEMENTS;
use crate::onnx::builder::Builder;
use crate::onnx::convolved::{self, Geometry};
use crate::onnx::error::NodeError;
use crate::onnx::factors::{self, Constants};
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{Layout, check_columns, integers, of_column};
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
    /// For each place: the number of the kernel's first element that it takes, and by how many inputs that is later.
    places: Vec<(usize, usize)>,
    window: Window,
}

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = factors::first(builder, node, 0)?;
    let Value::Dequantized(kernels) = node.value(1)? else {
        return Err(NodeError::Operand { index: 1, expected: "constant weights, dequantized" });
    };
    let shape = x.view.shape();
    let rank = shape.len();
    let wrong = |index, expected, got| NodeError::OperandShape { index, expected, got };
    let (Some((&channels, sizes)), [inputs, outputs, kernel @ ..]) =
        (shape.split_first(), kernels.values.shape())
    else {
        return Err(wrong(1, rank + 1, kernels.values.shape().len()));
    };
    if kernel.len() != sizes.len() || kernel.is_empty() {
        return Err(wrong(1, sizes.len() + 2, kernel.len() + 2));
    }
    let value = node.int("group", 1)?;
    let groups = usize::try_from(value).ok().filter(|&n| n > 0 && inputs.is_multiple_of(n));
    let groups =
        groups.ok_or(NodeError::AttributeValue { attribute: "group", value: value as f64 })?;
    if *inputs != channels || kernels.values.shape().contains(&0) {
        return Err(wrong(1, channels, *inputs));
    }
    let phases = phases(node, sizes, kernel)?;
    let places: usize = phases.iter().map(|along| along.stride).product();
    let of = Spread { groups, inputs: inputs / groups, outputs: *outputs, phases: &phases, places };
    let weights = Value::Dequantized(Rc::new(of.weights(kernels)?));
    let bias = node.optional(2)?.map(|bias| of.bias(bias)).transpose()?;
    let constants = factors::of_values(node, &x, Layout::Kernels, &weights, bias.as_ref())?;
    let Constants { weights, scales, bias, after, .. } = constants;
    let windows = phases.iter().map(|along| along.window).collect();
    let pool = Pool { windows, beyond: true, beyond_pads: false };
    let geometry = Geometry { groups, pool };
    let (matmul, output) =
        geometry.operands(builder, node, &x.view, x.zero_code, (weights, bias))?;
    let product = factors::deferred(x, matmul, (scales, after), output)?;
    product.seen(|view| of.spread_out(view)).ok_or(NodeError::NoView { index: 0 })
}

/// The places along each dimension.
fn phases(
    node: &NodeView<'_>,
    sizes: &[usize],
    kernel: &[usize],
) -> Result<Vec<Phases>, NodeError> {
    let n = sizes.len();
    if node.attribute("output_shape").is_some() {
        return Err(NodeError::UnknownAttribute { attribute: "output_shape".to_owned() });
    }
    match node.text("auto_pad")?.unwrap_or("NOTSET") {
        "" | "NOTSET" => {}
        other => {
            let attribute = "auto_pad";
            return Err(NodeError::AttributeText { attribute, value: other.to_owned() });
        }
    }
    let named = |attribute, default: &[usize], least| {
        windows::named(node, attribute, Some(default), default.len(), least)
    };
    if named("kernel_shape", kernel, 1)? != kernel {
        let value = kernel.len() as f64;
        return Err(NodeError::AttributeValue { attribute: "kernel_shape", value });
    }
    let ones = vec![1; n];
    if let Some(dilation) = named("dilations", &ones, 1)?.into_iter().find(|&size| size != 1) {
        let value = dilation as f64;
        return Err(NodeError::AttributeValue { attribute: "dilations", value });
    }
    let strides = named("strides", &ones, 1)?;
    let pads = named("pads", &vec![0; 2 * n], 0)?;
    let more = named("output_padding", &vec![0; n], 0)?;
    let along = |dim: usize| {
        let (stride, kernel, pad) = (strides[dim], kernel[dim], pads[dim]);
        if stride > kernel {
            let value = stride as f64;
            return Err(NodeError::AttributeValue { attribute: "strides", value });
        }
        let full = (sizes[dim] - 1) * stride + kernel + more[dim];
        let out = full.checked_sub(pad + pads[n + dim]).filter(|&out| out > 0);
        let wrong = NodeError::AttributeValue { attribute: "pads", value: pad as f64 };
        let out = out.ok_or(wrong.clone())?;
        if !out.is_multiple_of(stride) {
            let value = more[dim] as f64;
            return Err(NodeError::AttributeValue { attribute: "output_padding", value });
        }
        let places: Vec<(usize, usize)> =
            (0..stride).map(|r| ((r + pad) % stride, (r + pad) / stride)).collect();
        let (first, last) = (pad / stride, pad.div_ceil(stride));
        let taps = kernel.div_ceil(stride);
        let before = (taps - 1).checked_sub(first).ok_or(wrong)?;
        let kernel_of = taps + last - first;
        let window =
            Window { out: out / stride, stride: 1, kernel: kernel_of, dilation: 1, pad: before };
        Ok(Phases { stride, kernel, places, window })
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
        let taps: usize = self.phases.iter().map(|along| along.window.kernel).product();
        let elements: usize = self.phases.iter().map(|along| along.kernel).product();
        let columns = self.columns();
        if kernels.scales.len() > 1 && kernels.axis != 1 {
            let (expected, got) = (1, kernels.axis);
            return Err(NodeError::OperandShape { index: 1, expected, got });
        }
        check_columns(kernels.scales.len(), self.outputs, 1)?;
        let wrong = NodeError::OperandType { index: 1 };
        let values = integers(&kernels.values).ok_or(wrong.clone())?;
        let zeros = match &kernels.zero_points {
            None => vec![0],
            Some(zeros) => integers(zeros).ok_or(wrong)?,
        };
        check_columns(zeros.len(), self.outputs, 1)?;
        let zero_of = |column: usize| of_column(&zeros, self.output_of(column));
        let rows = self.inputs * taps;
        // Where the kernel has no element there is its zero point.
        let value = |at: usize| {
            let (column, row) = (at / rows, at % rows);
            let group = column / (self.outputs * self.places);
            let input = group * self.inputs + row / taps;
            let element = self.element(column % self.places, row % taps);
            let number = (input * self.outputs + self.output_of(column)) * elements;
            element.map_or(zero_of(column), |element| values[number + element])
        };
        let mut shape = vec![columns, self.inputs];
        shape.extend(self.phases.iter().map(|along| along.window.kernel));
        let of_columns = columns.checked_mul(rows).filter(|&size| size <= MAX_ELEMENTS);
        let size = of_columns.ok_or(NodeError::OperandShape {
            index: 1,
            expected: MAX_ELEMENTS / rows,
            got: columns,
        })?;
        let array = alike(&kernels.values, shape, (0..size).map(value).collect())?;
        let zero_points = match &kernels.zero_points {
            None => None,
            Some(of) => {
                let zeros = (0..columns).map(zero_of).collect();
                Some(Rc::new(alike(of, vec![columns], zeros)?))
            }
        };
        let scales =
            (0..columns).map(|column| of_column(&kernels.scales, self.output_of(column))).collect();
        Ok(Dequantized { values: Rc::new(array), scales, zero_points, axis: 0 })
    }

    /// The bias of each output, for each of its places.
    fn bias(&self, bias: &Value) -> Result<Value, NodeError> {
        let wrong = NodeError::OperandType { index: 2 };
        let n = self.groups * self.outputs;
        let check = |got: usize| match got == n {
            true => Ok(()),
            false => Err(NodeError::OperandShape { index: 2, expected: n, got }),
        };
        let columns = || 0..self.columns();
        match bias {
            Value::Constant(array) => {
                let ArrayData::F32(values) = array.data() else { return Err(wrong) };
                check(values.len())?;
                let values = columns().map(|column| values[column / self.places]).collect();
                let array = Array::new(vec![self.columns()], ArrayData::F32(values));
                Ok(Value::Constant(Rc::new(array.map_err(|_| wrong)?)))
            }
            Value::Dequantized(constant) => {
                let values = integers(&constant.values).ok_or(wrong)?;
                check(values.len())?;
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
            let (first, later) = along.places[place % along.stride];
            let taps = along.kernel.div_ceil(along.stride);
            let steps =
                (later + taps - 1).checked_sub(along.places[0].1 + tap % along.window.kernel)?;
            let at = along.stride * steps + first;
            if steps >= taps || at >= along.kernel {
                return None;
            }
            number += stride * at;
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
