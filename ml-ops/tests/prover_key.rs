//! Keys from files prove what keys in memory prove, and a cap on memory chooses the groups.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use core::ops::Range;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{
    CodeType, Epilogue, Graph, InputPort, InputTransform, Model, Node, Op, OutputPort,
    OutputTransform, Requantize, RoundingProfile, Step, TensorKind, TensorShape, WeightMatrix,
    WeightShape,
};
use binfer_ml_ops::{
    GroupSize, ModelCommitment, OpenError, Params, ProveError, ProverKey, run, verify,
};
use binfer_pcs::store::StoreError;

const WIDTH: usize = 64;
const LAYERS: usize = 4;
const SALT: [u8; 32] = [3; 32];

/// Square layers, requantized to codes; another seed gives other weights.
fn model(seed: usize) -> Model {
    let matrix = |layer| {
        let codes: Vec<u8> =
            (0..WIDTH * WIDTH).map(|i| (i * i * 31 + i * layer + i * 7 + seed) as u8).collect();
        WeightMatrix::from_codes(WIDTH, WIDTH, &codes, &[-128], &[])
    };
    of_layers("square layers", WIDTH, (0..LAYERS).map(matrix))
}

/// Layers whose outputs are requantized to codes, of these weights, the first of so many features.
fn of_layers(
    name: &str,
    features: usize,
    matrices: impl Iterator<Item = (WeightShape, WeightMatrix)>,
) -> Model {
    let tensor = |features| TensorShape { rows_per_sample: 1, features, kind: TensorKind::Code };
    let step = Step {
        scale: 0.001,
        zero_point: 0,
        qmin: -128,
        qmax: 127,
        type_min: -128,
        profile: RoundingProfile::OrtF32Rne,
    };
    let (shapes, weights): (Vec<_>, Vec<_>) = matrices.unzip();
    let node = |layer: usize| {
        let epilogue = Epilogue::Requantize(Requantize { steps: vec![step] });
        let op = Op::MatMul {
            x: layer,
            gather: None,
            zero_code: 128,
            weights: layer,
            groups: 1,
            y: layer + 1,
            epilogue,
        };
        Node { name: format!("layer {layer}"), op }
    };
    let last = shapes.last().map_or(features, |shape| shape.n);
    let outputs = shapes.iter().map(|shape| tensor(shape.n));
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: name.into(),
        tensors: core::iter::once(tensor(features)).chain(outputs).collect(),
        nodes: (0..shapes.len()).map(node).collect(),
        input: InputPort {
            tensor: 0,
            shape: vec![features],
            transform: InputTransform::Codes { dtype: CodeType::I8 },
        },
        output: OutputPort {
            tensor: shapes.len(),
            shape: vec![last],
            transform: OutputTransform::Codes { dtype: CodeType::I8 },
        },
        weights: shapes,
    };
    graph.validate().unwrap();
    Model { graph, weights }
}

fn statement(model: &Model, batch: usize) -> (Array, Array) {
    let data = (0..batch * WIDTH).map(|i| (i * 53 + 11) as i8).collect();
    let x = Array::new(vec![batch, WIDTH], ArrayData::I8(data)).unwrap();
    let y = run(model, &x).unwrap();
    (x, y)
}

fn stored(model: &Model) -> (ModelCommitment, File) {
    let file = tempfile::tempfile().unwrap();
    let commitment = ProverKey::create(model, Params::default(), &SALT, &file).unwrap();
    (commitment, file)
}

#[test]
fn stored_keys_prove_what_others_do() {
    let (commitment, file) = stored(&model(0));
    let reference = ProverKey::new(model(0), Params::default(), &SALT);
    assert_eq!(commitment, *reference.commitment());
    let key = ProverKey::open(commitment, None, &file).unwrap();
    assert_eq!(*key.model(), model(0));
    let (x, y) = statement(key.model(), 3);
    let expected = reference.prove(&x, &y, &mut |_| ()).unwrap();
    let mut phases = Vec::new();
    assert_eq!(key.prove(&x, &y, &mut |phase| phases.push(phase)), Ok(expected));
    assert_eq!(phases.last(), Some(&"verify"));
}

