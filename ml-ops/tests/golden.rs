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
        "bba1094ac314d30ee42dff49c69a6b86b4843f70593ba960ae93dd6fd1e52b0d"
    );
    assert_eq!(
        hex(&HashKind::Blake3.hash(&bytes)),
        "0422b6a6352197bb223608d092ed4b27ed9a4b833eb9fdc2952f7c5b18849263"
    );
}
