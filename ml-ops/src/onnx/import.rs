//! The walk through a file: its input, its constants, its nodes in order, its output.

use super::batch::Samples;
use super::builder::Builder;
use super::constant;
use super::error::{ImportError, NodeError};
use super::external::{self, ExternalData};
use super::node::{Context, Import, NodeView};
use super::ops::REGISTRY;
use super::prepared::FloatInput;
use super::proto::{
    DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    ValueInfoProto, data_type,
};
use super::tail::{self, Tail};
use super::uses::{Readers, Uses};
use super::value::{Scaling, Value};
use super::view::View;
use super::whole::Wholes;
use super::words::Words;
use super::{finish, inlined, ops, qonnx, spelled};
use crate::array::{Array, ArrayData};
use crate::graph::{
    CodeType, InputTransform, MAX_ELEMENTS, MAX_NAME_BYTES, Model, OutputPort, OutputTransform,
    WordType,
};
use prost::Message;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Versions of operator sets that are known: domain, first, last.
pub(super) const OPSETS: [(&str, i64, i64); 2] = [("", 9, 28), ("com.microsoft", 1, 1)];

/// Most values at which a tail is looked for.
const MOST_CUTS: usize = 64;

impl Model {
    /// The model in an ONNX file's bytes. See [`onnx`](crate::onnx) for what it means.
    ///
    /// # Errors
    /// [`ImportError`] on any bytes that are no such model.
    pub fn from_onnx(bytes: &[u8]) -> Result<Self, ImportError> {
        Self::from_onnx_with(bytes, &mut |_| None)
    }

    /// The same of a file whose constants may be in other files beside it: `read` gives the bytes of a part of one. Bytes that
    /// are given away are freed as soon as they are decoded.
    ///
    /// # Errors
    /// [`ImportError`] on any bytes that are no such model, and where `read` gives nothing.
    pub fn from_onnx_with(
        bytes: impl AsRef<[u8]>,
        read: &mut dyn FnMut(&ExternalData) -> Option<Vec<u8>>,
    ) -> Result<Self, ImportError> {
        File::read(bytes, read)?.import().map_err(|failed| *failed.error)
    }

    /// The same of a file that may end in float operators, which are no part of the model: it has the integers that they are of
    /// as outputs, and the [`Tail`] says what was left out, if anything was.
    ///
    /// # Errors
    /// [`ImportError`] as above, where what is not known is no such tail.
    pub fn from_onnx_without_tail(
        bytes: impl AsRef<[u8]>,
        read: &mut dyn FnMut(&ExternalData) -> Option<Vec<u8>>,
    ) -> Result<(Self, Option<Tail>), ImportError> {
        let file = File::read(bytes, read)?;
        let mut begin = HashSet::new();
        let mut failed = match file.import() {
            Ok(model) => return Ok((model, None)),
            Err(failed) => failed,
        };
        let error = failed.error.clone();
        // Each time at least one node more is cut off.
        while begin.len() < MOST_CUTS && failed.value.is_some_and(|value| begin.insert(value)) {
            let cut = file.model.graph.as_ref().and_then(|graph| tail::cut(graph, &begin));
            let Some((graph, tail)) = cut else { break };
            let cut = ModelProto { graph: Some(graph), ..file.model.clone() };
            failed = match (File { model: cut, is_fused: file.is_fused }).import() {
                Ok(model) => return Ok((model, Some(tail))),
                Err(failed) => failed,
            };
        }
        Err(*error)
    }
}

/// A file whose constants are in it.
struct File {
    model: ModelProto,
    /// Whether a session fuses operators with the QuantizeLinear and DequantizeLinear around them.
    is_fused: bool,
}

/// Why a file was not imported.
struct Failed {
    error: Box<ImportError>,
    /// A value that no integers are known of.
    value: Option<String>,
    /// Nodes that were imported.
    at: usize,
}

