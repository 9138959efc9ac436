//! Provers that cheat on codes of requantized outputs: at thresholds, beyond them, and on how far beyond they say they are.

use super::forged::{codes, forge_declared, key, rejected};
use crate::argument::{Entries, Outputs, Plan, ReachError, Requantized, Source, saying};
use crate::array::{Array, ArrayData};
use crate::graph::{
    CodeType, Epilogue, Function, Graph, InputPort, InputTransform, Model, Node, Op, OutputPort,
    OutputTransform, Requantize, RoundingProfile, Step, TensorKind, TensorShape, Term,
};
use crate::proof::Proof;
use crate::{ProverKey, Rejection, verify};

/// Outputs of a sample.
const COLUMNS: usize = 5;

/// Accumulators that are the input's codes less 128, requantized with these scales.
fn model(scales: &[f32]) -> Model {
    let step = |&scale: &f32| Step {
        scale,
        zero_point: 3,
        qmin: -10,
        qmax: 12,
        type_min: -128,
        profile: RoundingProfile::OrtF32Rne,
    };
    let epilogue = Epilogue::Requantize(Requantize { steps: scales.iter().map(step).collect() });
    let function = Function::table(|code| code - 128);
    let terms = vec![Term { x: 0, gather: None, taps: 1, function }];
    let tensor = || TensorShape { rows_per_sample: 1, features: COLUMNS, kind: TensorKind::Code };
    let graph = Graph {
        more_inputs: Vec::new(),
        input_names: Vec::new(),
        more_outputs: Vec::new(),
        name: "forged".into(),
        tensors: vec![tensor(), tensor()],
        weights: Vec::new(),
        nodes: vec![Node { name: "step".into(), op: Op::Combine { terms, y: 1, epilogue } }],
        input: InputPort {
            tensor: 0,
            shape: vec![COLUMNS],
            transform: InputTransform::Codes { dtype: CodeType::U8 },
        },
        output: OutputPort {
            tensor: 1,
            shape: vec![COLUMNS],
            transform: OutputTransform::Codes { dtype: CodeType::I8 },
        },
    };
    graph.validate().unwrap();
    Model { graph, weights: Vec::new() }
}

/// One step for all columns, and one for each.
fn models() -> [Model; 2] {
    [model(&[0.23]), model(&[0.23, 0.31, 0.11, 0.9, 0.23])]
}

/// Samples with this accumulator in a column, others everywhere else.
fn input(acc: i64, column: usize) -> Array {
    let mut codes: Vec<u8> = (0..3 * COLUMNS).map(|i| (i * 37 + 60) as u8).collect();
    codes[COLUMNS + column] = (acc + 128) as u8;
    Array::new(vec![3, COLUMNS], ArrayData::U8(codes)).unwrap()
}

/// Claims `code` for `acc` in a column of the second sample, with a distance that `choose` makes of all those that say `acc`
/// and the one that fits the code.
fn claim(
    key: &ProverKey,
    (acc, code, column): (i64, u8, usize),
    choose: impl Fn(&[u128], u128) -> Option<u128>,
) -> Option<Result<(), Rejection>> {
    let (model, x) = (key.model().clone(), input(acc, column));
    let plan = Plan::new(&model.graph, 3);
    let Outputs::Codes { thresholds } = &plan.sums[0].output.outputs else { panic!("codes") };
    let all = saying(thresholds, acc, code, column);
    let chosen = choose(&all, thresholds.distances(column).of(acc, code))?;
    let at = column * 3 + 1;
    let change = |plan: &Plan, entries: &mut Vec<Entries<'_>>| {
        let is_distance = |source| source == Source::Distances(0);
        let matrix = plan.matrices.iter().position(|m| is_distance(m.source)).unwrap();
        let Entries::Short(words) = &mut entries[matrix] else { panic!("words") };
        words[at] = chosen as u32;
    };
    let declared = Requantized::new(&model.graph).largest();
    let cheat = |tensors: &mut Vec<_>| codes(&mut tensors[1])[at] = code;
    Some(forge_declared(key, &model, (&x, &x), declared, cheat, change))
}

/// The last accumulator of each code of a column, and the code.
fn thresholds(model: &Model, column: usize) -> Vec<(i64, u8)> {
    let Some(epilogue) = model.graph.nodes[0].op.epilogue() else { panic!("an epilogue") };
    let code = |acc| epilogue.code(column, acc).unwrap();
    (-128..127).filter(|&acc| code(acc) != code(acc + 1)).map(|acc| (acc, code(acc))).collect()
}

#[test]
fn true_codes_are_accepted_with_every_distance_that_fits() {
    for model in models() {
        let key = key(&model);
        for column in [0, 3] {
            let thresholds = thresholds(&model, column);
            for (acc, code) in [thresholds[0], thresholds[4], *thresholds.last().unwrap()] {
                let fits = |_: &[u128], fits| Some(fits);
                assert_eq!(claim(&key, (acc, code, column), fits), Some(Ok(())));
                assert_eq!(claim(&key, (acc + 1, code + 1, column), fits), Some(Ok(())));
            }
        }
    }
}

