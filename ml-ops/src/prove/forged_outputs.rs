//! Networks of several outputs: each is bound to the tensor that it comes from.

use super::forged::{self, bytes, codes, key};
use crate::argument::{GroupSize, Plan};
use crate::array::{Array, ArrayData};
use crate::graph::{
    CodeType, Epilogue, Function, Graph, GraphError, InputPort, InputTransform, Model, Node, Op,
    OutputPort, OutputTransform, PortError, TensorKind, TensorShape, Term, Values,
};
use crate::{ProveError, Rejection, interpret, run_all, verify};

const K: usize = 6;

/// Each tensor the codes before plus one: the last is the first output, the first that is computed the second, and one
/// between them is hidden.
fn model() -> Model {
    let tensor = TensorShape { rows_per_sample: 1, features: K, kind: TensorKind::Code };
    let more = |x| Op::map(x, x + 1, |code| code.wrapping_add(1));
    let port = |tensor| OutputPort {
        tensor,
        shape: vec![K],
        transform: OutputTransform::Codes { dtype: CodeType::U8 },
    };
    let graph = Graph {
        name: "forged".into(),
        tensors: vec![tensor; 4],
        weights: vec![],
        nodes: (0..3).map(|x| Node { name: "more".into(), op: more(x) }).collect(),
        input: InputPort {
            tensor: 0,
            shape: vec![K],
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: port(3),
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: vec![port(1)],
    };
    graph.validate().unwrap();
    Model { graph, weights: vec![] }
}

/// Proves a run whose tensors `cheat` changes and whose outputs `claim` does.
fn forge(
    cheat: impl FnOnce(&mut Vec<Values>),
    claim: impl FnOnce(&mut Vec<Array>),
) -> Result<(), Rejection> {
    let (model, x) = (model(), bytes(vec![2, K]));
    let (key, graph) = (key(&model), &model.graph);
    let (values, batch) = graph.input.encode(&graph.tensors[0], &x).unwrap();
    let mut tensors = interpret::run(&model, &values, batch.size).unwrap().tensors;
    cheat(&mut tensors);
    let decode = |port: &OutputPort| {
        let (shape, values) = (&graph.tensors[port.tensor], &tensors[port.tensor]);
        port.decode(shape, values, batch).unwrap()
    };
    let mut outputs: Vec<Array> = graph.outputs().map(decode).collect();
    claim(&mut outputs);
    let trace = interpret::trace_of(&model, tensors, batch.size);
    let plan = Plan::new(graph, batch.size);
    let (size, statement) = (GroupSize::default(), (x.as_ref(), &outputs[..], batch.size));
    let proof = key.prove_plan(&plan, size, statement, trace, &mut |_| ()).unwrap();
    verify(key.commitment(), &x, &outputs, &proof.to_bytes())
}

fn is_rejected(result: Result<(), Rejection>) -> bool {
    matches!(result, Err(Rejection::Argument(_)))
}

#[test]
fn each_output_is_bound() {
    assert_eq!(forge(|_| (), |_| ()), Ok(()));
    // Any one tensor is another.
    for tensor in 1..4 {
        assert!(is_rejected(forge(|tensors| codes(&mut tensors[tensor])[3] ^= 1, |_| ())));
    }
    // What follows on another second output follows.
    let others = |tensors: &mut Vec<Values>| {
        for tensor in &mut tensors[1..] {
            codes(tensor)[3] ^= 1;
        }
    };
    assert!(is_rejected(forge(others, |_| ())));
    // The run is true, an output that is claimed is not.
    for output in 0..2 {
        let claim = |outputs: &mut Vec<Array>| {
            let ArrayData::U8(mut codes) = outputs[output].data().clone() else { panic!("codes") };
            codes[K + 1] ^= 1;
            outputs[output] = Array::new(vec![2, K], ArrayData::U8(codes)).unwrap();
        };
        assert!(is_rejected(forge(|_| (), claim)));
    }
    assert!(is_rejected(forge(|_| (), |outputs| outputs.swap(0, 1))));
}

#[test]
fn all_outputs_are_asked_for() {
    let (expected, got) = (2, 1);
    let removed = forge(|_| (), |outputs| outputs.truncate(1));
    assert_eq!(removed, Err(Rejection::OutputCount { expected, got }));
    let twice = forge(|_| (), |outputs| outputs.push(outputs[0].clone()));
    assert_eq!(twice, Err(Rejection::OutputCount { expected, got: 3 }));
    let (model, x) = (model(), bytes(vec![2, K]));
    let outputs = run_all(&model, &x).unwrap();
    let missing = key(&model).prove(&x, &outputs[0], &mut |_| ()).map(|_| ());
    assert_eq!(missing, Err(ProveError::OutputCount { expected, got }));
    let swapped = [outputs[1].clone(), outputs[0].clone()];
    let wrong = key(&model).prove(&x, &swapped, &mut |_| ()).map(|_| ());
    assert_eq!(wrong, Err(ProveError::WrongOutput));
}

#[test]
fn outputs_come_from_tensors_of_their_own() {
    let mut graph = model().graph;
    assert_eq!(Graph::from_bytes(&graph.to_bytes()), Ok(graph.clone()));
    graph.more_outputs[0].tensor = 3;
    assert_eq!(graph.validate(), Err(GraphError::OutputTwice { tensor: 3 }));
}

/// An integer 0 is the float 0, whose bits are not those of the float -0, although the two are equal.
#[test]
fn the_other_zero_is_another_output() {
    let of = |kind| TensorShape { rows_per_sample: 1, features: K, kind };
    let tensors = vec![of(TensorKind::Code), of(TensorKind::Integer { bits: 12 })];
    let term = Term { x: 0, gather: None, taps: 1, function: Function::table(|code| code - 7) };
    let sum = Op::Combine { terms: vec![term], y: 1, epilogue: Epilogue::Accumulator };
    let mut model = forged::model(vec![sum], tensors, vec![], vec![K], (1, vec![K]));
    model.graph.output.transform =
        OutputTransform::Affine { scales: vec![0.5], offsets: vec![0.0] };
    model.graph.validate().unwrap();
    let (key, graph) = (key(&model), &model.graph);
    let x = Array::new(vec![1, K], ArrayData::U8(vec![7; K])).unwrap();
    let (values, batch) = graph.input.encode(&graph.tensors[0], &x).unwrap();
    let run = interpret::run(&model, &values, batch.size).unwrap();
    let (trace, plan) =
        (interpret::trace_of(&model, run.tensors, batch.size), Plan::new(graph, batch.size));
    let claim = |zero: f32| {
        let y = Array::new(vec![1, K], ArrayData::F32(vec![zero; K])).unwrap();
        let statement = (x.as_ref(), y.as_ref(), batch.size);
        let size = GroupSize::default();
        let proof = key.prove_plan(&plan, size, statement, trace.clone(), &mut |_| ()).unwrap();
        verify(key.commitment(), &x, &y, &proof.to_bytes())
    };
    assert_eq!(claim(0.0), Ok(()));
    assert_eq!(claim(-0.0), Err(Rejection::Output(PortError::NoSuchOutput { index: 0 })));
}