impl Failed {
    /// Whether the node mixes samples of a batch.
    fn is_of_samples(&self) -> bool {
        use NodeError::{SamplesCounted, SamplesMeet, SamplesMixed};
        let ImportError::Node { error, .. } = &*self.error else { return false };
        matches!(error, SamplesMixed { .. } | SamplesMeet { .. } | SamplesCounted { .. })
    }
}

impl From<ImportError> for Failed {
    fn from(error: ImportError) -> Self {
        let value = match &error {
            ImportError::Output { name, .. } => Some(name.clone()),
            _ => None,
        };
        Self { error: Box::new(error), value, at: usize::MAX }
    }
}

impl File {
    fn read(
        bytes: impl AsRef<[u8]>,
        read: &mut dyn FnMut(&ExternalData) -> Option<Vec<u8>>,
    ) -> Result<Self, ImportError> {
        let mut model = ModelProto::decode(bytes.as_ref())?;
        drop(bytes);
        inlined::inline_functions(&mut model)?;
        let mut is_fused = true;
        if let Some(graph) = &mut model.graph {
            external::fetch(graph, read);
            is_fused = !qonnx::write_quantizers(graph)?;
            spelled::join_normalizations(graph);
        }
        Ok(Self { model, is_fused })
    }

    fn import(&self) -> Result<Model, Failed> {
        let model = &self.model;
        let graph = model.graph.as_ref().ok_or(ImportError::NoGraph)?;
        check_opsets(model, graph)?;
        if !graph.sparse_initializer.is_empty() {
            let count = graph.sparse_initializer.len();
            return Err(ImportError::SparseInitializers { count }.into());
        }
        let opset = opset(model, "").unwrap_or(0);
        let uses = Uses::of(graph, opset);
        let uses = if self.is_fused { uses } else { uses.unfused() };
        let context = Context { narrow: narrow_types(graph), uses, opset };
        let made = import_graph(graph, &context, false);
        // A batch that is open stays the first dimension. Samples of one that is moved are read as batches of 1.
        match made {
            Err(failed) if failed.at < graph.node.len() && batch_is_open(graph) => {
                let farther = |again: Failed| match again.at.cmp(&failed.at) {
                    Ordering::Equal if again.is_of_samples() => again,
                    Ordering::Greater => again,
                    _ => failed,
                };
                import_graph(graph, &context, true).map_err(farther)
            }
            made => made,
        }
    }
}

fn import_graph(
    graph: &GraphProto,
    context: &Context,
    batch_is_one: bool,
) -> Result<Model, Failed> {
    let mut known = Known::of(initializers(graph)?);
    let (inputs, outputs) = ports(graph)?;
    let number = number_of_samples(&inputs)?;
    let mut builder = Builder::new(batch_is_one || number == Some(1));
    let names = inputs.iter().filter_map(|input| input.name.as_ref());
    let mut samples = Samples::of(number, names);
    for (number, input) in inputs.iter().enumerate() {
        let value = import_input(&mut builder, number, input)?;
        known.insert(input.name.clone().unwrap_or_default(), value);
    }
    let mut wholes = Wholes::default();
    let readers = Readers::of(graph);
    for (index, node) in graph.node.iter().enumerate() {
        let known_here = (&mut known, &mut wholes, &mut samples);
        import_node(&mut builder, known_here, context, index, node).map_err(|error| {
            let value = node.output.iter().find(|name| !name.is_empty()).cloned();
            Failed { error: Box::new(error), value, at: index }
        })?;
        // Weights are as large as the file: what no further node reads is given up.
        for name in node.input.iter().filter(|name| readers.is_last(name, node)) {
            known.values.remove(name);
        }
    }
    let values = known.values;
    for name in outputs.iter().filter_map(|output| output.name.as_ref()) {
        let computed = values.get(name).filter(|value| value.view().is_some());
        if computed.is_some_and(|value| !samples.are_first(&wholes, name, value)) {
            return Err(ImportError::OutputBatch { name: name.clone() }.into());
        }
    }
    Ok(import_ports(builder, &values, graph, &inputs, outputs)?)
}

