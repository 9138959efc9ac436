//! Networks with several inputs, as exporters and the runtime's own quantizer write them: run, proved, and every input bound.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{InputError, InputTransform, Model, Op, OutputTransform, PortError};
use binfer_ml_ops::{Params, ProveError, ProverKey, Rejection, run_all, verify};
use fixtures::{array, output};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/several_inputs")
}

fn model(name: &str) -> Model {
    Model::from_onnx(&std::fs::read(folder().join(format!("{name}.onnx"))).unwrap()).unwrap()
}

/// The arrays `of` of a fixture: `of`, `of1`, ...
fn arrays(name: &str, of: &str, count: usize) -> Vec<Array> {
    let archive = folder().join(format!("{name}.npz"));
    let named = |number| if number == 0 { of.to_owned() } else { format!("{of}{number}") };
    (0..count).map(|number| array(&archive, &named(number))).collect()
}

/// The first samples of a batch.
fn first(array: &Array, samples: usize) -> Array {
    let (mut shape, data) = array.clone().into_parts();
    let n = data.len() / shape[0] * samples;
    shape[0] = samples;
    let data = match data {
        ArrayData::F32(v) => ArrayData::F32(v[..n].to_vec()),
        ArrayData::U8(v) => ArrayData::U8(v[..n].to_vec()),
        ArrayData::I64(v) => ArrayData::I64(v[..n].to_vec()),
        _ => panic!("another type"),
    };
    Array::new(shape, data).unwrap()
}

/// The array with element `at` another number that its port takes.
fn changed(array: &Array, at: usize) -> Array {
    let (shape, mut data) = array.clone().into_parts();
    match &mut data {
        ArrayData::F32(v) => v[at] += if v[at] > 0.5 { -0.7 } else { 0.7 },
        ArrayData::U8(v) => v[at] ^= 1,
        ArrayData::I32(v) => v[at] ^= 1,
        ArrayData::I64(v) => v[at] ^= 1,
        _ => panic!("another type"),
    }
    Array::new(shape, data).unwrap()
}

/// Proves that a model maps inputs to outputs, and that it is rejected of others.
fn prove(model: Model, inputs: &[Array]) {
    let outputs = run_all(&model, inputs).unwrap();
    let key = ProverKey::new(model, Params::default(), &[5; 32]);
    let proof = key.prove(inputs, &outputs, &mut |_| ()).unwrap().to_bytes();
    let verify = |inputs: &[Array]| verify(key.commitment(), inputs, &outputs, &proof);
    assert_eq!(verify(inputs), Ok(()));
    for input in 0..inputs.len() {
        for at in [0, inputs[input].data().len() - 1] {
            let mut other = inputs.to_vec();
            other[input] = changed(&inputs[input], at);
            assert!(matches!(verify(&other), Err(Rejection::Argument(_))), "input {input}, {at}");
        }
    }
    let last = inputs.len() - 1;
    if last == 0 {
        return;
    }
    let mut exchanged = inputs.to_vec();
    exchanged.swap(last - 1, last);
    assert!(verify(&exchanged).is_err());
    let (expected, got) = (inputs.len(), last);
    let few = Err(Rejection::Input(InputError::Count { expected, got }));
    assert_eq!(verify(&inputs[..last]), few);
}

#[test]
fn an_image_beside_features_and_two_images_are_those_of_the_runtime() {
    for name in ["image_and_features", "siamese"] {
        let (model, inputs) = (model(name), arrays(name, "input", 2));
        assert_eq!([output(&model, &inputs)], arrays(name, "output", 1)[..], "{name}");
        prove(model, &inputs);
    }
}

/// Mean and largest difference in codes of an output.
fn differences(model: &Model, number: usize, a: &Array, b: &Array) -> (f32, f32) {
    let port = model.graph.outputs().nth(number).unwrap();
    let OutputTransform::Dequantize { scale, .. } = port.transform else { panic!("dequantized") };
    let (ArrayData::F32(a), ArrayData::F32(b)) = (a.data(), b.data()) else { panic!("floats") };
    let codes = a.iter().zip(b).map(|(a, b)| (a - b).abs() / scale);
    let (most, sum) = codes.fold((0.0f32, 0.0), |(most, sum), d| (most.max(d), sum + d));
    (sum / a.len() as f32, most)
}

