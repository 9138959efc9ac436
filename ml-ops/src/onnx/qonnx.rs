//! Quantizers of QONNX, as Brevitas and QKeras write networks of few bits: `Quant`, which is also named `IntQuant`,
//! `BipolarQuant` and `Trunc`, written as ONNX's own operators.
//!
//! A constant is rounded here, to the integers of `qonnx`'s own executor. Of other floats `Quant` is QuantizeLinear and
//! DequantizeLinear, `BipolarQuant` a comparison with 0 that chooses one of two numbers, and `Trunc` two quantizers.

use super::constant;
use super::error::{ImportError, NodeError};
use super::import::name_of;
use super::inlined::unused_prefix;
use super::node::expect_type;
use super::proto::{
    AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto, attribute_type, data_type,
};
use super::uses::constants;
use crate::array::{Array, ArrayData};
use crate::graph::MAX_ELEMENTS;
use std::collections::{HashMap, HashSet};

/// The domains in which files have them.
const DOMAINS: [&str; 3] = ["qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general"];

/// The element types of activations: bits, signed or not, `TensorProto.data_type`.
const TYPES: [(u32, bool, i32); 8] = [
    (2, false, data_type::UINT2),
    (2, true, data_type::INT2),
    (4, false, data_type::UINT4),
    (4, true, data_type::INT4),
    (8, false, data_type::UINT8),
    (8, true, data_type::INT8),
    (16, false, data_type::UINT16),
    (16, true, data_type::INT16),
];

/// Most bits of a constant, as of a bias.
const MOST_BITS: u32 = 32;

/// Writes each quantizer of `graph` as the operators that it is. Whether there are any: `qonnx` computes in floats what is between
/// them, and fuses nothing.
///
/// # Errors
/// [`ImportError::Node`] for one whose scale, zero point or number of bits is no constant that is supported.
pub(super) fn write_quantizers(graph: &mut GraphProto) -> Result<bool, ImportError> {
    if !graph.node.iter().any(is_quantizer) {
        return Ok(false);
    }
    write_inputs(graph);
    let constants = constants(graph);
    let mut written = Written { prefix: unused_prefix(graph), ..Written::default() };
    let mut places = Vec::new();
    for (index, node) in graph.node.iter().enumerate().filter(|(_, node)| is_quantizer(node)) {
        let start = written.nodes.len();
        Quantizer { node, constants: &constants }.write(&mut written).map_err(|error| {
            let operator = format!("{}.{}", node.domain.as_deref().unwrap_or(""), operator(node));
            ImportError::Node { node: name_of(node, index), operator, error }
        })?;
        places.push((index, written.nodes.len() - start));
    }
    let mut places = places.into_iter().peekable();
    let mut made = written.nodes.into_iter();
    let nodes = std::mem::take(&mut graph.node);
    for (index, node) in nodes.into_iter().enumerate() {
        match places.next_if(|(place, _)| *place == index) {
            Some((_, count)) => graph.node.extend(made.by_ref().take(count)),
            None => graph.node.push(node),
        }
    }
    graph.initializer.extend(written.initializers);
    Ok(true)
}