/// The values of a graph, as long as they are read.
struct Known {
    values: HashMap<String, Value>,
    /// The names of all that there are or were.
    names: HashSet<String>,
}

impl Known {
    fn of(values: HashMap<String, Value>) -> Self {
        Self { names: values.keys().cloned().collect(), values }
    }

    fn insert(&mut self, name: String, value: Value) {
        self.names.insert(name.clone());
        self.values.insert(name, value);
    }
}

/// Whether the file leaves the batch open, or fixes it to a number that is not 1.
fn batch_is_open(graph: &GraphProto) -> bool {
    let number = ports(graph).and_then(|(inputs, _)| number_of_samples(&inputs));
    number.is_ok_and(|number| number != Some(1))
}

fn check_opsets(model: &ModelProto, graph: &GraphProto) -> Result<(), ImportError> {
    for (domain, first, last) in OPSETS {
        let used = graph.node.iter().any(|node| canonical_domain(node.domain.as_deref()) == domain);
        let version = opset(model, domain);
        let known = version.is_some_and(|v| (first..=last).contains(&v));
        if used && !known {
            return Err(ImportError::Opset { domain: domain.to_owned(), version, first, last });
        }
    }
    Ok(())
}

/// The version of a domain's operators that a file imports.
fn opset(model: &ModelProto, domain: &str) -> Option<i64> {
    version_of(&model.opset_import, domain)
}

/// The version of a domain's operators.
pub(super) fn version_of(sets: &[OperatorSetIdProto], domain: &str) -> Option<i64> {
    sets.iter().find(|set| canonical_domain(set.domain.as_deref()) == domain)?.version
}

/// ONNX's own domain has two spellings.
pub(super) fn canonical_domain(domain: Option<&str>) -> &str {
    match domain {
        None | Some("ai.onnx") => "",
        Some(domain) => domain,
    }
}

/// The constants that nodes read.
fn initializers(graph: &GraphProto) -> Result<HashMap<String, Value>, ImportError> {
    let read: HashSet<&str> =
        graph.node.iter().flat_map(|node| &node.input).map(String::as_str).collect();
    let is_read = |tensor: &&TensorProto| read.contains(tensor.name.as_deref().unwrap_or(""));
    graph
        .initializer
        .iter()
        .filter(is_read)
        .map(|tensor| {
            let name = tensor.name.clone().unwrap_or_default();
            match constant::array(tensor) {
                Ok(array) => Ok((name, Value::Constant(Rc::new(array)))),
                Err(error) => Err(ImportError::Initializer { name, error }),
            }
        })
        .collect()
}

/// The types of initializers of fewer than 8 bits.
fn narrow_types(graph: &GraphProto) -> HashMap<String, CodeType> {
    let of = graph.initializer.iter().filter_map(|tensor| {
        let dtype =
            CodeType::of_onnx(tensor.data_type.unwrap_or(0)).filter(|dtype| dtype.is_narrow())?;
        Some((tensor.name.clone().unwrap_or_default(), dtype))
    });
    of.collect()
}

/// The inputs that are no initializers, and the outputs, of which there are one or more.
fn ports(graph: &GraphProto) -> Result<(Vec<&ValueInfoProto>, &[ValueInfoProto]), ImportError> {
    let constants: HashSet<&str> =
        graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref()).collect();
    let inputs: Vec<_> = graph
        .input
        .iter()
        .filter(|input| !constants.contains(input.name.as_deref().unwrap_or("")))
        .collect();
    match (inputs.as_slice(), graph.output.as_slice()) {
        ([_, ..], [_, ..]) => Ok((inputs, &graph.output)),
        (inputs, outputs) => {
            Err(ImportError::Ports { inputs: inputs.len(), outputs: outputs.len() })
        }
    }
}

