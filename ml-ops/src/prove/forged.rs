//! What the tests of forgeries share: a prover that cheats on what it proves, message for message honest otherwise.

use crate::argument::{self, Declared, Entries, GroupSize, Plan, Requantized};
use crate::array::{Array, ArrayData};
use crate::graph::{
    CodeType, Edges, Epilogue, GatherDim, Graph, InputPort, InputTransform, IntegerType, Model,
    Node, Op, OutputPort, OutputTransform, TensorId, TensorKind, TensorShape, Values, WeightMatrix,
    WeightShape,
};
use crate::{ProverKey, Rejection, interpret, verify};
use binfer_iop::channel::VerifyError;
use binfer_pcs::Params;

pub(super) fn dim(size: usize, axis: usize, step: i64) -> GatherDim {
    GatherDim { size, axis: Some(axis), step }
}

/// Steps between codes that are `width` wide.
pub(super) fn edges(width: i64) -> Epilogue {
    Epilogue::Edges(vec![Edges { first: 3, edges: (-120..120).map(|e| e * width).collect() }])
}

/// Bytes whatever their values, in an array of this shape.
pub(super) fn bytes(shape: Vec<usize>) -> Array {
    let data = (0..shape.iter().product()).map(|i: usize| (i * i * 89 + i * 7) as u8).collect();
    Array::new(shape, ArrayData::U8(data)).unwrap()
}

/// The model of these operations on these tensors, with its weights. Its input are bytes, of tensor 0, and its output what tensor
/// `output` holds, in these shapes.
pub(super) fn model(
    ops: Vec<Op>,
    tensors: Vec<TensorShape>,
    weights: Vec<(WeightShape, WeightMatrix)>,
    input: Vec<usize>,
    (output, shape): (TensorId, Vec<usize>),
) -> Model {
    let (shapes, matrices) = weights.into_iter().unzip();
    let transform = match tensors[output].kind {
        TensorKind::Code => OutputTransform::Codes { dtype: CodeType::U8 },
        TensorKind::Integer { .. } => OutputTransform::Integer { dtype: IntegerType::I64 },
    };
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "forged".into(),
        weights: shapes,
        nodes: ops.into_iter().map(|op| Node { name: "node".into(), op }).collect(),
        input: InputPort {
            tensor: 0,
            shape: input,
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: OutputPort { tensor: output, shape, transform },
        tensors,
    };
    graph.validate().unwrap();
    Model { graph, weights: matrices }
}

pub(super) fn key(model: &Model) -> ProverKey {
    ProverKey::new(model.clone(), Params::default(), &[9; 32])
}

/// Proves under `key` that `x` has the outputs that `source` computes of `run`, once `cheat` has changed its tensors
/// and, with the plan at hand, `change` the entries of matrices.
pub(super) fn forge(
    key: &ProverKey,
    source: &Model,
    (x, run): (&Array, &Array),
    cheat: impl FnOnce(&mut Vec<Values>),
    change: impl FnOnce(&Plan, &mut Vec<Entries<'_>>),
) -> Result<(), Rejection> {
    // The plan of what the cheat runs, which need not be the verifier's.
    let declared = Requantized::new(&source.graph).largest();
    forge_declared(key, source, (x, run), declared, cheat, change)
}

/// [`forge`] with these reaches.
pub(super) fn forge_declared(
    key: &ProverKey,
    source: &Model,
    (x, run): (&Array, &Array),
    declared: Declared,
    cheat: impl FnOnce(&mut Vec<Values>),
    change: impl FnOnce(&Plan, &mut Vec<Entries<'_>>),
) -> Result<(), Rejection> {
    let graph = &source.graph;
    let (values, batch) = graph.input.encode(&graph.tensors[0], run).unwrap();
    let mut tensors = interpret::run(source, &values, batch.size).unwrap().tensors;
    cheat(&mut tensors);
    let out = graph.output.tensor;
    let y = graph.output.decode(&graph.tensors[out], &tensors[out], batch).unwrap();
    let trace = interpret::trace_of(source, tensors, batch.size);
    let plan = Plan::declared(graph, batch.size, declared);
    let mut entries =
        argument::entries(source, &plan, &trace.tensors, &trace.accumulators).unwrap();
    change(&plan, &mut entries);
    let held = (&trace.tensors[..], &entries[..]);
    let (size, statement) = (GroupSize::default(), (x.as_ref(), y.as_ref(), batch.size));
    let proof = key.prove_entries(&plan, size, statement, held, &mut |_| ()).unwrap();
    verify(key.commitment(), x, &y, &proof.to_bytes())
}

pub(super) fn codes(values: &mut Values) -> &mut Vec<u8> {
    match values {
        Values::Codes(codes) => codes,
        Values::Integers(_) => panic!("codes"),
    }
}

pub(super) fn integers(values: &mut Values) -> &mut Vec<i64> {
    match values {
        Values::Integers(integers) => integers,
        Values::Codes(_) => panic!("integers"),
    }
}

/// The check that fails.
pub(super) fn rejected(result: Result<(), Rejection>) -> &'static str {
    match result {
        Err(Rejection::Argument(VerifyError::CheckFailed { label })) => label,
        other => panic!("{other:?}"),
    }
}
