//! One proof's bytes, pinned: a change of protocol or encoding shows here before it shows to users.

use binfer_hash::HashKind;
use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{Proof, ProverKey, run, verify};
use binfer_pcs::Params;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn commitment_and_proof_of_the_shipped_digits_model() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits/digits.onnx");
    let model = Model::from_onnx(&std::fs::read(path).unwrap()).unwrap();
    let pixels = (0..2 * 64u32).map(|i| (i * 7 % 17) as f32).collect();
    let input = Array::new(vec![2, 64], ArrayData::F32(pixels)).unwrap();
    let output = run(&model, &input).unwrap();
    let key = ProverKey::new(model, Params::default(), &[5; 32]);
    let proof = key.prove(&input, &output, &mut |_| ()).unwrap();
    let bytes = proof.to_bytes();
    assert_eq!(verify(key.commitment(), &input, &output, &bytes), Ok(()));
    assert_eq!(Proof::from_bytes(&bytes).unwrap(), proof);

    assert_eq!(
        hex(&key.commitment().digest()),
        "46b15553838059ffac8ee5564f289d0cbb6ba9c3d2c1ae2fbc6e0e0d8cb1158e"
    );
    assert_eq!(
        hex(&HashKind::Blake3.hash(&bytes)),
        "5076b19f941dd774ec6bcb079570dd2aaf6e06eace14f5e738c5082cdd82a35c"
    );
}
