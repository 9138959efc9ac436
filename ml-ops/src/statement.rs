//! The statement of a proof, as the transcript begins with it.

use std::borrow::Cow;

use binfer_hash::{Digest, Transcript};
use binfer_pcs::Params;

use crate::argument::GroupSize;
use crate::array::{Array, ArrayData};

/// The protocol's name and version, the first thing that every challenge depends on.
const PROTOCOL: &str = "binfer inference v6";

/// A transcript that holds parameters, the digest of the commitment, group size, input and output.
pub(crate) fn transcript(
    params: &Params,
    model: &Digest,
    group_size: GroupSize,
    input: &Array,
    output: &Array,
) -> Transcript {
    let mut transcript = Transcript::new(PROTOCOL);
    transcript.absorb_bytes("parameters", &params.to_bytes());
    transcript.absorb_bytes("model", model);
    transcript.absorb_bytes("group size", &group_size.log_leaves().to_le_bytes());
    absorb_array(&mut transcript, "input", input);
    absorb_array(&mut transcript, "output", output);
    transcript
}

fn absorb_array(transcript: &mut Transcript, label: &'static str, array: &Array) {
    let mut shape = vec![array.data().element_type() as u8];
    shape.extend(array.shape().iter().flat_map(|&d| (d as u64).to_le_bytes()));
    transcript.absorb_bytes(label, &shape);
    let bytes = match array.data() {
        ArrayData::F32(v) => Cow::Owned(le_bytes(v, |x| x.to_le_bytes())),
        ArrayData::U8(v) => Cow::Borrowed(&v[..]),
        ArrayData::I8(v) => Cow::Owned(v.iter().map(|&x| x as u8).collect()),
        ArrayData::I32(v) => Cow::Owned(le_bytes(v, |x| x.to_le_bytes())),
        ArrayData::I64(v) => Cow::Owned(le_bytes(v, |x| x.to_le_bytes())),
        ArrayData::I16(v) => Cow::Owned(le_bytes(v, |x| x.to_le_bytes())),
        ArrayData::U16(v) => Cow::Owned(le_bytes(v, |x| x.to_le_bytes())),
    };
    transcript.absorb_bytes(label, &bytes);
}

/// The bytes of all values, `N` each.
fn le_bytes<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    let mut all = vec![0; N * values.len()];
    for (out, &value) in all.as_chunks_mut::<N>().0.iter_mut().zip(values) {
        *out = bytes(value);
    }
    all
}
