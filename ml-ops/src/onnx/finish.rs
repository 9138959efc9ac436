//! From the graph under construction to the model: dead nodes go, clamps join the matmul before them.

use super::builder::Builder;
use crate::graph::{
    Epilogue, Function, Graph, GraphError, InputPort, Model, Node, Op, OutputPort, TensorId, Term,
};

/// A network's inputs and outputs.
pub(super) struct Ports {
    pub(super) input: InputPort,
    pub(super) more_inputs: Vec<InputPort>,
    /// Names of all inputs, if there are several.
    pub(super) input_names: Vec<String>,
    pub(super) output: OutputPort,
    pub(super) more_outputs: Vec<OutputPort>,
}

/// The model that computes the tensors of outputs from those of inputs.
pub(super) fn model(mut builder: Builder, name: String, ports: Ports) -> Result<Model, GraphError> {
    let Ports { mut input, mut more_inputs, input_names, mut output, mut more_outputs } = ports;
    let outputs: Vec<TensorId> =
        [&output].into_iter().chain(&more_outputs).map(|port| port.tensor).collect();
    remove_dead(&mut builder, &outputs);
    fold_clamps(&mut builder, &outputs);

    let mut nodes = std::mem::take(&mut builder.nodes);
    let mut old_matrices = std::mem::take(&mut builder.matrices);
    let mut tensor_ids = vec![None; builder.tensors.len()];
    let mut tensors = Vec::new();
    let mut weights = Vec::new();
    let mut matrices = Vec::new();
    let mut place = |tensor: &mut TensorId| {
        let old = *tensor;
        *tensor = *tensor_ids[old].get_or_insert_with(|| {
            tensors.push(builder.shape(old));
            tensors.len() - 1
        });
    };
    place(&mut input.tensor);
    more_inputs.iter_mut().for_each(|port| place(&mut port.tensor));
    for Node { op, .. } in &mut nodes {
        match op {
            Op::MatMul { x, y, weights: id, .. } => {
                place(x);
                place(y);
                weights.push(builder.weights[*id].clone());
                matrices.push(std::mem::take(&mut old_matrices[*id]));
                *id = weights.len() - 1;
            }
            Op::Constant { y, .. } => place(y),
            Op::Relu { x, y } | Op::Max { x, y, .. } | Op::ArgMax { x, y, .. } => {
                place(x);
                place(y);
            }
            Op::BatchMatMul { a, b, y, .. } => {
                place(&mut a.x);
                place(&mut b.x);
                place(y);
            }
            Op::Combine { terms, y, .. } => {
                for term in terms {
                    place(&mut term.x);
                    if let Function::Product { with, .. } = &mut term.function {
                        place(with);
                    }
                }
                place(y);
            }
        }
    }
    place(&mut output.tensor);
    more_outputs.iter_mut().for_each(|port| place(&mut port.tensor));
    let graph = Graph {
        name,
        tensors,
        weights,
        nodes,
        input,
        output,
        more_inputs,
        input_names,
        more_outputs,
    };
    graph.validate()?;
    Ok(Model { graph, weights: matrices }.with_shallow_matmuls())
}

fn remove_dead(builder: &mut Builder, outputs: &[TensorId]) {
    let mut live = vec![false; builder.tensors.len()];
    outputs.iter().for_each(|&output| live[output] = true);
    for node in builder.nodes.iter().rev() {
        if live[node.op.output()] {
            node.op.inputs().into_iter().for_each(|x| live[x] = true);
        }
    }
    builder.nodes.retain(|node| live[node.op.output()]);
}

/// Joins each map that clamps its input to the matmul that makes it, if nothing else reads it.
fn fold_clamps(builder: &mut Builder, outputs: &[TensorId]) {
    let mut reads = vec![0usize; builder.tensors.len()];
    outputs.iter().for_each(|&output| reads[output] += 1);
    for node in &builder.nodes {
        node.op.inputs().into_iter().for_each(|x| reads[x] += 1);
    }
    let mut kept: Vec<Node> = Vec::with_capacity(builder.nodes.len());
    for node in std::mem::take(&mut builder.nodes) {
        if let Op::Combine { terms, y, epilogue: Epilogue::Accumulator } = &node.op
            && let [Term { x, gather: None, function: Function::Table(table), .. }] = &terms[..]
            && reads[*x] == 1
            && let Some((low, high)) = as_clamp(table)
            && let Some(producer) = kept.iter_mut().rfind(|earlier| earlier.op.output() == *x)
            && let Op::MatMul { y: made, epilogue: Epilogue::Requantize(requantize), .. } =
                &mut producer.op
        {
            *made = *y;
            for step in &mut requantize.steps {
                let (low, high) = (low + step.type_min, high + step.type_min);
                step.qmin = step.qmin.clamp(low, high);
                step.qmax = step.qmax.clamp(low, high);
            }
        } else {
            kept.push(node);
        }
    }
    builder.nodes = kept;
}

/// The bounds of a table that clamps codes.
fn as_clamp(table: &[i64; 256]) -> Option<(i32, i32)> {
    let (low, high) = (table[0], table[255]);
    let clamps = (0..256).all(|code| low <= high && table[code as usize] == code.clamp(low, high));
    clamps.then_some((low as i32, high as i32))
}