/// The dimensions that an input declares.
fn dimensions(input: &ValueInfoProto) -> &[DimensionProto] {
    let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    tensor.and_then(|t| t.shape.as_ref()).map_or(&[][..], |s| &s.dim)
}

/// The size of the first dimension, the batch, which all inputs have or none: `None` where the file leaves it open.
fn number_of_samples(inputs: &[&ValueInfoProto]) -> Result<Option<usize>, ImportError> {
    let mut of_first = None;
    for (input, of) in inputs.iter().enumerate() {
        let wrong = |value| ImportError::InputShape { input, axis: 0, value };
        let value = dimensions(of).first().ok_or(wrong(None))?.dim_value;
        let number = match value {
            None => None,
            Some(number) => Some(
                usize::try_from(number)
                    .ok()
                    .filter(|number| (1..=MAX_ELEMENTS).contains(number))
                    .ok_or(wrong(value))?,
            ),
        };
        if *of_first.get_or_insert(number) != number {
            return Err(wrong(value));
        }
    }
    Ok(of_first.flatten())
}

fn import_input(
    builder: &mut Builder,
    number: usize,
    input: &ValueInfoProto,
) -> Result<Value, ImportError> {
    let wrong = |axis, value| ImportError::InputShape { input: number, axis, value };
    let sizes = dimensions(input).get(1..).ok_or(wrong(0, None))?;
    let mut elements = 1usize;
    let mut shape = Vec::with_capacity(sizes.len());
    for (axis, dim) in sizes.iter().enumerate() {
        if dim.dim_value.is_none() {
            let name = truncated(dim.dim_param.as_deref().unwrap_or(""));
            return Err(ImportError::OpenDimension { input: number, axis: axis + 1, name });
        }
        let size = dim
            .dim_value
            .and_then(|v| usize::try_from(v).ok())
            .filter(|v| (1..=MAX_ELEMENTS / elements).contains(v))
            .ok_or(wrong(axis + 1, dim.dim_value))?;
        elements *= size;
        shape.push(size);
    }
    let view = builder.input(shape);
    let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let codes = match tensor.and_then(|t| t.elem_type).unwrap_or(0) {
        data_type::FLOAT => {
            return Ok(Value::FloatInput(FloatInput { view, operations: vec![] }));
        }
        data_type::INT32 | data_type::INT64 | data_type::BOOL => {
            return Ok(Value::NumberInput(view));
        }
        of @ (data_type::UINT16 | data_type::INT16) => {
            let dtype = if of == data_type::UINT16 { WordType::U16 } else { WordType::I16 };
            let transform = InputTransform::Words { dtype };
            builder.word_input(transform, dtype, view).map(Value::Words)
        }
        got => {
            let dtype = CodeType::of_onnx(got);
            let dtype = dtype.ok_or(ImportError::InputType { input: number, got })?;
            builder.quantized_input(InputTransform::Codes { dtype }, view).map(Value::Codes)
        }
    };
    codes.map_err(|_| wrong(0, None))
}