/// Two layers of width 32 with four heads over 16 tokens of a vocabulary of 50, some of which are masked.
#[test]
fn berts_are_near_the_runtime() {
    for (name, outputs) in [("bert", 2), ("bert_spelled", 1)] {
        let (model, inputs) = (model(name), arrays(name, "input", 3));
        assert_eq!(model.graph.input_names, ["input_ids", "attention_mask", "token_type_ids"]);
        let transforms: Vec<_> = model.graph.inputs().map(|port| port.transform.clone()).collect();
        let expected = [
            InputTransform::OneHot { vocabulary: 50 },
            InputTransform::Numbers { count: 2 },
            InputTransform::OneHot { vocabulary: 2 },
        ];
        assert_eq!(transforms, expected);
        let of_max = model.graph.nodes.iter().filter(|n| matches!(n.op, Op::Max { .. })).count();
        assert_eq!(of_max, 2);
        let ours = run_all(&model, &inputs).unwrap();
        let theirs = arrays(name, "output", outputs);
        let floats = arrays(name, "floats", outputs);
        for (number, ours) in ours.iter().enumerate() {
            let (mean, most) = differences(&model, number, ours, &theirs[number]);
            let of_ours = differences(&model, number, ours, &floats[number]).0;
            let of_theirs = differences(&model, number, &theirs[number], &floats[number]).0;
            assert!(mean < 2.5 && most < 18.5, "{name}: {mean} {most}");
            // As far from the network before it was quantized as the runtime's floats are.
            assert!(of_ours < 1.05 * of_theirs, "{name}: {of_ours} {of_theirs}");
        }
    }
}

#[test]
fn berts_are_proved() {
    for name in ["bert", "bert_spelled"] {
        let inputs: Vec<Array> = arrays(name, "input", 3).iter().map(|x| first(x, 2)).collect();
        prove(model(name), &inputs);
    }
}

/// Positions that are counted of ids that are no padding, or of the mask: a layer of width 16 with two heads over 16 tokens.
#[test]
fn positions_are_counted() {
    for name in ["roberta", "roberta_mask"] {
        let (model, inputs) = (model(name), arrays(name, "input", 2));
        let (theirs, floats) = (arrays(name, "output", 2), arrays(name, "floats", 2));
        let ours = run_all(&model, &inputs).unwrap();
        for (number, ours) in ours.iter().enumerate() {
            let (mean, most) = differences(&model, number, ours, &theirs[number]);
            let of_ours = differences(&model, number, ours, &floats[number]).0;
            let of_theirs = differences(&model, number, &theirs[number], &floats[number]).0;
            assert!(mean < 1.5 && most < 10.5, "{name}: {mean} {most}");
            // Of logits there are 24.
            let most = if number == 0 { 1.1 } else { 2.0 };
            assert!(of_ours < most * of_theirs, "{name}: {of_ours} {of_theirs}");
        }
        // The table has a row for each position, exactly.
        let rows = model.graph.nodes.iter().position(|node| node.name.ends_with("/one_hot"));
        let Op::Combine { y, .. } = model.graph.nodes[rows.unwrap()].op else { panic!("rows") };
        let (values, batch) = model.graph.encode(&inputs).unwrap();
        let trace = binfer_ml_ops::interpret::run(&model, &values, batch.size).unwrap();
        let binfer_ml_ops::graph::Values::Codes(codes) = &trace.tensors[y] else { panic!("codes") };
        let ArrayData::I64(ids) = inputs[0].data() else { panic!("ids") };
        let positions: Vec<usize> = ids
            .chunks(16)
            .flat_map(|ids| {
                ids.iter().scan(0, |count, &id| {
                    *count += usize::from(id != 1);
                    Some(if id == 1 { 1 } else { *count + 1 })
                })
            })
            .collect();
        // Of each of the table's 24 rows, all tokens.
        for (row, codes) in codes.chunks(positions.len()).enumerate() {
            let expected = positions.iter().map(|position| u8::from(*position == row));
            assert!(codes.iter().copied().eq(expected), "{name}: {row}");
        }
        let inputs: Vec<Array> = inputs.iter().map(|x| first(x, 2)).collect();
        prove(model, &inputs);
    }
}

