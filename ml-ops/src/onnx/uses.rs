//! What the runtime's default session makes of a tensor by what comes before and after it.

use super::constant;
use super::proto::{AttributeProto, GraphProto, NodeProto, TensorProto, data_type};
use crate::array::{Array, ArrayData};
use std::collections::{HashMap, HashSet};

/// Operators that a session moves a DequantizeLinear behind and a QuantizeLinear before, or does away with. MaxPool is one from
/// operator set 12 on.
const PASSED: [&str; 9] = [
    "Cast",
    "Dropout",
    "Identity",
    "MaxPool",
    "Reshape",
    "Slice",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
];

/// The operators before and after the values of a graph, as far as the runtime's default session looks at them.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Whether it is no such session that runs the file, but one that fuses nothing.
    is_unfused: bool,
    unsigned: HashSet<String>,
    quantized: HashSet<String>,
    of_codes: HashSet<String>,
    dequantized: HashSet<String>,
    listed: HashSet<String>,
    gemms: HashSet<String>,
    going_on: HashSet<String>,
    tables: HashMap<String, usize>,
}

impl Uses {
    /// Those of the values of `graph`, of this version of ONNX's own operator set.
    pub(super) fn of(graph: &GraphProto, opset: i64) -> Self {
        let readers = Readers::of(graph);
        let constants = constants(graph);
        let zero_points = zero_points(&constants);
        let mut uses = Self { tables: tables(graph), ..Self::default() };
        let is_passed = |node: &NodeProto| {
            PASSED.iter().any(|name| is(node, name)) && (opset >= 12 || !is(node, "MaxPool"))
        };
        for node in &graph.node {
            let Some(output) = node.output.first().filter(|name| !name.is_empty()) else {
                continue;
            };
            if is(node, "QuantizeLinear") && readers.is_unsigned(node, output, &zero_points) {
                uses.unsigned.insert(output.clone());
            }
            let is_part_of = |by: &NodeProto| is(by, "Conv") || is(by, "AveragePool");
            let stays = is_passed(node)
                || is_pad_of_zeros(node, &constants)
                    && readers.only(output).is_some_and(is_part_of);
            let of_dequantized =
                node.input.first().is_some_and(|input| uses.dequantized.contains(input));
            if is(node, "DequantizeLinear") || stays && of_dequantized {
                uses.dequantized.insert(output.clone());
            }
            let of_listed = node.input.first().is_some_and(|input| uses.listed.contains(input));
            if is(node, "DequantizeLinear") && is_listed(node, &constants) || stays && of_listed {
                uses.listed.insert(output.clone());
            }
        }
        uses.gemms = gemms(graph, &readers, &constants, &uses.dequantized);
        // Backwards, so that what comes after a value is known.
        for node in graph.node.iter().rev() {
            let reaches = is(node, "QuantizeLinear")
                || node.output.iter().any(|output| uses.going_on.contains(output));
            if reaches {
                uses.going_on.extend(node.input.iter().cloned());
            }
            let passes = is_passed(node)
                || ["QuantizeLinear", "Relu", "Clip"].into_iter().any(|name| is(node, name));
            let Some(input) = node.input.first().filter(|_| passes) else { continue };
            if readers.only(input).is_none() {
                continue;
            }
            let is_quantize = is(node, "QuantizeLinear");
            let to_codes = is_quantize && !is_to_words(node, &constants);
            let of = |known: &HashSet<String>| {
                !is_quantize && node.output.first().is_some_and(|output| known.contains(output))
            };
            let (reaches, of_codes) = (of(&uses.quantized), of(&uses.of_codes));
            if is_quantize && is_listed(node, &constants) || of(&uses.listed) {
                uses.listed.insert(input.clone());
            }
            if is_quantize || reaches {
                uses.quantized.insert(input.clone());
            }
            if to_codes || of_codes {
                uses.of_codes.insert(input.clone());
            }
        }
        uses
    }

    /// The same where nothing is fused.
    pub(super) fn unfused(self) -> Self {
        let Self { going_on, tables, .. } = self;
        Self { is_unfused: true, going_on, tables, ..Self::default() }
    }

    /// Whether nothing is fused.
    pub(super) fn is_unfused(&self) -> bool {
        self.is_unfused
    }

    /// Whether a session turns this int8 tensor, that a QuantizeLinear makes, into uint8: if one DequantizeLinear reads
    /// it, whose floats are read once.
    pub(super) fn is_unsigned(&self, name: &str) -> bool {
        self.unsigned.contains(name)
    }

    /// Rows of the constant that a Gather reads by this value, if one does.
    pub(super) fn rows_by(&self, name: &str) -> Option<usize> {
        self.tables.get(name).copied()
    }

