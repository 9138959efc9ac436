//! A node of a file as an operator sees it: checked access to its operands and attributes.

use super::builder::Builder;
use super::error::NodeError;
use super::operands::Layout;
use super::proto::{AttributeProto, NodeProto, attribute_type};
use super::uses::Uses;
use super::value::{Codes, Floats, Value};
use crate::array::{Array, ArrayData};
use crate::graph::{CodeType, WordType};
use std::collections::HashMap;
use std::rc::Rc;

/// An operator's row in the registry.
pub(super) struct Operator {
    /// Domain of its operator set, empty for ONNX's own.
    pub(super) domain: &'static str,
    pub(super) name: &'static str,
    /// Most inputs it has.
    pub(super) inputs: usize,
    /// Attributes it may have.
    pub(super) attributes: &'static [&'static [&'static str]],
    pub(super) import: Import,
}

/// Adds a node to the graph and says what its outputs stand for.
pub(super) enum Import {
    /// Of one output.
    One(fn(&mut Builder, &NodeView<'_>) -> Result<Value, NodeError>),
    /// Of several.
    Several(fn(&mut Builder, &NodeView<'_>) -> Result<Vec<Value>, NodeError>),
}

/// What is known of a file before its nodes.
pub(super) struct Context {
    /// The types of constants of fewer than 8 bits, which arrays hold in bytes.
    pub(super) narrow: HashMap<String, CodeType>,
    pub(super) uses: Uses,
    /// The version of ONNX's own operator set.
    pub(super) opset: i64,
}

/// A node whose operator is known.
pub(super) struct NodeView<'a> {
    pub(super) name: &'a str,
    proto: &'a NodeProto,
    values: &'a HashMap<String, Value>,
    context: &'a Context,
    /// Operands that are seen in all dimensions of the file.
    whole: Option<&'a HashMap<String, Value>>,
}

impl<'a> NodeView<'a> {
    /// Whether the dimensions of operands are all those of the file: the batch, of size 1, is one of them or none.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// The same node of other operands: those of these names.
    pub(super) fn with<'b>(&'b self, operands: &'b HashMap<String, Value>) -> NodeView<'b> {
        NodeView { whole: Some(operands), ..*self }
    }

    /// The version of ONNX's own operator set.
    pub(super) fn opset(&self) -> i64 {
        self.context.opset
    }

    /// The node, if it has no more inputs and no other attributes than its operator.
    pub(super) fn new(
        name: &'a str,
        proto: &'a NodeProto,
        values: &'a HashMap<String, Value>,
        context: &'a Context,
        operator: &Operator,
        whole: Option<&'a HashMap<String, Value>>,
    ) -> Result<Self, NodeError> {
        if proto.input.len() > operator.inputs {
            return Err(NodeError::TooManyInputs { most: operator.inputs, got: proto.input.len() });
        }
        for attribute in &proto.attribute {
            let name = attribute.name.as_deref().unwrap_or("");
            if !operator.attributes.iter().any(|names| names.contains(&name)) {
                return Err(NodeError::UnknownAttribute { attribute: name.to_owned() });
            }
        }
        Ok(Self { name, proto, values, context, whole })
    }

    /// Operand `index`, if the node has it.
    pub(super) fn optional(&self, index: usize) -> Result<Option<&'a Value>, NodeError> {
        match self.proto.input.get(index).map(String::as_str) {
            None | Some("") => Ok(None),
            Some(name) => {
                match self.whole.and_then(|seen| seen.get(name)).or(self.values.get(name)) {
                    Some(value) => Ok(Some(value)),
                    None => Err(NodeError::UndefinedInput { index }),
                }
            }
        }
    }

    /// Operand `index`.
    pub(super) fn value(&self, index: usize) -> Result<&'a Value, NodeError> {
        self.optional(index)?.ok_or(NodeError::MissingInput { index })
    }

    /// Operand `index`, a constant, if the node has it.
    pub(super) fn optional_constant(
        &self,
        index: usize,
    ) -> Result<Option<&'a Rc<Array>>, NodeError> {
        match self.optional(index)? {
            None => Ok(None),
            Some(Value::Constant(array)) => Ok(Some(array)),
            Some(_) => Err(NodeError::Operand { index, expected: "a constant" }),
        }
    }