/// Writes a quantizer behind each input of floats of which the file says that they are integers.
fn write_inputs(graph: &mut GraphProto) {
    let initializers: HashSet<_> =
        graph.initializer.iter().filter_map(|tensor| tensor.name.as_ref()).collect();
    let is_float = |input: &&ValueInfoProto| {
        let tensor = input.r#type.as_ref().and_then(|of| of.tensor_type.as_ref());
        tensor.and_then(|tensor| tensor.elem_type) == Some(data_type::FLOAT)
    };
    let names = graph.input.iter().filter(is_float).filter_map(|input| input.name.as_ref());
    let annotation = |name: &String| {
        let mut of = graph.quantization_annotation.iter();
        let of = of.find(|of| of.tensor_name.as_ref() == Some(name))?;
        let mut entries = of.quant_parameter_tensor_names.iter();
        let entry = entries.find(|entry| entry.key.as_deref() == Some("finn_datatype"))?;
        annotated(entry.value.as_deref()?)
    };
    let names = names.filter(|name| !initializers.contains(name));
    let found: Vec<_> = names.filter_map(|name| Some((name.clone(), annotation(name)?))).collect();
    let mut written = Written { prefix: unused_prefix(graph), ..Written::default() };
    for (name, (bits, signed)) in found {
        let [scale, zero, bits] = [1.0, 0.0, bits as f32].map(|number| written.float(number));
        let output = written.name();
        for input in graph.node.iter_mut().flat_map(|node| &mut node.input) {
            if *input == name {
                input.clone_from(&output);
            }
        }
        let signed = integer_attribute("signed", signed.into());
        written.nodes.push(NodeProto {
            input: vec![name.clone(), scale, zero, bits],
            output: vec![output],
            name: Some(name),
            op_type: Some("IntQuant".to_owned()),
            domain: Some(DOMAINS[0].to_owned()),
            attribute: vec![signed],
            ..NodeProto::default()
        });
    }
    graph.node.splice(..0, written.nodes);
    graph.initializer.extend(written.initializers);
}

/// Bits of a type of integers, and whether they are signed. One signed bit is plus or minus one.
fn annotated(name: &str) -> Option<(u32, bool)> {
    match name {
        "BIPOLAR" => Some((1, true)),
        "BINARY" => Some((1, false)),
        "TERNARY" => Some((2, true)),
        _ => {
            let (bits, signed) = match name.strip_prefix("UINT") {
                Some(bits) => (bits, false),
                None => (name.strip_prefix("INT")?, true),
            };
            bits.parse().ok().map(|bits| (bits, signed))
        }
    }
}

fn is_quantizer(node: &NodeProto) -> bool {
    DOMAINS.contains(&node.domain.as_deref().unwrap_or(""))
        && matches!(operator(node), "Quant" | "IntQuant" | "BipolarQuant" | "Trunc")
}

fn operator(node: &NodeProto) -> &str {
    node.op_type.as_deref().unwrap_or("")
}

/// What quantizers are written as.
#[derive(Default)]
struct Written {
    /// No value of the graph begins so.
    prefix: String,
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
    /// Elements of constants that were rounded.
    rounded: usize,
}

impl Written {
    /// Says that operand 0, a constant, is rounded: of a constant that many read there are as many copies.
    fn round(&mut self, array: &Array) -> Result<(), NodeError> {
        self.rounded = self.rounded.saturating_add(array.data().len());
        let (expected, got) = (MAX_ELEMENTS, self.rounded);
        let fits = got <= expected;
        fits.then_some(()).ok_or(NodeError::OperandShape { index: 0, expected, got })
    }

    /// A name of no value so far.
    fn name(&self) -> String {
        format!("{}{}.{}", self.prefix, self.nodes.len(), self.initializers.len())
    }

    /// A constant, and its name.
    fn constant(&mut self, tensor: TensorProto) -> String {
        let name = self.name();
        self.initializers.push(TensorProto { name: Some(name.clone()), ..tensor });
        name
    }

    fn float(&mut self, value: f32) -> String {
        self.constant(floats(&[], vec![value]))
    }

    /// A node in the place of `of`, and the name of its output: that of `of` if it is the last.
    fn node(
        &mut self,
        of: &NodeProto,
        operator: &str,
        input: &[&str],
        axis: Option<i64>,
        is_last: bool,
    ) -> String {
        let output = match of.output.first() {
            Some(name) if is_last => name.clone(),
            _ => self.name(),
        };
        let attribute = axis.map(|axis| integer_attribute("axis", axis));
        self.nodes.push(NodeProto {
            input: input.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.clone()],
            name: of.name.clone(),
            op_type: Some(operator.to_owned()),
            attribute: attribute.into_iter().collect(),
            ..NodeProto::default()
        });
        output
    }
}

fn integer_attribute(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        i: Some(value),
        r#type: Some(attribute_type::INT),
        ..AttributeProto::default()
    }
}

fn floats(dims: &[i64], values: Vec<f32>) -> TensorProto {
    let data_type = Some(data_type::FLOAT);
    TensorProto { dims: dims.to_vec(), data_type, float_data: values, ..TensorProto::default() }
}