#[test]
fn a_code_beside_a_threshold_is_rejected() {
    for model in models() {
        let key = key(&model);
        for column in [0, 3] {
            let thresholds = thresholds(&model, column);
            // The first code's, one in the middle, the last code's.
            for (acc, code) in [thresholds[0], thresholds[5], *thresholds.last().unwrap()] {
                for wrong in [(acc, code + 1), (acc + 1, code)] {
                    let of = (wrong.0, wrong.1, column);
                    // A distance that fits the code, and, if any does, one that says the accumulator.
                    rejected(claim(&key, of, |_, fits| Some(fits)).unwrap());
                    if let Some(result) = claim(&key, of, |all, _| all.first().copied()) {
                        rejected(result);
                    }
                }
            }
        }
    }
}

#[test]
fn an_inner_code_of_a_saturated_accumulator_is_rejected() {
    for model in models() {
        let key = key(&model);
        let code = thresholds(&model, 0).last().unwrap().1;
        // The last bits of the distance that say how far it lies beyond are set.
        for choose in [|all: &[u128]| all.first().copied(), |all: &[u128]| all.last().copied()] {
            let result = claim(&key, (100, code, 0), |all, _| choose(all));
            rejected(result.expect("bits of far accumulators say it"));
        }
        rejected(claim(&key, (100, code, 0), |_, fits| Some(fits)).unwrap());
    }
}

#[test]
fn an_end_on_the_wrong_side_is_rejected() {
    for model in models() {
        let key = key(&model);
        let thresholds = thresholds(&model, 0);
        let (first, last) = (thresholds[0].1, thresholds.last().unwrap().1 + 1);
        for (acc, code) in [(-128, last), (127, first), (0, first), (0, last)] {
            // Its distance wraps: no bits say it.
            assert_eq!(claim(&key, (acc, code, 0), |all, _| all.first().copied()), None);
            rejected(claim(&key, (acc, code, 0), |_, fits| Some(fits)).unwrap());
        }
    }
}

#[test]
fn a_code_that_never_occurs_is_rejected() {
    for model in models() {
        let key = key(&model);
        let thresholds = thresholds(&model, 0);
        let (first, last) = (thresholds[0].1, thresholds.last().unwrap().1 + 1);
        for code in [0, first - 1, last + 1, 255] {
            for acc in [-128, 0, 127] {
                rejected(claim(&key, (acc, code, 0), |_, fits| Some(fits)).unwrap());
                if let Some(result) = claim(&key, (acc, code, 0), |all, _| all.first().copied()) {
                    rejected(result);
                }
            }
        }
    }
}

#[test]
fn the_least_reach_is_declared_and_a_smaller_one_is_rejected() {
    for model in models() {
        let key = key(&model);
        let mut least = Vec::new();
        for acc in [0, 60, 127] {
            let x = input(acc, 0);
            // Nothing else is far from zero.
            let (shape, ArrayData::U8(codes)) = x.into_parts() else { panic!("bytes") };
            let near = |(i, code)| if i == COLUMNS { code } else { 120 + i as u8 };
            let codes = codes.into_iter().enumerate().map(near).collect();
            let x = Array::new(shape, ArrayData::U8(codes)).unwrap();
            let y = key.run(&x).unwrap();
            let proof = key.prove(&x, &y, &mut |_| ()).unwrap();
            assert_eq!(verify(key.commitment(), &x, &y, &proof.to_bytes()), Ok(()));
            let reach = proof.reaches()[0];
            least.push(reach);
            if reach > 0 {
                let requantized = Requantized::new(&model.graph);
                let declared = requantized.declared(&[reach - 1]).unwrap();
                rejected(forge_declared(&key, &model, (&x, &x), declared, |_| (), |_, _| ()));
            }
        }
        assert!(least[0] == 0 && least.is_sorted_by(|a, b| a < b), "{least:?}");
    }
}

#[test]
fn other_reaches_than_a_proof_was_made_with_are_rejected() {
    for model in models() {
        let key = key(&model);
        let (x, most) = (input(0, 0), Requantized::new(&model.graph).largest().reaches[0]);
        let y = key.run(&x).unwrap();
        let proof = key.prove(&x, &y, &mut |_| ()).unwrap();
        let with = |reaches: Vec<u8>| {
            let bytes = Proof { reaches, ..proof.clone() }.to_bytes();
            verify(key.commitment(), &x, &y, &bytes)
        };
        for reach in (0..=most).filter(|&reach| reach != proof.reaches()[0]) {
            assert!(matches!(with(vec![reach]), Err(Rejection::Argument(_))), "{reach}");
        }
        for got in [most + 1, 255] {
            let error = ReachError::TooLarge { node: 0, most: most.into(), got: got.into() };
            assert_eq!(with(vec![got]), Err(Rejection::Reach(error)));
        }
        for reaches in [vec![], vec![most; 2]] {
            let error = ReachError::Count { expected: 1, got: reaches.len() };
            assert_eq!(with(reaches), Err(Rejection::Reach(error)));
        }
    }
}