fn import_node(
    builder: &mut Builder,
    (known, wholes, samples): (&mut Known, &mut Wholes, &mut Samples),
    context: &Context,
    index: usize,
    proto: &NodeProto,
) -> Result<(), ImportError> {
    let Known { values, names } = known;
    let domain = canonical_domain(proto.domain.as_deref());
    let op_type = proto.op_type.as_deref().unwrap_or("");
    let name = name_of(proto, index);
    let imported = REGISTRY
        .iter()
        .find(|operator| operator.domain == domain && operator.name == op_type)
        .ok_or_else(|| unknown(op_type))
        .and_then(|operator| {
            let outputs = proto.output.iter().filter(|output| !output.is_empty());
            if outputs.clone().any(|output| names.contains(output)) {
                return Err(NodeError::Redefined);
            }
            let got = outputs.clone().count();
            let opened = with_open_target(proto, values, (wholes, samples));
            let proto = opened.as_ref().unwrap_or(proto);
            let one = builder.batch_is_one;
            let whole = wholes.operands(op_type, &proto.input, values, one)?;
            let view = NodeView::new(&name, proto, values, context, operator, whole.as_ref())?;
            let made = match operator.import {
                Import::One(import) if got == 1 => vec![import(builder, &view)?],
                Import::One(_) => return Err(NodeError::OutputCount { got }),
                Import::Several(import) => import(builder, &view)?,
            };
            // What the rest would be is not defined.
            if made.len() > proto.output.len() {
                return Err(NodeError::OutputCount { got });
            }
            let is_whole = view.is_whole();
            let named = proto.output.iter().cloned().zip(made);
            let named = named.map(|(name, value)| {
                let value = if is_whole { wholes.made(&name, value) } else { value };
                (name, value)
            });
            let named: Vec<_> = named.collect();
            samples.follow(builder, (&view, operator), (values, wholes), &named)?;
            Ok(named)
        });
    match imported {
        Ok(made) => {
            let made = made.into_iter().filter(|(name, _)| !name.is_empty());
            made.for_each(|(name, value)| known.insert(name, value));
            Ok(())
        }
        Err(error) => Err(ImportError::Node {
            operator: match domain {
                "" => op_type.to_owned(),
                domain => format!("{domain}.{op_type}"),
            },
            node: name,
            error,
        }),
    }
}

/// The node with a target shape for any number of samples, if it has a constant one with the number that the file says.
fn with_open_target(
    proto: &NodeProto,
    values: &mut HashMap<String, Value>,
    (wholes, samples): (&Wholes, &Samples),
) -> Option<NodeProto> {
    let [data, target, ..] = &proto.input[..] else { return None };
    let (value, Value::Constant(array)) = (values.get(data)?, values.get(target)?) else {
        return None;
    };
    let ArrayData::I64(sizes) = array.data() else { return None };
    let op_type = proto.op_type.as_deref()?;
    let opened = samples.opened(op_type, wholes, (data, value), sizes)?;
    let opened = Array::new(array.shape().to_vec(), ArrayData::I64(opened)).ok()?;
    // Others may read the constant as well.
    let name = format!("{target} of any number of samples");
    values.insert(name.clone(), Value::Constant(Rc::new(opened)));
    let mut node = proto.clone();
    node.input[1] = name;
    Some(node)
}

/// The error of an operator that none imports.
fn unknown(op_type: &str) -> NodeError {
    match op_type {
        "DynamicQuantizeLinear" | "DynamicQuantizeMatMul" => NodeError::DynamicScale,
        "MatMulNBits" | "GatherBlockQuantized" => NodeError::BlocksAndFloats,
        "Attention"
        | "BiasGelu"
        | "EmbedLayerNormalization"
        | "FastGelu"
        | "FusedConv"
        | "FusedGemm"
        | "FusedMatMul"
        | "GroupQueryAttention"
        | "MultiHeadAttention"
        | "QAttention"
        | "QuickGelu"
        | "SkipLayerNormalization"
        | "SkipSimplifiedLayerNormalization" => NodeError::SeveralOperators,
        _ => NodeError::UnknownOperator,
    }
}

fn import_ports(
    mut builder: Builder,
    values: &HashMap<String, Value>,
    graph: &GraphProto,
    inputs: &[&ValueInfoProto],
    outputs: &[ValueInfoProto],
) -> Result<Model, ImportError> {
    let mut ports: Vec<OutputPort> = Vec::with_capacity(outputs.len());
    for output in outputs {
        let port = import_output(&mut builder, values, graph, output, &ports)?;
        ports.push(port);
    }
    let output = ports.remove(0);
    let name = outputs.first().and_then(|output| output.name.clone()).unwrap_or_default();
    // What nothing reads is no input.
    let read =
        builder.input_ports().into_iter().zip(inputs).filter_map(|(port, input)| {
            Some((port?, truncated(input.name.as_deref().unwrap_or(""))))
        });
    let (mut inputs, mut input_names): (Vec<_>, Vec<_>) = read.unzip();
    if inputs.is_empty() {
        return Err(ImportError::Output { name, node: None });
    }
    let input = inputs.remove(0);
    if inputs.is_empty() {
        input_names.clear();
    }
    let title = truncated(graph.name.as_deref().unwrap_or(""));
    let (more_inputs, more_outputs) = (inputs, ports);
    let ports = finish::Ports { input, more_inputs, input_names, output, more_outputs };
    Ok(finish::model(builder, title, ports)?)
}

