//! Networks of several inputs: each is bound to the tensor that it becomes.

use super::forged::{bytes, codes, key};
use crate::argument::{GroupSize, Plan};
use crate::array::{Array, ArrayData};
use crate::graph::{
    CodeType, Epilogue, Function, Graph, GraphError, InputError, InputPort, InputTransform, Model,
    Node, Op, OutputPort, OutputTransform, PortError, TensorKind, TensorShape, Term, Values,
};
use crate::interpret::RunError;
use crate::{ProveError, Rejection, interpret, run, verify};

const K: usize = 6;

/// Twice the first input and the second, which do not matter to each other, and a third that nothing reads.
fn model() -> Model {
    let tensor = TensorShape { rows_per_sample: 1, features: K, kind: TensorKind::Code };
    let sum = TensorShape { kind: TensorKind::Integer { bits: 11 }, ..tensor };
    let term = |x, factor| {
        let function = Function::table(|code| factor * code);
        Term { x, gather: None, taps: 1, function }
    };
    let terms = vec![term(0, 2), term(1, 1)];
    let port = |tensor| InputPort {
        tensor,
        shape: vec![K],
        transform: InputTransform::Codes { dtype: CodeType::U8 },
    };
    let graph = Graph {
        name: "forged".into(),
        tensors: vec![tensor, tensor, tensor, sum],
        weights: vec![],
        nodes: vec![Node {
            name: "sum".into(),
            op: Op::Combine { terms, y: 3, epilogue: Epilogue::Accumulator },
        }],
        input: port(0),
        more_inputs: vec![port(1), port(2)],
        input_names: ["a", "b", "c"].map(String::from).to_vec(),
        output: OutputPort {
            tensor: 3,
            shape: vec![K],
            transform: OutputTransform::Integer { dtype: crate::graph::IntegerType::I32 },
        },
        more_outputs: vec![],
    };
    graph.validate().unwrap();
    Model { graph, weights: vec![] }
}

/// Three inputs that differ.
fn inputs() -> Vec<Array> {
    let shifted = |by: u8| {
        let ArrayData::U8(codes) = bytes(vec![2, K]).into_parts().1 else { panic!("codes") };
        let codes = codes.iter().map(|code| code.wrapping_add(by)).collect();
        Array::new(vec![2, K], ArrayData::U8(codes)).unwrap()
    };
    [0, 50, 101].map(shifted).to_vec()
}

/// Proves a run on `run`, whose tensors `cheat` changes, as one on `claimed`, and verifies it as one on `shown`.
fn forge(
    run: &[Array],
    cheat: impl FnOnce(&mut Vec<Values>),
    claimed: &[Array],
    shown: &[Array],
) -> Result<(), Rejection> {
    let model = model();
    let (key, graph) = (key(&model), &model.graph);
    let (values, batch) = graph.encode(run).unwrap();
    let mut tensors = interpret::run(&model, &values, batch.size).unwrap().tensors;
    cheat(&mut tensors);
    let y = graph.output.decode(&graph.tensors[3], &tensors[3], batch).unwrap();
    let trace = interpret::trace_of(&model, tensors, batch.size);
    let plan = Plan::new(graph, batch.size);
    let (size, statement) = (GroupSize::default(), (claimed, y.as_ref(), batch.size));
    let proof = key.prove_plan(&plan, size, statement, trace, &mut |_| ()).unwrap();
    verify(key.commitment(), shown, &y, &proof.to_bytes())
}

fn is_rejected(result: Result<(), Rejection>) -> bool {
    matches!(result, Err(Rejection::Argument(_)))
}

/// The inputs, of which element `at` of one is another.
fn changed(number: usize, at: usize) -> Vec<Array> {
    let mut others = inputs();
    let ArrayData::U8(mut codes) = others[number].data().clone() else { panic!("codes") };
    codes[at] ^= 1;
    others[number] = Array::new(vec![2, K], ArrayData::U8(codes)).unwrap();
    others
}

#[test]
fn each_input_is_bound() {
    let x = inputs();
    assert_eq!(forge(&x, |_| (), &x, &x), Ok(()));
    for (number, at) in [(0, 0), (0, 2 * K - 1), (1, 3), (2, 7)] {
        let other = changed(number, at);
        // The proof of one run shown as that of another, whatever the transcript began with.
        assert!(is_rejected(forge(&x, |_| (), &x, &other)), "{number}");
        let honest = number == 2;
        assert_eq!(forge(&x, |_| (), &other, &other).is_ok(), honest, "{number}");
    }
    // The run is of other codes than the input says.
    for tensor in 0..2 {
        assert!(is_rejected(forge(&x, |tensors| codes(&mut tensors[tensor])[3] ^= 1, &x, &x)));
    }
}

