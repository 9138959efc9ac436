//! Constants whose data are in files beside the model.

use super::proto::{GraphProto, StringStringEntryProto, TensorProto};
use prost::Message;

/// Where the data of a constant are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalData {
    /// The file, relative to the model's folder, as the model has it: it may be any text.
    pub location: String,
    /// The first byte.
    pub offset: u64,
    /// How many bytes; to the end of the file if it is absent.
    pub length: Option<u64>,
}

/// Puts the data that `read` gives into the constants. Others stay as they are, and are refused where they are read.
pub(super) fn fetch(
    graph: &mut GraphProto,
    read: &mut dyn FnMut(&ExternalData) -> Option<Vec<u8>>,
) {
    for tensor in &mut graph.initializer {
        if tensor.data_location.unwrap_or(0) != 1 {
            continue;
        }
        if let Some(bytes) = place(tensor).and_then(|place| read(&place)) {
            tensor.raw_data = Some(bytes);
            (tensor.data_location, tensor.external_data) = (None, vec![]);
        }
    }
}

fn place(tensor: &TensorProto) -> Option<ExternalData> {
    let mut place = ExternalData { location: String::new(), offset: 0, length: None };
    for entry in &tensor.external_data {
        let entry = StringStringEntryProto::decode(entry.as_slice()).ok()?;
        let value = entry.value.unwrap_or_default();
        match entry.key.as_deref() {
            Some("location") => place.location = value,
            Some("offset") => place.offset = value.parse().ok()?,
            Some("length") => place.length = Some(value.parse().ok()?),
            _ => {}
        }
    }
    Some(place).filter(|place| !place.location.is_empty())
}