/// Values of a type of integers of one byte or more.
fn integers(dims: &[i64], of: i32, values: Vec<i32>) -> TensorProto {
    let is_byte = [data_type::INT8, data_type::UINT8].contains(&of);
    let raw_data = is_byte.then(|| values.iter().map(|&value| value as u8).collect());
    let int32_data = if is_byte { vec![] } else { values };
    let (dims, data_type) = (dims.to_vec(), Some(of));
    TensorProto { dims, data_type, int32_data, raw_data, ..TensorProto::default() }
}

/// One number, or one for each index of an axis, which is counted from the last.
struct Numbers {
    values: Vec<f32>,
    axis: Option<i64>,
}

impl Numbers {
    /// The constant with them.
    fn write(&self, written: &mut Written) -> String {
        let dims: &[i64] = if self.axis.is_some() { &[self.values.len() as i64] } else { &[] };
        written.constant(floats(dims, self.values.clone()))
    }
}

/// Integers of so many bits.
struct Range {
    bits: u32,
    is_signed: bool,
    low: i64,
    high: i64,
}

impl Range {
    fn new(bits: f32, is_signed: bool, is_narrow: bool) -> Result<Self, NodeError> {
        let known = (1..=MOST_BITS).find(|&of| of as f32 == bits);
        let known = known.ok_or(NodeError::Bits { value: bits })?;
        let (low, high) = match (is_signed, 1i64 << (known - 1)) {
            (true, half) => (i64::from(is_narrow) - half, half - 1),
            (false, half) => (0, 2 * half - 1 - i64::from(is_narrow)),
        };
        if high > i32::MAX.into() {
            return Err(NodeError::Bits { value: bits });
        }
        Ok(Self { bits: known, is_signed, low, high })
    }
}

/// What a quantizer makes of floats: integers at a scale, beside a zero point.
struct Integers {
    scale: Numbers,
    zero_point: i32,
    range: Range,
}

/// A quantizer of a file.
struct Quantizer<'a> {
    node: &'a NodeProto,
    constants: &'a HashMap<&'a str, &'a TensorProto>,
}

