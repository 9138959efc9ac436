//! Calls of a file's own functions, written as the nodes that these are of.

use super::error::{FunctionError, ImportError};
use super::import::{OPSETS, canonical_domain, version_of};
use super::proto::{AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto};
use prost::Message;
use std::collections::HashMap;

/// How deep calls may lie in calls: more is no file that an exporter wrote.
const MOST_DEEP: usize = 64;

/// Most nodes that calls come to.
const MOST_NODES: usize = 1 << 18;

/// Most bytes that these nodes have in a file.
const MOST_BYTES: usize = 1 << 28;

/// Writes the nodes of functions where they are called, and imports the operator sets that they need and the file does not.
///
/// # Errors
/// [`ImportError::Function`] for a call that is none, or of a function that is not the same among the graph's operators.
pub(super) fn inline_functions(model: &mut ModelProto) -> Result<(), ImportError> {
    let functions = std::mem::take(&mut model.functions);
    let Some(graph) = model.graph.as_mut().filter(|_| !functions.is_empty()) else { return Ok(()) };
    let mut by_name = HashMap::new();
    for (index, function) in functions.iter().enumerate() {
        let key = Key::new(&function.domain, &function.name, &function.overload);
        if by_name.insert(key, (index, function)).is_some() {
            return Err(error(function, FunctionError::Twice));
        }
    }
    let prefix = unused_prefix(graph);
    let nodes = std::mem::take(&mut graph.node);
    let used = vec![false; functions.len()];
    let mut calls = Calls { by_name, prefix, count: 0, bytes: 0, used, nodes: vec![] };
    for node in nodes {
        calls.write(node, 0)?;
    }
    graph.node = calls.nodes;
    let used = functions.iter().zip(calls.used).filter(|(_, is_used)| *is_used);
    for (function, _) in used {
        for (domain, _, _) in OPSETS {
            let own = version_of(&function.opset_import, domain);
            let of_file = version_of(&model.opset_import, domain);
            match (own, of_file) {
                (Some(own), Some(of_file)) if own != of_file => {
                    let domain = domain.to_owned();
                    return Err(error(function, FunctionError::Opset { domain, own, of_file }));
                }
                (Some(_), None) => {
                    let sets = function.opset_import.iter();
                    let sets = sets.filter(|set| canonical_domain(set.domain.as_deref()) == domain);
                    model.opset_import.extend(sets.cloned());
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn error(function: &FunctionProto, error: FunctionError) -> ImportError {
    ImportError::Function { name: function.name.clone().unwrap_or_default(), error }
}

/// What a call names a function by: domain, name, overload.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a>(&'a str, &'a str, &'a str);

impl<'a> Key<'a> {
    fn new(
        domain: &'a Option<String>,
        name: &'a Option<String>,
        overload: &'a Option<String>,
    ) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().unwrap_or("");
        Self(canonical_domain(domain.as_deref()), text(name), text(overload))
    }
}

/// Slashes that begin no value of the graph.
pub(super) fn unused_prefix(graph: &GraphProto) -> String {
    let of_nodes = graph.node.iter().flat_map(|node| node.input.iter().chain(&node.output));
    let others = graph.initializer.iter().filter_map(|tensor| tensor.name.as_ref());
    let ports = graph.input.iter().chain(&graph.output).filter_map(|port| port.name.as_ref());
    let slashes = |name: &String| name.bytes().take_while(|&byte| byte == b'/').count();
    let most = of_nodes.chain(others).chain(ports).map(slashes).max();
    "/".repeat(most.unwrap_or(0) + 1)
}

/// The nodes of a graph so far, calls replaced.
struct Calls<'a> {
    by_name: HashMap<Key<'a>, (usize, &'a FunctionProto)>,
    /// No value of the graph begins so.
    prefix: String,
    /// Calls so far.
    count: usize,
    /// Bytes of nodes of functions so far.
    bytes: usize,
    /// Whether each function was called.
    used: Vec<bool>,
    nodes: Vec<NodeProto>,
}

impl Calls<'_> {
    /// Adds a node, or those of the function that it calls.
    fn write(&mut self, node: NodeProto, depth: usize) -> Result<(), ImportError> {
        let key = Key::new(&node.domain, &node.op_type, &node.overload);
        let Some(&(index, function)) = self.by_name.get(&key) else {
            self.nodes.push(node);
            return Ok(());
        };
        let refused = |reason| Err(error(function, reason));
        if OPSETS.iter().any(|(domain, _, _)| *domain == key.0) {
            return refused(FunctionError::Operator);
        }
        if depth == MOST_DEEP {
            return refused(FunctionError::Deep);
        }
        if node.input.len() > function.input.len() || node.output.len() > function.output.len() {
            let (inputs, outputs) = (node.input.len(), node.output.len());
            return refused(FunctionError::Ports { inputs, outputs });
        }
        self.used[index] = true;
        self.count += 1;
        let call = Call::new(&node, function, format!("{}{}/", self.prefix, self.count));
        for own in &function.node {
            let own = call.inlined(own);
            self.bytes += own.encoded_len();
            if self.nodes.len() >= MOST_NODES || self.bytes > MOST_BYTES {
                return refused(FunctionError::Long);
            }
            self.write(own, depth + 1)?;
        }
        self.nodes.extend(call.passed());
        Ok(())
    }
}

/// A call, and what the function's values are called in it.
struct Call<'a> {
    node: &'a NodeProto,
    function: &'a FunctionProto,
    /// Those that have a name of the call's.
    known: HashMap<&'a str, &'a str>,
    /// What the others begin with.
    prefix: String,
}