    /// Whether a QuantizeLinear is of something that is made of this value.
    pub(super) fn goes_on(&self, name: &str) -> bool {
        self.going_on.contains(name)
    }

    /// Whether a session has a DequantizeLinear right before what reads this value.
    pub(super) fn is_dequantized(&self, name: &str) -> bool {
        self.dequantized.contains(name)
    }

    /// Whether nothing but one QuantizeLinear reads this value, behind Relu and Clip or not, where a session moves it to.
    pub(super) fn is_quantized(&self, name: &str) -> bool {
        self.quantized.contains(name)
    }

    /// The same of one whose integers have 8 bits or fewer.
    pub(super) fn is_made_codes(&self, name: &str) -> bool {
        self.of_codes.contains(name)
    }

    /// Whether this value is the sum of a constant list and a MatMul of dequantized operands, both of which a session makes one Gemm.
    pub(super) fn is_gemm(&self, name: &str) -> bool {
        self.gemms.contains(name)
    }

    /// Whether the DequantizeLinear before this value, or the QuantizeLinear behind it, where a session moves them to, has its scale or
    /// zero point in a list of one.
    pub(super) fn is_listed(&self, name: &str) -> bool {
        self.listed.contains(name)
    }
}

/// The values by which rows of constants, dequantized or not, are gathered, and how many rows these have.
fn tables(graph: &GraphProto) -> HashMap<String, usize> {
    let rows = |tensor: &TensorProto| usize::try_from(*tensor.dims.first()?).ok();
    let named = graph.initializer.iter();
    let named = named.filter_map(|tensor| Some((tensor.name.as_deref()?, rows(tensor)?)));
    let mut constants: HashMap<&str, usize> = named.collect();
    let mut tables = HashMap::new();
    for node in &graph.node {
        let [first, rest @ ..] = &node.input[..] else { continue };
        let Some(&rows) = constants.get(first.as_str()) else { continue };
        match (node.output.first(), rest.first()) {
            (Some(output), _) if is(node, "DequantizeLinear") => {
                constants.insert(output, rows);
            }
            (_, Some(of)) if is(node, "Gather") => {
                tables.insert(of.clone(), rows);
            }
            _ => {}
        }
    }
    tables
}

fn is(node: &NodeProto, operator: &str) -> bool {
    node.op_type.as_deref() == Some(operator)
}

/// The nodes that read each value.
pub(super) struct Readers<'a> {
    nodes: HashMap<&'a str, Vec<&'a NodeProto>>,
    outputs: HashSet<&'a str>,
}

impl<'a> Readers<'a> {
    pub(super) fn of(graph: &'a GraphProto) -> Self {
        let mut nodes: HashMap<&str, Vec<&NodeProto>> = HashMap::new();
        for node in &graph.node {
            for input in node.input.iter().filter(|input| !input.is_empty()) {
                nodes.entry(input).or_default().push(node);
            }
        }
        let outputs = graph.output.iter().filter_map(|output| output.name.as_deref()).collect();
        Self { nodes, outputs }
    }

    /// Whether no node after this one reads a value, and the value is no output of the graph.
    pub(super) fn is_last(&self, name: &str, node: &NodeProto) -> bool {
        let last = self.nodes.get(name).and_then(|readers| readers.last());
        last.is_some_and(|last| std::ptr::eq(*last, node)) && !self.outputs.contains(name)
    }

    /// The node that reads a value, if it is one, once, and the value is no output of the graph.
    fn only(&self, name: &str) -> Option<&'a NodeProto> {
        match self.nodes.get(name)?.as_slice() {
            [reader] if !self.outputs.contains(name) => Some(reader),
            _ => None,
        }
    }

    fn is_unsigned(
        &self,
        quantize: &NodeProto,
        output: &str,
        zero_points: &HashMap<&str, i8>,
    ) -> bool {
        let zero_point =
            |node: &NodeProto| node.input.get(2).and_then(|name| zero_points.get(name.as_str()));
        let Some(dequantize) = self.only(output).filter(|node| is(node, "DequantizeLinear")) else {
            return false;
        };
        let Some(floats) = dequantize.output.first() else { return false };
        let readers = self.nodes.get(floats.as_str()).map_or(0, Vec::len);
        let most = usize::from(!self.outputs.contains(floats.as_str()));
        let zero = zero_point(quantize);
        zero.is_some() && zero == zero_point(dequantize) && readers <= most
    }
}