/// An output, of a tensor that is none of those before.
fn import_output(
    builder: &mut Builder,
    values: &HashMap<String, Value>,
    graph: &GraphProto,
    output: &ValueInfoProto,
    before: &[OutputPort],
) -> Result<OutputPort, ImportError> {
    let name = output.name.clone().unwrap_or_default();
    let made = graph.node.iter().find(|node| node.output.contains(&name));
    let missing = || ImportError::Output {
        name: name.clone(),
        node: made.map(|node| {
            let of = |text: &Option<String>| truncated(text.as_deref().unwrap_or(""));
            (of(&node.name), of(&node.op_type))
        }),
    };
    let (view, transform) = match values.get(&name) {
        Some(Value::Codes(codes)) => {
            (codes.view.clone(), OutputTransform::Codes { dtype: codes.dtype })
        }
        Some(Value::Words(words)) => {
            let dtype = words.dtype;
            let view = integers(builder, &name, words).map_err(|_| missing())?;
            (view, OutputTransform::Words { dtype })
        }
        Some(Value::WordFloats(floats)) if floats.is_pure() => {
            let dtype = floats.words.dtype;
            let view = integers(builder, &name, &floats.words).map_err(|_| missing())?;
            let Scaling { scale, zero_point } = floats.scaling;
            (view, OutputTransform::DequantizeWords { scale, zero_point, dtype })
        }
        Some(Value::Floats(floats)) => {
            let view = ops::as_dequantized(builder, &name, floats).ok_or_else(missing)?;
            let transform = OutputTransform::Dequantize {
                scale: floats.scaling.scale,
                zero_point: floats.scaling.zero_point,
                dtype: floats.codes.dtype,
            };
            (view, transform)
        }
        Some(Value::Integers(view, dtype)) => {
            (view.clone(), OutputTransform::Integer { dtype: *dtype })
        }
        Some(Value::Deferred(deferred)) => {
            deferred.affine(builder).ok().flatten().ok_or_else(missing)?
        }
        _ => return Err(missing()),
    };
    let shape = view.shape();
    let is_new = before.iter().all(|port| port.tensor != view.tensor);
    let view = match is_new && builder.is_row_major(&view) {
        true => view,
        false => builder.laid_out(&name, &view, |_| true).map_err(|_| missing())?,
    };
    Ok(OutputPort { tensor: view.tensor, shape, transform })
}

/// A 16-bit tensor as integers of its type's width.
fn integers(builder: &mut Builder, name: &str, words: &Words) -> Result<View, NodeError> {
    let view = words.integers(builder, name)?;
    match builder.tensors[view.tensor].kind() == words.dtype.kind() {
        true => Ok(view),
        false => builder.copied_as(name, &view, words.dtype.kind()),
    }
}

/// What errors call node `index` of the file: by its name, or its operator and number if it has none.
pub(super) fn name_of(node: &NodeProto, index: usize) -> String {
    match node.name.as_deref() {
        Some(name) if !name.is_empty() => truncated(name),
        _ => truncated(&format!("{}_{index}", node.op_type.as_deref().unwrap_or(""))),
    }
}

/// At most [`MAX_NAME_BYTES`] of `name`.
fn truncated(name: &str) -> String {
    name[..name.floor_char_boundary(MAX_NAME_BYTES)].to_owned()
}