#[test]
fn weights_of_all_shapes_are_read_back() {
    // By their number of distinct weights.
    let sides = [1, 130, 5, 64, 3, 200, 24, 7];
    for distinct in [2, 3, 6, 16, 256] {
        let matrix = |(i, side): (usize, &[usize])| {
            let (k, n) = (side[0], side[1]);
            let codes: Vec<u8> =
                (0..k * n).map(|j| ((j * j + 7 * j + i) % distinct) as u8).collect();
            let bias: Vec<i64> = (0..n as i64).map(|j| ((j - 3) * 1_000_003) << i).collect();
            WeightMatrix::from_codes(k, n, &codes, &[-1], if i % 2 == 0 { &bias } else { &[] })
        };
        let model = of_layers("odd layers", 1, sides.windows(2).enumerate().map(matrix));
        let (commitment, file) = stored(&model);
        assert_eq!(*ProverKey::open(commitment, None, &file).unwrap().model(), model);
    }
}

#[test]
fn keys_of_other_models_are_refused() {
    let (commitment, file) = stored(&model(0));
    let (other, _) = stored(&model(1));
    let open = |commitment: &ModelCommitment, weights| {
        ProverKey::open(commitment.clone(), weights, &file).err()
    };
    for weights in [None, Some(model(1).weights)] {
        let error = open(&other, weights);
        assert!(matches!(error, Some(OpenError::Store(StoreError::OtherOracle))));
    }
    assert!(matches!(open(&commitment, Some(model(1).weights)), Some(OpenError::Weights)));
    assert!(open(&commitment, Some(model(0).weights)).is_none());
}

#[test]
fn a_damaged_oracle_gives_no_proof() {
    let (commitment, mut file) = stored(&model(0));
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    let (x, y) = statement(&model(0), 1);
    // At rate 1/2 the words end before half of the file.
    let (codeword, end) = (bytes.len() / 2, bytes.len() - 32);
    let damaged = |part: Range<usize>, weights| {
        let mut damaged = bytes.clone();
        damaged[part].iter_mut().for_each(|byte| *byte ^= 0x55);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&damaged).unwrap();
        ProverKey::open(commitment.clone(), weights, &file)
    };
    assert!(matches!(damaged(4096..5000, None), Err(OpenError::Weights)));
    let given = || Some(model(0).weights);
    for (part, weights) in [(4096..5000, given()), (4096..end, given()), (codeword..end, None)] {
        let key = damaged(part, weights).unwrap();
        assert!(matches!(key.prove(&x, &y, &mut |_| ()), Err(ProveError::Damaged(_))));
    }
}

#[test]
fn a_cap_on_memory_chooses_the_groups() {
    let batch = 2;
    let mut key = ProverKey::new(model(0), Params::default(), &SALT);
    let (x, y) = statement(key.model(), batch);
    let bound = |key: &mut ProverKey, log_leaves| {
        key.set_group_size(GroupSize::new(log_leaves).unwrap());
        key.memory_bound(batch)
    };
    // All layers in one group, two, one each.
    let all = GroupSize::default().log_leaves();
    let sizes = [all, 14, 0].map(|log_leaves| bound(&mut key, log_leaves));
    assert!(sizes.is_sorted_by(|a, b| a > b), "{sizes:?}");
    let [largest, middle, least] = sizes;

    // What a run takes is less, as its outputs do not saturate as far as any can.
    key.set_group_size(GroupSize::default());
    for (cap, at_least) in [(None, all), (Some(largest), all), (Some(middle), 14), (Some(least), 0)]
    {
        key.set_max_memory(cap);
        let proof = key.prove(&x, &y, &mut |_| ()).unwrap();
        assert_eq!(verify(key.commitment(), &x, &y, &proof.to_bytes()), Ok(()));
        assert!(proof.group_size() >= GroupSize::new(at_least).unwrap());
    }
    key.set_max_memory(Some(1));
    let Err(ProveError::Memory { needed, given: 1 }) = key.prove(&x, &y, &mut |_| ()) else {
        panic!("no proof takes a byte")
    };
    assert!(needed <= least);
    key.set_max_memory(Some(needed));
    let proof = key.prove(&x, &y, &mut |_| ()).unwrap();
    assert!(proof.group_size() < GroupSize::new(14).unwrap());
    let given = needed - 1;
    key.set_max_memory(Some(given));
    assert_eq!(key.prove(&x, &y, &mut |_| ()), Err(ProveError::Memory { needed, given }));

    // Before a model is read, what no input could be proved with is refused, with what suffices for all.
    let commitment = key.commitment();
    assert_eq!(commitment.check_memory(batch, needed), Ok(()));
    let refused = ProveError::Memory { needed: least, given: 1 };
    assert_eq!(commitment.check_memory(batch, 1), Err(refused));
}