impl<'a> Call<'a> {
    fn new(node: &'a NodeProto, function: &'a FunctionProto, prefix: String) -> Self {
        let mut known = HashMap::new();
        for (index, name) in function.input.iter().enumerate() {
            known.entry(name.as_str()).or_insert(node.input.get(index).map_or("", String::as_str));
        }
        for (name, output) in function.output.iter().zip(&node.output) {
            if !output.is_empty() {
                known.entry(name.as_str()).or_insert(output);
            }
        }
        Self { node, function, known, prefix }
    }

    fn name(&self, name: &str) -> String {
        match self.known.get(name) {
            _ if name.is_empty() => String::new(),
            Some(&name) => name.to_owned(),
            None => format!("{}{name}", self.prefix),
        }
    }

    /// An attribute of a node of the function, if it has a value.
    fn attribute(&self, own: &AttributeProto) -> Option<AttributeProto> {
        let Some(name) = own.ref_attr_name.as_deref().filter(|name| !name.is_empty()) else {
            return Some(own.clone());
        };
        let mut given = self.node.attribute.iter().chain(&self.function.attribute_proto);
        let value = given.find(|given| given.name.as_deref() == Some(name))?;
        Some(AttributeProto { name: own.name.clone(), ..value.clone() })
    }

    /// A node of the function.
    fn inlined(&self, node: &NodeProto) -> NodeProto {
        let names = |of: &[String]| of.iter().map(|name| self.name(name)).collect();
        let name = |of: &NodeProto| of.name.clone().unwrap_or_default();
        NodeProto {
            input: names(&node.input),
            output: names(&node.output),
            name: Some(format!("{}/{}", name(self.node), name(node))),
            attribute: node.attribute.iter().filter_map(|own| self.attribute(own)).collect(),
            ..node.clone()
        }
    }

    /// Identities for outputs that are inputs or other outputs.
    fn passed(&self) -> impl Iterator<Item = NodeProto> {
        let outputs = self.function.output.iter().zip(&self.node.output);
        let outputs = outputs.map(|(name, output)| (self.name(name), output));
        let others = outputs.filter(|(name, output)| !output.is_empty() && name != *output);
        others.map(|(name, output)| NodeProto {
            input: vec![name],
            output: vec![output.clone()],
            op_type: Some("Identity".to_owned()),
            name: self.node.name.clone(),
            ..NodeProto::default()
        })
    }
}