#[test]
fn inputs_are_in_their_order() {
    let x = inputs();
    let exchanged = [x[1].clone(), x[0].clone(), x[2].clone()];
    assert!(is_rejected(forge(&x, |_| (), &x, &exchanged)));
    assert!(is_rejected(forge(&x, |_| (), &exchanged, &exchanged)));
    let later = [x[0].clone(), x[2].clone(), x[1].clone()];
    assert!(is_rejected(forge(&x, |_| (), &later, &later)));
}

#[test]
fn all_inputs_are_asked_for() {
    let (x, expected) = (inputs(), 3);
    let count = |got| InputError::Count { expected, got };
    assert_eq!(forge(&x, |_| (), &x, &x[..2]), Err(Rejection::Input(count(2))));
    assert_eq!(run(&model(), &x[0]), Err(ProveError::Input(count(1))));
    let four = [x.clone(), x[..1].to_vec()].concat();
    let y = run(&model(), &x).unwrap();
    let missing = key(&model()).prove(&four, &y, &mut |_| ()).map(|_| ());
    assert_eq!(missing, Err(ProveError::Input(count(4))));
    let (values, _) = model().graph.encode(&x).unwrap();
    let (expected, got) = (3, 2);
    let few = interpret::run(&model(), &values[..2], 2).map(|_| ());
    assert_eq!(few, Err(RunError::InputCount { expected, got }));
    let mut short = values;
    short[1] = Values::Codes(vec![0; K]);
    let short = interpret::run(&model(), &short, 2).map(|_| ());
    assert_eq!(short, Err(RunError::Input { input: 1, expected: 2 * K, got: K }));
}

#[test]
fn all_hold_one_batch() {
    let mut x = inputs();
    let one = |shape: Vec<usize>| Array::new(shape, ArrayData::U8(vec![7; K])).unwrap();
    x[2] = one(vec![1, K]);
    let error = PortError::Batch { expected: 2, got: 1 };
    assert_eq!(run(&model(), &x), Err(ProveError::Input(InputError::Port { input: 2, error })));
    // One is a stack of samples, the first is not.
    let x = [one(vec![1, K]), one(vec![1, 1, K]), one(vec![1, K])];
    let error = PortError::Batch { expected: 1, got: 1 };
    assert_eq!(run(&model(), &x), Err(ProveError::Input(InputError::Port { input: 1, error })));
}

#[test]
fn graphs_of_several_inputs_are_valid_and_have_one_encoding() {
    let error = |change: fn(&mut Graph)| {
        let mut graph = model().graph;
        change(&mut graph);
        graph.validate()
    };
    let round_trip = |change: fn(&mut Graph)| {
        let mut graph = model().graph;
        change(&mut graph);
        assert_eq!(Graph::from_bytes(&graph.to_bytes()), Ok(graph));
    };
    round_trip(|_| ());
    round_trip(|g| g.input_names.clear());
    round_trip(|g| {
        g.more_inputs[0].transform = InputTransform::Numbers { count: 2 };
        g.nodes.push(Node { name: String::new(), op: Op::map(0, 4, |code| code) });
        g.tensors.push(g.tensors[0]);
        g.more_outputs = vec![OutputPort {
            tensor: 4,
            shape: vec![K],
            transform: OutputTransform::Codes { dtype: CodeType::U8 },
        }];
    });
    assert_eq!(error(|g| g.more_inputs[1].tensor = 0), Err(GraphError::InputTwice { tensor: 0 }));
    let written = error(|g| g.more_inputs[1].tensor = 3);
    assert_eq!(written, Err(GraphError::PortShape { tensor: 3 }));
    let names = |names| Err(GraphError::InputNames { inputs: 3, names });
    assert_eq!(error(|g| g.input_names.truncate(2)), names(2));
    assert_eq!(error(|g| g.input_names[2] = "a".into()), names(3));
    assert_eq!(error(|g| g.input_names[2].clear()), names(3));
    let long = error(|g| g.input_names[0] = "n".repeat(1025));
    assert_eq!(long, Err(GraphError::Name { bytes: 1025 }));
    // Of one input there is another format, without names.
    let one = error(|g| {
        g.more_inputs.clear();
        g.input_names.truncate(1);
    });
    assert_eq!(one, Err(GraphError::InputNames { inputs: 1, names: 1 }));
    for count in [0, 257] {
        let mut graph = model().graph;
        graph.more_inputs[0].transform = InputTransform::Numbers { count };
        assert_eq!(graph.validate(), Err(GraphError::PortScale { tensor: 1 }));
    }
}