/// The mean over the tokens that there are, whose floats are brought to size 1 behind the last integers.
#[test]
fn sentences_are_means_of_their_tokens() {
    for name in ["sentence", "sentence_rounded"] {
        let bytes = std::fs::read(folder().join(format!("{name}.onnx"))).unwrap();
        let (model, tail) = Model::from_onnx_without_tail(&bytes, &mut |_| None).unwrap();
        let left_out: Vec<String> = tail.unwrap().nodes.into_iter().map(|(_, of)| of).collect();
        assert!(["Tanh", "ReduceL2", "Div"].iter().all(|of| left_out.contains(&of.to_string())));
        let inputs = arrays(name, "input", 3);
        let ours = run_all(&model, &inputs).unwrap();
        let cosine = |of: &Array| {
            let ArrayData::F32(ours) = ours[0].data() else { panic!("floats") };
            let ours: Vec<f32> = ours.iter().map(|x| x.tanh()).collect();
            let ArrayData::F32(of) = of.data() else { panic!("floats") };
            let cosines = ours.chunks(16).zip(of.chunks(16)).map(|(a, b)| {
                let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
                dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
            });
            cosines.fold(1.0, f32::min)
        };
        let [theirs, floats] = ["output", "floats"].map(|of| cosine(&arrays(name, of, 1)[0]));
        assert!(theirs > 0.999 && floats > 0.998, "{name}: {theirs} {floats}");
        // What is masked makes no difference.
        let mut other = inputs.clone();
        let (shape, data) = inputs[0].clone().into_parts();
        let (ArrayData::I64(mut ids), ArrayData::I64(mask)) = (data, inputs[1].data()) else {
            panic!("ids and a mask")
        };
        let dropped = ids.iter_mut().zip(mask).filter(|(_, kept)| **kept == 0);
        dropped.for_each(|(id, _)| *id = (*id + 17) % 50);
        other[0] = Array::new(shape, ArrayData::I64(ids)).unwrap();
        assert_eq!(run_all(&model, &other).unwrap(), ours);
        let inputs: Vec<Array> = inputs.iter().map(|x| first(x, 2)).collect();
        prove(model, &inputs);
    }
}

/// Rotated queries and keys, normalizations without a mean in their parts, a causal mask, a gate.
#[test]
fn a_decoder_is_near_the_runtime() {
    let (model, inputs) = (model("decoder"), arrays("decoder", "input", 1));
    let (theirs, floats) = (arrays("decoder", "output", 1), arrays("decoder", "floats", 1));
    let ours = run_all(&model, &inputs).unwrap();
    let (mean, most) = differences(&model, 0, &ours[0], &theirs[0]);
    let of_ours = differences(&model, 0, &ours[0], &floats[0]).0;
    let of_theirs = differences(&model, 0, &theirs[0], &floats[0]).0;
    assert!(mean < 1.5 && most < 10.5, "{mean} {most}");
    assert!(of_ours < 1.1 * of_theirs, "{of_ours} {of_theirs}");
    prove(model, &[first(&inputs[0], 2)]);
}