/// The constants of a graph by their names.
pub(super) fn constants(graph: &GraphProto) -> HashMap<&str, &TensorProto> {
    let of_nodes = graph.node.iter().filter(|node| is(node, "Constant")).filter_map(|node| {
        let tensor = node.attribute.first()?.t.as_ref()?;
        Some((node.output.first()?.as_str(), tensor))
    });
    let initializers =
        graph.initializer.iter().filter_map(|tensor| Some((tensor.name.as_deref()?, tensor)));
    initializers.chain(of_nodes).collect()
}

/// Sums of a constant list of floats and a MatMul, which nothing else reads, of values that are `dequantized`.
fn gemms(
    graph: &GraphProto,
    readers: &Readers<'_>,
    constants: &HashMap<&str, &TensorProto>,
    dequantized: &HashSet<String>,
) -> HashSet<String> {
    let is_list = |name: &String| {
        let of = constants.get(name.as_str());
        of.is_some_and(|of| of.dims.len() == 1 && of.data_type == Some(data_type::FLOAT))
    };
    let is_product = |node: &&NodeProto| {
        is(node, "MatMul") && node.input.iter().all(|input| dequantized.contains(input))
    };
    let products = graph.node.iter().filter(is_product).filter_map(|node| node.output.first());
    let products: HashSet<&String> =
        products.filter(|output| readers.only(output).is_some()).collect();
    let is_sum = |node: &&NodeProto| {
        let operands = node.input.iter();
        is(node, "Add")
            && operands.clone().any(is_list)
            && operands.clone().any(|input| products.contains(input))
    };
    graph.node.iter().filter(is_sum).filter_map(|node| node.output.first().cloned()).collect()
}

/// Whether the scale or the zero point of a QuantizeLinear or DequantizeLinear is a list.
fn is_listed(node: &NodeProto, constants: &HashMap<&str, &TensorProto>) -> bool {
    let mut of = node.input.iter().skip(1).filter_map(|name| constants.get(name.as_str()));
    of.any(|tensor| !tensor.dims.is_empty())
}

/// Whether a QuantizeLinear makes integers of 16 bits, by its zero point or else its attribute.
fn is_to_words(node: &NodeProto, constants: &HashMap<&str, &TensorProto>) -> bool {
    let words = [i64::from(data_type::INT16), i64::from(data_type::UINT16)];
    let of_zeros = node.input.get(2).and_then(|name| constants.get(name.as_str()));
    let named = node.attribute.iter().find(|of| of.name.as_deref() == Some("output_dtype"));
    let dtype = match of_zeros {
        Some(zeros) => zeros.data_type.map(i64::from),
        None => named.and_then(|of| of.i),
    };
    dtype.is_some_and(|dtype| words.contains(&dtype))
}

/// Those of one int8 number.
fn zero_points<'a>(constants: &HashMap<&'a str, &TensorProto>) -> HashMap<&'a str, i8> {
    constants.iter().filter_map(|(&name, tensor)| Some((name, zero_point(tensor)?))).collect()
}

/// Whether this is a Pad that a session makes part of the Conv or AveragePool behind it: of zeros, around the dimensions of an image
/// alone, with amounts for all dimensions.
fn is_pad_of_zeros(node: &NodeProto, constants: &HashMap<&str, &TensorProto>) -> bool {
    let is_constant = |attribute: &AttributeProto| attribute.s.as_deref() == Some(b"constant");
    let mode = node.attribute.iter().find(|attribute| attribute.name.as_deref() == Some("mode"));
    let operand = |index: usize| node.input.get(index).map_or("", String::as_str);
    let array = |index: usize| constant::array(constants.get(operand(index))?).ok();
    let zero = match array(2).as_ref().map(Array::data) {
        None => operand(2).is_empty(),
        Some(ArrayData::F32(values)) => values.iter().all(|&value| value == 0.0),
        Some(_) => false,
    };
    let around = match array(1).as_ref().map(Array::data) {
        Some(ArrayData::I64(amounts)) => {
            let rank = amounts.len() / 2;
            let fits = |(at, &amount): (usize, &i64)| amount == 0 || amount > 0 && at % rank >= 2;
            rank > 2 && amounts.iter().enumerate().all(fits)
        }
        _ => false,
    };
    is(node, "Pad") && mode.is_none_or(is_constant) && zero && around && operand(3).is_empty()
}

fn zero_point(tensor: &TensorProto) -> Option<i8> {
    if tensor.data_type != Some(data_type::INT8) || tensor.dims.iter().any(|&size| size != 1) {
        return None;
    }
    match constant::array(tensor).as_ref().map(Array::data) {
        Ok(ArrayData::I8(values)) => values.first().copied(),
        _ => None,
    }
}
