//! LayerNormalization and RMSNormalization that are spelled out, as operator sets before 17 and 23 have them: found in the file and
//! written as one node.

use super::constant;
use super::proto::{AttributeProto, GraphProto, NodeProto, TensorProto, attribute_type};
use crate::array::ArrayData;
use std::collections::{HashMap, HashSet};

/// The operators, in order, of which each reads the one before.
const PARTS: [&str; 9] =
    ["ReduceMean", "Sub", "Pow", "ReduceMean", "Add", "Sqrt", "Div", "Mul", "Add"];

/// Writes each `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * gamma + beta` along the last axis as the operator that
/// it is, where nothing else reads what is between; then each `x / sqrt(mean(x^2) + epsilon) * gamma`.
pub(super) fn join_normalizations(graph: &mut GraphProto) {
    join(graph, |names, first| names.normalization(first));
    join(graph, |names, first| names.by_size(first));
}

/// Writes what `find` finds, from its first node on, as one node.
fn join(graph: &mut GraphProto, find: impl Fn(&Names<'_>, usize) -> Option<Found>) {
    let found: Vec<Found> = {
        let names = Names::of(graph);
        (0..graph.node.len()).filter_map(|first| find(&names, first)).collect()
    };
    let mut removed = HashSet::new();
    for Found { nodes, node } in found {
        // The last node's place is behind all that it reads.
        if let [rest @ .., last] = &nodes[..] {
            removed.extend(rest.iter().copied());
            graph.node[*last] = node;
        }
    }
    let mut index = 0;
    graph.node.retain(|_| {
        index += 1;
        !removed.contains(&(index - 1))
    });
}

/// A normalization: its nodes, and the one that they are.
struct Found {
    nodes: Vec<usize>,
    node: NodeProto,
}

/// Who makes and who reads the values of a graph.
struct Names<'a> {
    graph: &'a GraphProto,
    readers: HashMap<&'a str, Vec<usize>>,
    outputs: HashSet<&'a str>,
    constants: HashMap<&'a str, &'a TensorProto>,
    dequantized: HashSet<&'a str>,
}

impl<'a> Names<'a> {
    fn of(graph: &'a GraphProto) -> Self {
        let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut constants = HashMap::new();
        let mut dequantized = HashSet::new();
        for tensor in &graph.initializer {
            constants.insert(tensor.name.as_deref().unwrap_or(""), tensor);
        }
        for (index, node) in graph.node.iter().enumerate() {
            for input in node.input.iter().filter(|input| !input.is_empty()) {
                readers.entry(input).or_default().push(index);
            }
            let Some(output) = node.output.first() else { continue };
            if is(node, "Constant")
                && let Some(tensor) = node.attribute.first().and_then(|value| value.t.as_ref())
            {
                constants.insert(output, tensor);
            }
            let is_constant = |name: &String| constants.contains_key(name.as_str());
            if is(node, "DequantizeLinear") && node.input.first().is_some_and(is_constant) {
                dequantized.insert(output.as_str());
            }
        }
        let outputs = graph.output.iter().filter_map(|output| output.name.as_deref()).collect();
        Self { graph, readers, outputs, constants, dequantized }
    }

    /// The normalization whose mean is node `first`.
    fn normalization(&self, first: usize) -> Option<Found> {
        let mean = self.graph.node.get(first).filter(|node| is(node, PARTS[0]))?;
        let x = mean.input.first()?;
        let (sub, centred) = self.next(first, PARTS[1])?;
        if *sub.input != [x.clone(), mean.output.first()?.clone()] || !self.is_last(mean) {
            return None;
        }
        let of_centred = sub.output.first()?;
        let (square, squared) = self.reader(of_centred, |node| self.is_square(node, of_centred))?;
        let (variance, of_squares) = self.next(squared, PARTS[3])?;
        if !self.is_last(variance) {
            return None;
        }
        let (sum, summed) = self.next(of_squares, PARTS[4])?;
        let epsilon = self.number(self.other(sum, variance.output.first()?)?)?;
        let (_, root) = self.next(summed, PARTS[5])?;
        let (quotient, divided) = self.next(root, PARTS[6])?;
        let by = self.graph.node[root].output.first()?;
        if *quotient.input != [of_centred.clone(), by.clone()] {
            return None;
        }
        // The difference is read by these alone.
        let mut readers = vec![squared, divided];
        if is(square, "Mul") {
            readers.push(squared);
        }
        readers.sort_unstable();
        let mut found = self.readers.get(of_centred.as_str())?.clone();
        found.sort_unstable();
        if found != readers || self.outputs.contains(of_centred.as_str()) {
            return None;
        }
        let (product, multiplied) = self.next(divided, PARTS[7])?;
        let gamma = self.other(product, quotient.output.first()?)?;
        let (last, added) = self.next(multiplied, PARTS[8])?;
        let beta = self.other(last, product.output.first()?)?;
        if !self.is_constant(gamma) || !self.is_constant(beta) {
            return None;
        }
        let input = vec![x.clone(), gamma.clone(), beta.clone()];
        let node = joined(last, "LayerNormalization", input, epsilon);
        let nodes =
            vec![first, centred, squared, of_squares, summed, root, divided, multiplied, added];
        Some(Found { nodes, node })
    }