impl Quantizer<'_> {
    fn write(&self, written: &mut Written) -> Result<(), NodeError> {
        let attributes = ["signed", "narrow", "rounding_mode"];
        let (attributes, most) = match operator(self.node) {
            "BipolarQuant" => (&attributes[..0], 2),
            "Trunc" => (&attributes[..], 6),
            _ => (&attributes[..], 4),
        };
        let of_other = |attribute: &&AttributeProto| {
            !attributes.contains(&attribute.name.as_deref().unwrap_or(""))
        };
        if let Some(attribute) = self.node.attribute.iter().find(of_other) {
            let attribute = attribute.name.clone().unwrap_or_default();
            return Err(NodeError::UnknownAttribute { attribute });
        }
        if self.node.input.len() > most {
            return Err(NodeError::TooManyInputs { most, got: self.node.input.len() });
        }
        if self.node.output.len() != 1 {
            return Err(NodeError::OutputCount { got: self.node.output.len() });
        }
        match operator(self.node) {
            "BipolarQuant" => self.write_bipolar(&self.scale(1)?, written),
            "Trunc" => self.write_truncated(written),
            _ => self.write_integers(written),
        }
    }

    fn write_integers(&self, written: &mut Written) -> Result<(), NodeError> {
        let scale = self.scale(1)?;
        let zero = self.number(2)?;
        let range = self.range(3)?;
        if range.bits == 1 && range.is_signed {
            return match zero == 0.0 {
                true => self.write_bipolar(&scale, written),
                false => Err(NodeError::NotOnGrid { index: 2, value: zero }),
            };
        }
        let known = (range.low..=range.high).contains(&(zero as i64)).then_some(zero as i32);
        let zero_point = known.filter(|&point| point as f32 == zero);
        let zero_point = zero_point.ok_or(NodeError::NotOnGrid { index: 2, value: zero })?;
        let to = Integers { scale, zero_point, range };
        match self.constant(0) {
            Some(array) => self.write_constant(&array?, &to, written),
            None if self.rounding("ROUND")? != "ROUND" => Err(self.unknown_rounding()?),
            None => self.write_activation(self.input(0)?, &to, &to.scale, written),
        }
    }

    /// Integers at one scale, as those of 16 bits, and a power of two of them as one, rounded again.
    ///
    /// Version 1 of the operator has the number of bits that are cut off, version 2 a scale for what is left. Integers beyond 16 bits
    /// are cut off to the ends, as the result is, or, of version 1, there are none.
    fn write_truncated(&self, written: &mut Written) -> Result<(), NodeError> {
        let scale = self.scale(1)?;
        let [size] = scale.values[..] else {
            let got = scale.values.len();
            return Err(NodeError::OperandShape { index: 1, expected: 1, got });
        };
        let zero = self.number(2)?;
        if zero != 0.0 {
            return Err(NodeError::NotOnGrid { index: 2, value: zero });
        }
        let (range, after, cut, bits) = match self.node.input.len() {
            // It is not said whether integers have a sign, for which there is a bit more.
            ..=5 => {
                let (of, to) = (self.number(3)?, self.number(4)?);
                (Range::new(to + 1.0, true, false)?, scale, of - to, of + 1.0)
            }
            _ => {
                let (range, after) = (self.range(5)?, self.number(4)?);
                let cut = (after / size).log2().round_ties_even();
                let bits = range.bits as f32 + cut;
                (range, self.scale(4)?, cut, bits)
            }
        };
        if bits > 16.0 {
            return Err(NodeError::Bits { value: bits });
        }
        let steps = (0..16).find(|&bits| bits as f32 == cut).map(|bits| 1u32 << bits);
        let steps = steps.ok_or(NodeError::Bits { value: cut })? as f32;
        let middle = match self.rounding("FLOOR")?.as_str() {
            "ROUND" => 0.0,
            "FLOOR" => (1.0 - steps) / 2.0,
            "CEIL" => (steps - 1.0) / 2.0,
            _ => return Err(self.unknown_rounding()?),
        };
        let of = if range.is_signed { data_type::INT16 } else { data_type::UINT16 };
        let zero = written.constant(integers(&[], of, vec![0]));
        let (size, one) = (written.float(size), written.float(1.0));
        let words = [self.input(0)?, &size, &zero];
        let words = written.node(self.node, "QuantizeLinear", &words, None, false);
        let whole = [words.as_str(), &one, &zero];
        let mut whole = written.node(self.node, "DequantizeLinear", &whole, None, false);
        if middle != 0.0 {
            let middle = written.float(middle);
            whole = written.node(self.node, "Add", &[&whole, &middle], None, false);
        }
        let scale = Numbers { values: vec![steps], axis: None };
        self.write_activation(&whole, &Integers { scale, zero_point: 0, range }, &after, written)
    }

    /// Plus or minus `scale`.
    fn write_bipolar(&self, scale: &Numbers, written: &mut Written) -> Result<(), NodeError> {
        if let Some(array) = self.constant(0) {
            let array = array?;
            written.round(&array)?;
            let values = as_floats(&array, 0)?;
            let signs = values.iter().map(|&x| if x >= 0.0 { 1 } else { -1 }).collect();
            let signs = integers(&dims(&array), data_type::INT8, signs);
            let (codes, scales) = (written.constant(signs), scale.write(written));
            written.node(self.node, "DequantizeLinear", &[&codes, &scales], scale.axis, true);
            return Ok(());
        }
        let &[size] = &scale.values[..] else {
            let got = scale.values.len();
            return Err(NodeError::OperandShape { index: 1, expected: 1, got });
        };
        let x = self.input(0)?;
        let (zero, yes, no) = (written.float(0.0), written.float(size), written.float(-size));
        let is_positive = written.node(self.node, "GreaterOrEqual", &[x, &zero], None, false);
        written.node(self.node, "Where", &[&is_positive, &yes, &no], None, true);
        Ok(())
    }

    /// The integers of a constant, and their DequantizeLinear.
    fn write_constant(
        &self,
        array: &Array,
        to: &Integers,
        written: &mut Written,
    ) -> Result<(), NodeError> {
        let Integers { scale, zero_point, range: Range { bits, is_signed, low, high } } = to;
        written.round(array)?;
        let values = as_floats(array, 0)?;
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(NodeError::NotOnGrid { index: 0, value });
        }
        let (mut size, mut inner) = (1, 1);
        if let Some(axis) = scale.axis {
            let expected = scale.values.len();
            let at = (array.shape().len() as i64 + axis) as usize;
            let got = array.shape().get(at).copied().unwrap_or(0);
            if got != expected {
                return Err(NodeError::OperandShape { index: 1, expected: got, got: expected });
            }
            (size, inner) = (expected, array.shape()[at + 1..].iter().product());
        }
        let round = match self.rounding("ROUND")?.as_str() {
            "ROUND" => f32::round_ties_even,
            "CEIL" => f32::ceil,
            "FLOOR" => f32::floor,
            _ => return Err(self.unknown_rounding()?),
        };
        let code = |(at, &x): (usize, &f32)| {
            let scaled = x / scale.values[at / inner.max(1) % size] + *zero_point as f32;
            let rounded = round(scaled.min(*high as f32).max(*low as f32)) as i64;
            rounded.clamp(*low, *high) as i32
        };
        let codes = values.iter().enumerate().map(code).collect();
        let of = match (bits, is_signed) {
            (..=8, true) => data_type::INT8,
            (..=8, false) => data_type::UINT8,
            _ => data_type::INT32,
        };
        let codes = written.constant(integers(&dims(array), of, codes));
        let scales = scale.write(written);
        let zeros = written.constant(integers(&[], of, vec![*zero_point]));
        let input = [codes.as_str(), &scales, &zeros];
        let count = if *zero_point == 0 { 2 } else { 3 };
        written.node(self.node, "DequantizeLinear", &input[..count], scale.axis, true);
        Ok(())
    }

    /// QuantizeLinear of `x` to the smallest type that has the integers, within their bounds, and DequantizeLinear at a scale.
    fn write_activation(
        &self,
        x: &str,
        to: &Integers,
        after: &Numbers,
        written: &mut Written,
    ) -> Result<(), NodeError> {
        let Range { bits, is_signed, low, high } = to.range;
        // Lists of zero points are of whole bytes.
        let axis = to.scale.axis;
        let least = if axis.is_some() { 8 } else { 2 };
        let of = TYPES
            .iter()
            .find(|(width, signed, _)| (bits.max(least)..).contains(width) && *signed == is_signed);
        let &(width, _, of) = of.ok_or(NodeError::Bits { value: bits as f32 })?;
        let first = if is_signed { -(1i64 << (width - 1)) } else { 0 };
        let all = (first, first + (1i64 << width) - 1);
        let is_part = (low, high) != all;
        let integer = |value: i64| match width {
            8.. => integers(&[], of, vec![value as i32]),
            // Fewer bits than 8 are packed.
            _ => integers(&[], of, vec![value as i32 & ((1 << width) - 1)]),
        };
        let zero_point = match axis {
            None => integer(to.zero_point.into()),
            Some(_) => {
                let n = to.scale.values.len();
                integers(&[n as i64], of, vec![to.zero_point; n])
            }
        };
        let zero_point = written.constant(zero_point);
        let scales = to.scale.write(written);
        let mut x = x.to_owned();
        if is_part && axis.is_none() {
            let scale = to.scale.values.first().copied().unwrap_or(1.0);
            let bound = |value: i64| (value - i64::from(to.zero_point)) as f32 * scale;
            let [low, high] = [low, high].map(|value| written.float(bound(value)));
            x = written.node(self.node, "Clip", &[&x, &low, &high], None, false);
        }
        let input = [x.as_str(), &scales, &zero_point];
        let mut codes = written.node(self.node, "QuantizeLinear", &input, axis, false);
        if is_part && axis.is_some() {
            let [low, high] = [low, high].map(|value| written.constant(integer(value)));
            codes = written.node(self.node, "Clip", &[&codes, &low, &high], None, false);
        }
        let scales = after.write(written);
        let input = [codes.as_str(), &scales, &zero_point];
        written.node(self.node, "DequantizeLinear", &input, axis, true);
        Ok(())
    }

    fn input(&self, index: usize) -> Result<&str, NodeError> {
        let name = self.node.input.get(index).filter(|name| !name.is_empty());
        name.map(String::as_str).ok_or(NodeError::MissingInput { index })
    }

    /// Operand `index`, if it is a constant.
    fn constant(&self, index: usize) -> Option<Result<Array, NodeError>> {
        let tensor = self.constants.get(self.node.input.get(index)?.as_str())?;
        Some(constant::array(tensor).map_err(NodeError::Constant))
    }

    /// Operand `index`, constant numbers of which there is one, or one for each index of an axis.
    fn numbers(&self, index: usize) -> Result<Numbers, NodeError> {
        self.input(index)?;
        let expected = "a constant";
        let array = self.constant(index).ok_or(NodeError::Operand { index, expected })??;
        let values = as_floats(&array, index)?;
        let mut axes = (0..array.shape().len()).filter(|&axis| array.shape()[axis] != 1);
        match (axes.next(), axes.next()) {
            (axis, None) => {
                let axis = axis.map(|axis| axis as i64 - array.shape().len() as i64);
                Ok(Numbers { values, axis })
            }
            _ => {
                let expected = "one number, or one for each index of one axis";
                Err(NodeError::Operand { index, expected })
            }
        }
    }

    /// The same of numbers above zero.
    fn scale(&self, index: usize) -> Result<Numbers, NodeError> {
        let scale = self.numbers(index)?;
        match scale.values.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            Some(&value) => Err(NodeError::Scale { index, value }),
            None => Ok(scale),
        }
    }

    /// The integers of as many bits as operand `index` says.
    fn range(&self, index: usize) -> Result<Range, NodeError> {
        let [signed, narrow] = [self.integer("signed", 1)?, self.integer("narrow", 0)?];
        Range::new(self.number(index)?, signed != 0, narrow != 0)
    }

    /// Operand `index`, one constant number.
    fn number(&self, index: usize) -> Result<f32, NodeError> {
        let values = self.numbers(index)?.values;
        match values.split_first() {
            Some((first, rest)) if rest.iter().all(|value| value == first) => Ok(*first),
            _ => Err(NodeError::OperandShape { index, expected: 1, got: values.len() }),
        }
    }

    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.node.attribute.iter().find(|of| of.name.as_deref() == Some(name))
    }

    fn integer(&self, name: &str, default: i64) -> Result<i64, NodeError> {
        let Some(attribute) = self.attribute(name) else { return Ok(default) };
        expect_type(attribute, attribute_type::INT)?;
        Ok(attribute.i.unwrap_or(0))
    }

    /// How numbers between integers are rounded, in upper case.
    fn rounding(&self, default: &str) -> Result<String, NodeError> {
        let Some(attribute) = self.attribute("rounding_mode") else { return Ok(default.into()) };
        expect_type(attribute, attribute_type::STRING)?;
        let text = attribute.s.as_deref().unwrap_or(&[]);
        Ok(String::from_utf8_lossy(text).to_uppercase())
    }

    fn unknown_rounding(&self) -> Result<NodeError, NodeError> {
        Ok(NodeError::AttributeText { attribute: "rounding_mode", value: self.rounding("")? })
    }
}

fn dims(array: &Array) -> Vec<i64> {
    array.shape().iter().map(|&size| size as i64).collect()
}

/// The numbers of a constant, operand `index`.
fn as_floats(array: &Array, index: usize) -> Result<Vec<f32>, NodeError> {
    match array.data() {
        ArrayData::F32(values) => Ok(values.clone()),
        ArrayData::I64(values) => Ok(values.iter().map(|&value| value as f32).collect()),
        ArrayData::I32(values) => Ok(values.iter().map(|&value| value as f32).collect()),
        ArrayData::I8(values) => Ok(values.iter().map(|&value| f32::from(value)).collect()),
        ArrayData::U8(values) => Ok(values.iter().map(|&value| f32::from(value)).collect()),
        _ => Err(NodeError::OperandType { index }),
    }
}
