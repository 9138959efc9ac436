//! The statement of a proof, as the transcript begins with it.

use binfer_hash::{Digest, Transcript};
use binfer_pcs::Params;

use crate::argument::GroupSize;
use crate::array::{Array, ArrayData};

/// The protocol's name and version, the first thing that every challenge depends on.
const PROTOCOL: &str = "binfer inference v11";

/// A transcript that holds parameters, the digest of the commitment, group size, reaches, inputs and outputs.
pub(crate) fn transcript(
    params: &Params,
    model: &Digest,
    group_size: GroupSize,
    reaches: &[u8],
    inputs: &[Array],
    outputs: &[Array],
) -> Transcript {
    let mut transcript = Transcript::new(PROTOCOL);
    transcript.absorb_bytes("parameters", &params.to_bytes());
    transcript.absorb_bytes("model", model);
    transcript.absorb_bytes("group size", &group_size.log_leaves().to_le_bytes());
    transcript.absorb_bytes("reaches", reaches);
    // How many there are of either is the model's.
    for input in inputs {
        absorb_array(&mut transcript, "input", input);
    }
    for output in outputs {
        absorb_array(&mut transcript, "output", output);
    }
    transcript
}

fn absorb_array(transcript: &mut Transcript, label: &'static str, array: &Array) {
    let mut shape = vec![array.data().element_type() as u8];
    shape.extend(array.shape().iter().flat_map(|&d| (d as u64).to_le_bytes()));
    transcript.absorb_bytes(label, &shape);
    // Numbers are little-endian, as `field` asks of the processor.
    let bytes: &[u8] = match array.data() {
        ArrayData::F32(v) => bytemuck::cast_slice(v),
        ArrayData::U8(v) => v,
        ArrayData::I8(v) => bytemuck::cast_slice(v),
        ArrayData::I32(v) => bytemuck::cast_slice(v),
        ArrayData::I64(v) => bytemuck::cast_slice(v),
        ArrayData::I16(v) => bytemuck::cast_slice(v),
        ArrayData::U16(v) => bytemuck::cast_slice(v),
    };
    transcript.absorb_bytes(label, bytes);
}