    /// The normalization without a mean whose squares are node `first`.
    fn by_size(&self, first: usize) -> Option<Found> {
        let square = self.graph.node.get(first)?;
        let x = square.input.first().filter(|x| self.is_square(square, x))?;
        let (mean, of_squares) = self.next(first, "ReduceMean")?;
        let (sum, summed) = self.next(of_squares, "Add").filter(|_| self.is_last(mean))?;
        let epsilon = self.number(self.other(sum, mean.output.first()?)?)?;
        let (root, rooted) = self.next(summed, "Sqrt")?;
        let by = root.output.first()?;
        let mut nodes = vec![first, of_squares, summed, rooted];
        // Divided by the root, or multiplied with one over it.
        let reciprocal = self.next(rooted, "Reciprocal").or_else(|| {
            let one = |(div, _): &(&NodeProto, usize)| {
                let [one, of] = &div.input[..] else { return false };
                of == by && self.number(one) == Some(1.0)
            };
            self.next(rooted, "Div").filter(one)
        });
        let (quotient, divided) = match reciprocal {
            Some((of, inverted)) => {
                nodes.push(inverted);
                let product = self.next(inverted, "Mul");
                product.filter(|(product, _)| self.other(product, x) == of.output.first())?
            }
            None => {
                let div = self.next(rooted, "Div");
                div.filter(|(div, _)| *div.input == [x.clone(), by.clone()])?
            }
        };
        let (last, multiplied) = self.next(divided, "Mul")?;
        let gamma = self.other(last, quotient.output.first()?)?;
        if !self.is_constant(gamma) {
            return None;
        }
        nodes.extend([divided, multiplied]);
        let input = vec![x.clone(), gamma.clone()];
        let node = joined(last, "SimplifiedLayerNormalization", input, epsilon);
        Some(Found { nodes, node })
    }

    /// The one node that reads node `index`, if nothing else does and it is `operator`.
    fn next(&self, index: usize, operator: &str) -> Option<(&'a NodeProto, usize)> {
        let name = self.graph.node.get(index)?.output.first()?;
        match self.readers.get(name.as_str())?.as_slice() {
            &[reader] if !self.outputs.contains(name.as_str()) => {
                let node = &self.graph.node[reader];
                is(node, operator).then_some((node, reader))
            }
            _ => None,
        }
    }

    /// The first reader of a value that `holds`.
    fn reader(
        &self,
        name: &str,
        holds: impl Fn(&NodeProto) -> bool,
    ) -> Option<(&'a NodeProto, usize)> {
        let readers = self.readers.get(name)?.iter();
        readers.map(|&index| (&self.graph.node[index], index)).find(|(node, _)| holds(node))
    }

    /// Whether a node squares `name`.
    fn is_square(&self, node: &NodeProto, name: &str) -> bool {
        match &node.input[..] {
            [base, power] if is(node, "Pow") => base == name && self.number(power) == Some(2.0),
            [a, b] => is(node, "Mul") && a == name && b == name,
            _ => false,
        }
    }

    /// Whether a ReduceMean is along the last axis, and keeps it.
    fn is_last(&self, node: &NodeProto) -> bool {
        let attribute =
            |name: &str| node.attribute.iter().find(|of| of.name.as_deref() == Some(name));
        let axes = match (attribute("axes"), node.input.get(1)) {
            (Some(axes), None) => axes.ints == [-1],
            (None, Some(name)) => self.integers(name).as_deref() == Some(&[-1]),
            _ => false,
        };
        axes && attribute("keepdims").is_none_or(|keep| keep.i == Some(1))
    }

    /// The operand of a node of two that is not `name`.
    fn other(&self, node: &'a NodeProto, name: &str) -> Option<&'a String> {
        match &node.input[..] {
            [a, b] if a == name && b != name => Some(b),
            [a, b] if b == name && a != name => Some(a),
            _ => None,
        }
    }

    fn is_constant(&self, name: &str) -> bool {
        self.constants.contains_key(name) || self.dequantized.contains(name)
    }

    /// A constant of one float.
    fn number(&self, name: &str) -> Option<f32> {
        let array = constant::array(self.constants.get(name)?).ok()?;
        match array.data() {
            ArrayData::F32(values) if values.len() == 1 => Some(values[0]),
            _ => None,
        }
    }

    /// A constant list of integers.
    fn integers(&self, name: &str) -> Option<Vec<i64>> {
        let array = constant::array(self.constants.get(name)?).ok()?;
        match array.data() {
            ArrayData::I64(values) => Some(values.clone()),
            _ => None,
        }
    }
}

/// The node that takes the place of `last`.
fn joined(last: &NodeProto, operator: &str, input: Vec<String>, epsilon: f32) -> NodeProto {
    let attribute = AttributeProto {
        name: Some("epsilon".to_owned()),
        f: Some(epsilon),
        r#type: Some(attribute_type::FLOAT),
        ..AttributeProto::default()
    };
    NodeProto {
        input,
        output: last.output.clone(),
        name: last.name.clone(),
        op_type: Some(operator.to_owned()),
        attribute: vec![attribute],
        ..NodeProto::default()
    }
}

fn is(node: &NodeProto, operator: &str) -> bool {
    node.op_type.as_deref() == Some(operator) && node.domain.as_deref().unwrap_or("").is_empty()
}