    /// Operand `index`, a constant.
    pub(super) fn constant(&self, index: usize) -> Result<&'a Rc<Array>, NodeError> {
        self.optional_constant(index)?.ok_or(NodeError::MissingInput { index })
    }

    /// Operand `index`, an 8-bit tensor that the graph computes.
    pub(super) fn codes(&self, index: usize) -> Result<&'a Codes, NodeError> {
        match self.value(index)? {
            Value::Codes(codes) => Ok(codes),
            _ => Err(NodeError::Operand {
                index,
                expected: "an 8-bit tensor that the graph computes",
            }),
        }
    }

    /// Operand `index`, such a tensor behind a DequantizeLinear.
    pub(super) fn dequantized_codes(&self, index: usize) -> Result<&'a Floats, NodeError> {
        match self.value(index)? {
            Value::Floats(floats) if floats.pure => Ok(floats),
            _ => Err(NodeError::Operand {
                index,
                expected: "the DequantizeLinear of an 8-bit tensor that the graph computes",
            }),
        }
    }

    /// Operand `index`, constant float scales, each finite and positive.
    pub(super) fn scales(&self, index: usize) -> Result<Vec<f32>, NodeError> {
        let ArrayData::F32(scales) = self.constant(index)?.data() else {
            return Err(NodeError::OperandType { index });
        };
        match scales.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            Some(&value) => Err(NodeError::Scale { index, value }),
            None => Ok(scales.clone()),
        }
    }

    /// Operand `index`, the one scale of a tensor.
    pub(super) fn scale(&self, index: usize) -> Result<f32, NodeError> {
        match self.scales(index)?.as_slice() {
            [scale] => Ok(*scale),
            scales => Err(NodeError::OperandShape { index, expected: 1, got: scales.len() }),
        }
    }

    /// The type of operand `index`, if it is a constant of fewer than 8 bits.
    pub(super) fn narrow(&self, index: usize) -> Option<CodeType> {
        self.input_name(index).and_then(|name| self.context.narrow.get(name)).copied()
    }

    /// Whether operand `index` is a constant of fewer than 8 bits.
    pub(super) fn is_narrow(&self, index: usize) -> bool {
        self.narrow(index).is_some()
    }

    /// Operand `index`, one constant value of 8 bits or fewer (a zero point or a bound), if the node has it.
    pub(super) fn optional_code(&self, index: usize) -> Result<Option<(CodeType, i32)>, NodeError> {
        let Some(array) = self.optional_constant(index)? else {
            return Ok(None);
        };
        let narrow = self.narrow(index);
        let of = |dtype, value| Ok(Some((narrow.unwrap_or(dtype), value)));
        match array.data() {
            ArrayData::U8(v) if v.len() == 1 => of(CodeType::U8, i32::from(v[0])),
            ArrayData::I8(v) if v.len() == 1 => of(CodeType::I8, i32::from(v[0])),
            ArrayData::U8(_) | ArrayData::I8(_) => {
                Err(NodeError::OperandShape { index, expected: 1, got: array.data().len() })
            }
            _ => Err(NodeError::OperandType { index }),
        }
    }

    /// Operand `index`, one constant 16-bit zero point, if the node has one of 16 bits.
    pub(super) fn optional_word(&self, index: usize) -> Result<Option<(WordType, i32)>, NodeError> {
        let wrong = |got| Err(NodeError::OperandShape { index, expected: 1, got });
        match self.optional(index)? {
            Some(Value::Constant(array)) => match array.data() {
                ArrayData::U16(v) if v.len() == 1 => Ok(Some((WordType::U16, i32::from(v[0])))),
                ArrayData::I16(v) if v.len() == 1 => Ok(Some((WordType::I16, i32::from(v[0])))),
                ArrayData::U16(_) | ArrayData::I16(_) => wrong(array.data().len()),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Operand `index`, the zero point of a tensor of type `dtype`; 0 if the node does not have it.
    pub(super) fn zero_point(&self, index: usize, dtype: CodeType) -> Result<i32, NodeError> {
        match self.optional_code(index)? {
            None => Ok(0),
            Some((of, zero_point)) if of == dtype => Ok(zero_point),
            Some(_) => Err(NodeError::OperandType { index }),
        }
    }

    /// The type and zero point (operand `index`) of the 8-bit tensor `named` that a QuantizeLinear makes, as the
    /// runtime's session holds it: int8 may be uint8 there.
    pub(super) fn held(
        &self,
        index: usize,
        named: Option<&String>,
    ) -> Result<Option<(CodeType, i32)>, NodeError> {
        Ok(self.optional_code(index)?.map(|found| match (found, named) {
            ((CodeType::I8, zero_point), Some(name)) if self.context.uses.is_unsigned(name) => {
                (CodeType::U8, zero_point - CodeType::I8.min())
            }
            (found, _) => found,
        }))
    }

    /// The name of operand `index`.
    pub(super) fn input_name(&self, index: usize) -> Option<&'a String> {
        self.proto.input.get(index)
    }

    /// The name of output `index`.
    pub(super) fn output_name(&self, index: usize) -> Option<&'a String> {
        self.proto.output.get(index)
    }

    /// Whether nothing but one QuantizeLinear reads the output, behind Relu and Clip or not.
    pub(super) fn is_quantized(&self) -> bool {
        self.output_name(0).is_some_and(|name| self.context.uses.is_quantized(name))
    }

    /// Whether the runtime's default session has a DequantizeLinear right before each of the first `operands`, and a QuantizeLinear
    /// behind the node.
    pub(super) fn is_between_codes(&self, operands: usize) -> bool {
        let is_dequantized = |name: &String| self.context.uses.is_dequantized(name);
        let mut names = (0..operands).map(|index| self.input_name(index));
        self.is_quantized() && names.all(|name| name.is_some_and(is_dequantized))
    }

    /// The same of a node of two operands, for which the session has a kernel where scales and zero points are no lists.
    pub(super) fn is_between_scalars(&self) -> bool {
        let names = [self.input_name(0), self.input_name(1), self.output_name(0)];
        let is_listed = |name: &String| self.context.uses.is_listed(name);
        self.is_between_codes(2) && !names.into_iter().flatten().any(is_listed)
    }

    /// Whether the node is the sum of a constant list and a MatMul of dequantized operands, with a QuantizeLinear behind: the session
    /// makes a Gemm of both, whose bias it rounds.
    pub(super) fn is_gemm(&self) -> bool {
        let uses = &self.context.uses;
        self.is_quantized() && self.output_name(0).is_some_and(|name| uses.is_gemm(name))
    }

    /// Whether the file is one for a session that fuses operators with the QuantizeLinear and DequantizeLinear around them.
    pub(super) fn is_fused(&self) -> bool {
        !self.context.uses.is_unfused()
    }

    /// Whether the runtime's default session makes MatMulNBits of the node, a product with weights in `layout`, which rounds
    /// operand 0 to 8 bits: of dequantized weights beside floats that are none of a DequantizeLinear, with no 8-bit QuantizeLinear
    /// behind.
    pub(super) fn is_of_bits(&self, layout: Layout) -> bool {
        let uses = &self.context.uses;
        let is_dequantized = self.input_name(0).is_some_and(|name| uses.is_dequantized(name));
        let is_made_codes = self.output_name(0).is_some_and(|name| uses.is_made_codes(name));
        let of_weights = match self.optional(1) {
            Ok(Some(Value::Dequantized(weights))) => weights.values.shape().len() == 2,
            _ => false,
        };
        let is_fused = layout == Layout::Columns && of_weights && self.is_fused();
        is_fused && !is_dequantized && !is_made_codes
    }

    /// Whether a QuantizeLinear comes after the node.
    pub(super) fn goes_on(&self) -> bool {
        self.output_name(0).is_some_and(|name| self.context.uses.goes_on(name))
    }

    /// Rows of the constant that a Gather reads by operand `index`, if one does: these are ids.
    pub(super) fn rows_by(&self, index: usize) -> Option<usize> {
        self.context.uses.rows_by(self.input_name(index)?)
    }

    /// Whether the runtime's default session rounds float weights of the node: not beside a bias of integers, which a quantizer made
    /// that left the weights alone, or one that is no list.
    pub(super) fn has_rounded_weights(&self) -> bool {
        let operator = self.proto.op_type.as_deref().unwrap_or("");
        let rounds = match self.optional(2) {
            Ok(Some(Value::Constant(bias))) => bias.shape().len() == 1,
            Ok(Some(_)) => false,
            _ => true,
        };
        ["Conv", "ConvTranspose", "Gemm"].contains(&operator) && self.is_between_codes(1) && rounds
    }

    /// An attribute by its name.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a AttributeProto> {
        self.proto.attribute.iter().find(|attribute| attribute.name.as_deref() == Some(name))
    }

    /// All attributes.
    pub(super) fn attributes(&self) -> &'a [AttributeProto] {
        &self.proto.attribute
    }

    /// An integer attribute.
    pub(super) fn int(&self, name: &'static str, default: i64) -> Result<i64, NodeError> {
        match self.attribute(name) {
            None => Ok(default),
            Some(attribute) => {
                expect_type(attribute, attribute_type::INT)?;
                Ok(attribute.i.unwrap_or(0))
            }
        }
    }

    /// An attribute of integers, if the node has it.
    pub(super) fn ints(&self, name: &'static str) -> Result<Option<&'a [i64]>, NodeError> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        expect_type(attribute, attribute_type::INTS)?;
        Ok(Some(&attribute.ints))
    }

    /// Constant integers, in attribute `name` or operand `index`, if the node has them.
    pub(super) fn integers(
        &self,
        name: &'static str,
        index: usize,
    ) -> Result<Option<Vec<i64>>, NodeError> {
        if let Some(values) = self.ints(name)? {
            return Ok(Some(values.to_vec()));
        }
        Ok(match self.optional_constant(index)?.map(|array| array.data()) {
            None => None,
            Some(ArrayData::I64(values)) => Some(values.clone()),
            Some(ArrayData::I32(values)) => Some(values.iter().map(|&v| v.into()).collect()),
            Some(_) => return Err(NodeError::OperandType { index }),
        })
    }

    /// Number of inputs.
    pub(super) fn inputs(&self) -> usize {
        self.proto.input.len()
    }

    /// Number of outputs.
    pub(super) fn outputs(&self) -> usize {
        self.proto.output.len()
    }

    /// Whether output `index` has a name.
    pub(super) fn has_output(&self, index: usize) -> bool {
        self.proto.output.get(index).is_some_and(|name| !name.is_empty())
    }

    /// A text attribute, if the node has it.
    pub(super) fn text(&self, attribute: &'static str) -> Result<Option<&'a str>, NodeError> {
        let Some(found) = self.attribute(attribute) else { return Ok(None) };
        expect_type(found, attribute_type::STRING)?;
        let bytes = found.s.as_deref().unwrap_or(&[]);
        let lossy = || String::from_utf8_lossy(bytes).into_owned();
        let text = std::str::from_utf8(bytes);
        text.map(Some).map_err(|_| NodeError::AttributeText { attribute, value: lossy() })
    }

    /// A float attribute.
    pub(super) fn float(&self, name: &'static str, default: f32) -> Result<f32, NodeError> {
        match self.attribute(name) {
            None => Ok(default),
            Some(attribute) => {
                expect_type(attribute, attribute_type::FLOAT)?;
                Ok(attribute.f.unwrap_or(0.0))
            }
        }
    }

    /// An integer attribute that must have one of the values `supported`, the first being its default.
    pub(super) fn int_among(
        &self,
        attribute: &'static str,
        supported: &[i64],
    ) -> Result<i64, NodeError> {
        let value = self.int(attribute, supported[0])?;
        if supported.contains(&value) {
            Ok(value)
        } else {
            let value = value as f64;
            Err(NodeError::AttributeValue { attribute, value })
        }
    }
}

/// Whether an attribute has the type that its operator gives it.
pub(super) fn expect_type(attribute: &AttributeProto, expected: i32) -> Result<(), NodeError> {
    match attribute.r#type.unwrap_or(0) {
        got if got == expected => Ok(()),
        got => Err(NodeError::AttributeType {
            attribute: attribute.name.clone().unwrap_or_default(),
            got,
        }),
    }
}