/// What is masked makes no difference, and what is not does.
#[test]
fn tokens_that_are_masked_are_left_out() {
    let (model, mut inputs) = (model("bert_spelled"), arrays("bert_spelled", "input", 3));
    let before = run_all(&model, &inputs).unwrap();
    let ArrayData::I64(mask) = inputs[1].data().clone() else { panic!("a mask") };
    let change = |inputs: &mut [Array], of: i64| {
        let (shape, data) = inputs[0].clone().into_parts();
        let ArrayData::I64(mut ids) = data else { panic!("ids") };
        let others = ids.iter_mut().zip(&mask).filter(|(_, kept)| **kept == of);
        others.for_each(|(id, _)| *id = (*id + 17) % 50);
        inputs[0] = Array::new(shape, ArrayData::I64(ids)).unwrap();
    };
    assert!(mask.iter().filter(|kept| **kept == 0).count() > 50);
    change(&mut inputs, 0);
    assert_eq!(run_all(&model, &inputs).unwrap(), before);
    change(&mut inputs, 1);
    assert_ne!(run_all(&model, &inputs).unwrap(), before);
}

#[test]
fn arrays_that_do_not_fit_are_named_by_their_numbers() {
    let (model, inputs) = (model("bert_spelled"), arrays("bert_spelled", "input", 3));
    let refused = |inputs: &[Array]| match run_all(&model, inputs) {
        Err(ProveError::Input(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&inputs[..2]), InputError::Count { expected: 3, got: 2 });
    let with = |number: usize, array: Array| {
        let mut inputs = inputs.clone();
        inputs[number] = array;
        refused(&inputs)
    };
    // A mask of something else than zeros and ones; a type that is none; another batch; another shape.
    let (got, vocabulary) = (2, 2);
    let twos = Array::new(vec![32, 16], ArrayData::I64(vec![2; 512])).unwrap();
    let error = PortError::Vocabulary { index: 0, got, vocabulary };
    assert_eq!(with(1, twos), InputError::Port { input: 1, error });
    let floats = Array::new(vec![32, 16], ArrayData::F32(vec![0.0; 512])).unwrap();
    let found = with(2, floats);
    let InputError::Port { input: 2, error: PortError::ElementType { .. } } = found else {
        panic!("{found}");
    };
    let error = PortError::Batch { expected: 32, got: 3 };
    assert_eq!(with(2, first(&inputs[2], 3)), InputError::Port { input: 2, error });
    let long = Array::new(vec![32, 17], ArrayData::I64(vec![0; 544])).unwrap();
    let found = with(0, long);
    let InputError::Port { input: 0, error: PortError::Shape { .. } } = found else {
        panic!("{found}");
    };
}

/// The codes of a Softmax.
fn codes(array: &Array) -> Vec<i32> {
    match array.data() {
        ArrayData::U8(codes) => codes.iter().map(|&code| code.into()).collect(),
        _ => panic!("codes"),
    }
}

#[test]
fn masks_are_spelled_in_several_ways() {
    for name in [
        "mask_added",
        "mask_of_integers",
        "mask_filled",
        "mask_where_none",
        "mask_where",
        "mask_of_flags",
        "mask_and",
        "mask_and_all",
        "mask_and_both",
        "mask_added_twice",
        "mask_added_before",
    ] {
        let (model, inputs) = (model(name), arrays(name, "input", 2));
        let ours = run_all(&model, &inputs).unwrap();
        let [ours, theirs] = [&ours, &arrays(name, "output", 1)].map(|arrays| codes(&arrays[0]));
        let sizes = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
        let (most, sum) = sizes.fold((0, 0), |(most, sum), size| (most.max(size), sum + size));
        assert!(most <= 1 && sum * 10 <= ours.len() as i32, "{name}: {most} {sum}");
        prove(model, &inputs);
    }
}

/// In a sample of which everything is left out, nothing has a share.
#[test]
fn a_sample_may_be_left_out_altogether() {
    let (model, mut inputs) = (model("mask_added"), arrays("mask_added", "input", 2));
    inputs[1] = Array::new(vec![6, 6], ArrayData::I64(vec![0; 36])).unwrap();
    let y = run_all(&model, &inputs).unwrap();
    assert!(codes(&y[0]).iter().all(|&code| code == 0));
    prove(model, &inputs);
}
