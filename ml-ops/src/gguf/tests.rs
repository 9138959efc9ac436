//! Floats of the `gguf` package, and files that are not right.

use super::*;

/// Made by `tests/fixtures/gguf_blocks.py`.
const BLOCKS: &[u8] = include_bytes!("../../tests/fixtures/blocks.gguf");

#[test]
fn floats_are_those_of_the_package() {
    let file = Gguf::parse(BLOCKS).expect("a file");
    for name in ["F16", "Q4_0", "Q4_1", "Q8_0", "TQ2_0"] {
        let expected = file.tensor(&format!("{name}.floats"), &[512, 3]).expect("F32");
        let got = file.tensor(name, &[512, 3]).expect("floats");
        let bits = |floats: &[f32]| floats.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&got), bits(&expected), "{name}");
    }
    assert_eq!(file.tensors().count(), 10);
    assert_eq!(file.floats("none"), Ok(None));
}

#[test]
fn metadata_are_read() {
    let file = Gguf::parse(BLOCKS).expect("a file");
    assert_eq!(file.string("general.architecture"), Ok("blocks"));
    assert_eq!(file.size("blocks.size"), Ok(7));
    assert_eq!(file.float("blocks.float"), Ok(0.5));
    assert_eq!(file.float("blocks.size"), Ok(7.0));
    assert_eq!(file.string("blocks.string"), Ok("t\u{e9}"));
    assert_eq!(file.strings("blocks.strings"), Ok(vec!["a", "b c", ""]));
    assert_eq!(file.value("blocks.bool"), Some(&Value::Bool(true)));
    let integers = file.value("blocks.integers").and_then(Value::as_array);
    assert_eq!(integers, Some(&[Value::Integer(-3), Value::Integer(4)][..]));
    let missing = |key: &str, expected| Err(GgufError::Key { key: key.into(), expected });
    assert_eq!(file.size("blocks.string"), missing("blocks.string", "a size"));
    assert_eq!(file.size("no"), missing("no", "a size"));
    assert_eq!(file.strings("blocks.integers").map(|_| ()), {
        missing("blocks.integers", "a list of strings").map(|_: usize| ())
    });
}

/// A file with a metadata value and a tensor, given as what follows their names.
fn file(version: u32, value: &[u8], tensor: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    for (name, rest) in [("general.alignment", value), ("t", tensor)] {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(rest);
    }
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    bytes.extend(data);
    bytes
}

fn value(alignment: u32) -> Vec<u8> {
    [4u32.to_le_bytes(), alignment.to_le_bytes()].concat()
}

fn tensor(dims: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let mut bytes = (dims.len() as u32).to_le_bytes().to_vec();
    bytes.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
    bytes.extend(kind.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes
}

fn read(bytes: &[u8]) -> Result<Option<Vec<f32>>, GgufError> {
    Gguf::parse(bytes)?.floats("t")
}

#[test]
fn what_is_not_a_file_has_an_error_of_its_own() {
    let good = file(3, &value(32), &tensor(&[2], 0, 0), &[0, 0, 128, 63, 0, 0, 0, 64]);
    assert_eq!(read(&good), Ok(Some(vec![1.0, 2.0])));
    assert_eq!(read(b"GGML0000"), Err(GgufError::Magic));
    let other = file(4, &value(32), &tensor(&[2], 0, 0), &[0; 8]);
    assert_eq!(read(&other), Err(GgufError::Version { got: 4 }));
    let other = file(3, &value(24), &tensor(&[2], 0, 0), &[0; 8]);
    assert_eq!(read(&other), Err(GgufError::Alignment { got: 24 }));
    let other = file(3, &13u32.to_le_bytes(), &[], &[]);
    assert_eq!(read(&other), Err(GgufError::ValueType { offset: 49, got: 13 }));
    let name = || "t".to_owned();
    let of = |dims: &[u64], kind, offset| {
        read(&file(3, &value(32), &tensor(dims, kind, offset), &[0; 8]))
    };
    let got = 14;
    assert_eq!(of(&[2], got, 0), Err(GgufError::TensorType { name: name(), got }));
    let size = |dims, elements| Err(GgufError::Size { name: name(), dims, elements });
    assert_eq!(of(&[], 0, 0), size(0, Some(1)));
    assert_eq!(of(&[0], 0, 0), size(1, Some(0)));
    assert_eq!(of(&[1 << 40, 1 << 40], 0, 0), size(2, None));
    assert_eq!(of(&[33], 2, 0), Err(GgufError::Block { name: name(), row: 33, block: 32 }));
    let data = |offset, bytes| Err(GgufError::Data { name: name(), offset, bytes, have: 8 });
    assert_eq!(of(&[3], 0, 0), data(0, 12));
    assert_eq!(of(&[1], 0, 8), data(8, 4));
    assert_eq!(of(&[1], 0, u64::MAX), data(u64::MAX, 4));
    let shape = Gguf::parse(&good).expect("a file").tensor("t", &[3]);
    assert_eq!(shape, Err(GgufError::Shape { name: name(), expected: vec![3], got: vec![2] }));
    let none = Gguf::parse(&good).expect("a file").tensor("u", &[3]);
    assert_eq!(none, Err(GgufError::NoTensor { name: "u".into() }));
    let mut text = [8u32.to_le_bytes().as_slice(), &1u64.to_le_bytes(), &[255]].concat();
    assert_eq!(read(&file(3, &text, &[], &[])), Err(GgufError::Utf8 { offset: 61 }));
    text = [[9u32; 7].map(u32::to_le_bytes).concat(), vec![0; 16]].concat();
    text = text.chunks(4).take(1).collect::<Vec<_>>().concat();
    for _ in 0..5 {
        text.extend(9u32.to_le_bytes());
        text.extend(1u64.to_le_bytes());
    }
    let nested = read(&file(3, &text, &[], &[0; 64]));
    assert!(matches!(nested, Err(GgufError::Nesting { most: 4, .. })), "{nested:?}");
    let mut twice = file(3, &value(32), &tensor(&[2], 0, 0), &[0; 8]);
    twice[8] = 2;
    let (start, end) = (4 + 4 + 16 + 8 + 17 + 8, 4 + 4 + 16 + 8 + 17 + 8 + 8 + 1 + 24);
    let again = twice[start..end].to_vec();
    twice.splice(end..end, again);
    assert_eq!(read(&twice), Err(GgufError::Twice { name: name() }));
}

#[test]
fn what_is_cut_off_is_missed() {
    let whole = Gguf::parse(BLOCKS).expect("a file");
    let names: Vec<&str> = whole.tensors().map(|(name, _)| name).collect();
    for end in (0..BLOCKS.len()).step_by(if cfg!(debug_assertions) { 61 } else { 7 }) {
        let cut = &BLOCKS[..end];
        let read = Gguf::parse(cut);
        let all = read.and_then(|file| names.iter().map(|name| file.floats(name)).collect());
        let all: Result<Vec<_>, _> = all;
        assert!(all.is_err() || end + 32 > BLOCKS.len(), "{end}");
    }
    // Counts that memory would not hold.
    let mut many = BLOCKS.to_vec();
    many[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(Gguf::parse(&many), Err(GgufError::Truncated { .. })));
}
