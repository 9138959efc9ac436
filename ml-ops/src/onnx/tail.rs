//! Float operators behind a network's last integers: what they compute of them is public, and no part of what is proved.

use super::proto::{GraphProto, NodeProto, ValueInfoProto};
use std::collections::HashSet;

/// Outputs of a file that were replaced by what they are computed of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tail {
    /// The outputs of the file that are no outputs of the model.
    pub outputs: Vec<String>,
    /// The values that are outputs of the model in their place.
    pub from: Vec<String>,
    /// The nodes between these and those, by name and operator, in order.
    pub nodes: Vec<(String, String)>,
}

/// Operators that hold weights, or begin another part in integers: a network goes on behind what comes before them.
const HOLDS: [&str; 16] = [
    "Attention",
    "Conv",
    "ConvInteger",
    "ConvTranspose",
    "DynamicQuantizeLinear",
    "Einsum",
    "GRU",
    "Gemm",
    "LSTM",
    "MatMul",
    "MatMulInteger",
    "MatMulIntegerToFloat",
    "QAttention",
    "QGemm",
    "QuantizeLinear",
    "RNN",
];

/// Operators that say nothing of a tensor's elements.
const NOTHING: [&str; 2] = ["Constant", "Shape"];

/// `graph` without the nodes that make the values `begin` and all behind them, and what that cuts off; `None` if a network goes
/// on there, or nothing is left.
pub(super) fn cut(graph: &GraphProto, begin: &HashSet<String>) -> Option<(GraphProto, Tail)> {
    let computed = computed(graph);
    let mut behind: HashSet<&str> = HashSet::new();
    let (mut kept, mut removed): (Vec<&NodeProto>, Vec<&NodeProto>) = (Vec::new(), Vec::new());
    for node in &graph.node {
        let begins = node.output.iter().any(|name| begin.contains(name));
        if begins || node.input.iter().any(|name| behind.contains(name.as_str())) {
            behind.extend(node.output.iter().filter(|name| !name.is_empty()).map(String::as_str));
            removed.push(node);
        } else {
            kept.push(node);
        }
    }
    let holds = |node: &&NodeProto| {
        let operator = operator(node);
        HOLDS.contains(&operator) || operator.starts_with("QLinear")
    };
    let inputs: HashSet<&str> =
        graph.input.iter().filter_map(|port| port.name.as_deref()).collect();
    let mut from: Vec<&String> = Vec::new();
    for name in removed.iter().flat_map(|node| &node.input) {
        let is_behind = behind.contains(name.as_str());
        if !is_behind && !from.contains(&name) && computed.contains(name.as_str()) {
            from.push(name);
        }
    }
    if removed.iter().any(holds) || from.iter().any(|name| inputs.contains(name.as_str())) {
        return None;
    }
    let is_gone =
        |port: &&ValueInfoProto| port.name.as_deref().is_some_and(|name| behind.contains(name));
    let gone: Vec<&ValueInfoProto> = graph.output.iter().filter(is_gone).collect();
    let place = graph.output.iter().position(|port| is_gone(&port))?;
    let mut output: Vec<ValueInfoProto> =
        graph.output.iter().filter(|port| !is_gone(port)).cloned().collect();
    let is_new = |name: &&&String| output.iter().all(|port| port.name.as_ref() != Some(**name));
    let new = from
        .iter()
        .filter(is_new)
        .map(|&name| ValueInfoProto { name: Some(name.clone()), ..ValueInfoProto::default() });
    let new: Vec<ValueInfoProto> = new.collect();
    output.splice(place..place, new);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let tail = Tail {
        outputs: gone.iter().map(|port| text(&port.name)).collect(),
        nodes: removed.iter().map(|node| (text(&node.name), text(&node.op_type))).collect(),
        from: from.into_iter().cloned().collect(),
    };
    let node = kept.into_iter().cloned().collect();
    let found = !output.is_empty() && !tail.from.is_empty();
    found.then(|| (GraphProto { node, output, ..graph.clone() }, tail))
}

fn operator(node: &NodeProto) -> &str {
    node.op_type.as_deref().unwrap_or("")
}

/// The values that depend on elements of the network's input.
fn computed(graph: &GraphProto) -> HashSet<&str> {
    let constants: HashSet<&str> =
        graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref()).collect();
    let inputs = graph.input.iter().filter_map(|port| port.name.as_deref());
    let mut computed: HashSet<&str> = inputs.filter(|name| !constants.contains(name)).collect();
    for node in graph.node.iter().filter(|node| !NOTHING.contains(&operator(node))) {
        if node.input.iter().any(|name| computed.contains(name.as_str())) {
            computed.extend(node.output.iter().map(String::as_str));
        }
    }
    computed
}
