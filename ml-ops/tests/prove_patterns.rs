//! Every pattern of operators that is imported, proved and verified; a changed output is rejected.

#![cfg(feature = "prover")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::{Model, OutputTransform};
use binfer_ml_ops::{Params, ProverKey, verify};
use fixtures::{array, output};
use std::path::Path;

/// The array with another first element, one that the output can take.
fn changed(output: &Array, transform: &OutputTransform) -> Array {
    let (shape, mut data) = output.clone().into_parts();
    match &mut data {
        ArrayData::U8(v) => v[0] ^= 1,
        ArrayData::I8(v) => v[0] ^= 1,
        ArrayData::I32(v) => v[0] ^= 1,
        ArrayData::I64(v) => v[0] ^= 1,
        ArrayData::I16(v) => v[0] ^= 1,
        ArrayData::U16(v) => v[0] ^= 1,
        ArrayData::F32(v) => match transform {
            OutputTransform::Affine { scales, .. } => v[0] += scales[0],
            _ => v[0] = *v.iter().find(|x| **x != v[0]).unwrap(),
        },
    }
    Array::new(shape, data).unwrap()
}

#[test]
fn patterns_are_proved() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() > 60);
    for name in names {
        let bytes = std::fs::read(folder.join(format!("{name}.onnx"))).unwrap();
        let model = Model::from_onnx(&bytes).unwrap();
        let transform = model.graph.output.transform.clone();
        let archive = folder.join(format!("{name}.npz"));
        let (x, y) = (array(&archive, "input"), array(&archive, "output"));
        assert_eq!(output(&model, &x), y, "{name}");
        let key = ProverKey::new(model, Params::default(), &[5; 32]);
        let proof = key.prove(&x, &y, &mut |_| ()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let proof = proof.to_bytes();
        assert_eq!(verify(key.commitment(), &x, &y, &proof), Ok(()), "{name}");
        let other = changed(&y, &transform);
        assert!(verify(key.commitment(), &x, &other, &proof).is_err(), "{name}");
    }
}
