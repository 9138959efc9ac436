//! `binfer quantize` and `binfer demo --model llm` on a small GGUF file.

use crate::common::Scratch;

/// Writes the fields of a GGUF file.
#[derive(Default)]
struct Writer {
    values: Vec<u8>,
    n_values: u64,
    tensors: Vec<u8>,
    n_tensors: u64,
    data: Vec<u8>,
    state: u64,
}

impl Writer {
    fn string(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }

    fn value(&mut self, key: &str, kind: u32, value: &[u8]) {
        Self::string(&mut self.values, key);
        self.values.extend(kind.to_le_bytes());
        self.values.extend(value);
        self.n_values += 1;
    }

    fn text(&mut self, key: &str, text: &str) {
        let mut value = Vec::new();
        Self::string(&mut value, text);
        self.value(key, 8, &value);
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        let mut value = 8u32.to_le_bytes().to_vec();
        value.extend((texts.len() as u64).to_le_bytes());
        texts.iter().for_each(|text| Self::string(&mut value, text));
        self.value(key, 9, &value);
    }

    /// A tensor of 32-bit floats of at most `size`, from a generator.
    fn tensor(&mut self, name: &str, dims: &[u64], size: f32) {
        Self::string(&mut self.tensors, name);
        self.tensors.extend((dims.len() as u32).to_le_bytes());
        self.tensors.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
        self.tensors.extend(0u32.to_le_bytes());
        self.tensors.extend((self.data.len() as u64).to_le_bytes());
        for _ in 0..dims.iter().product::<u64>() {
            self.state =
                self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let unit = (self.state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
            self.data.extend((unit * size).to_le_bytes());
        }
        self.n_tensors += 1;
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(self.n_tensors.to_le_bytes());
        bytes.extend(self.n_values.to_le_bytes());
        bytes.extend(&self.values);
        bytes.extend(&self.tensors);
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(&self.data);
        bytes
    }
}

/// A language model of one layer whose tokens are letters.
fn small() -> Vec<u8> {
    let mut w = Writer::default();
    w.text("general.architecture", "llama");
    w.text("tokenizer.ggml.model", "gpt2");
    w.text("tokenizer.ggml.pre", "smollm");
    let letters = ('a'..='z').chain('A'..='Z').chain(".,'\u{120}".chars());
    w.texts("tokenizer.ggml.tokens", &letters.map(String::from).collect::<Vec<_>>());
    w.texts("tokenizer.ggml.merges", &[]);
    let (width, hidden, vocabulary, keys) = (16u64, 32u64, 56u64, 8u64);
    for (key, size) in [
        ("block_count", 1),
        ("embedding_length", width),
        ("attention.head_count", 2),
        ("attention.head_count_kv", 1),
        ("feed_forward_length", hidden),
    ] {
        w.value(&format!("llama.{key}"), 4, &(size as u32).to_le_bytes());
    }
    w.value("llama.attention.layer_norm_rms_epsilon", 6, &1e-5f32.to_le_bytes());
    w.value("llama.rope.freq_base", 6, &1e4f32.to_le_bytes());
    w.tensor("token_embd.weight", &[width, vocabulary], 1.0);
    w.tensor("output_norm.weight", &[width], 1.0);
    for (name, dims) in [
        ("attn_norm", vec![width]),
        ("attn_q", vec![width, width]),
        ("attn_k", vec![width, keys]),
        ("attn_v", vec![width, keys]),
        ("attn_output", vec![width, width]),
        ("ffn_norm", vec![width]),
        ("ffn_gate", vec![width, hidden]),
        ("ffn_up", vec![width, hidden]),
        ("ffn_down", vec![hidden, width]),
    ] {
        w.tensor(&format!("blk.0.{name}.weight"), &dims, 0.8);
    }
    w.bytes()
}

/// The number of the first of the largest of a NumPy file of one row of int32, as an int64.
fn choice(logits: &[u8]) -> [u8; 8] {
    let logits = logits[128..].chunks_exact(4).map(|v| i32::from_le_bytes(v.try_into().unwrap()));
    let (_, first) = logits.zip(0i64..).max_by_key(|&(logit, at)| (logit, -at)).unwrap();
    first.to_le_bytes()
}

#[test]
fn a_model_of_a_gguf_file_is_proved() {
    let scratch = Scratch::new();
    scratch.write("small.gguf", &small());
    scratch.write("text", b"The quick brown fox jumps over the lazy dog, and then another.");
    let line = "quantize small.gguf --out small.binfer --prompt quick --input x.npy --text text --compare text";
    let ran = scratch.expect(0, line);
    assert!(ran.stdout.contains("tokens  x.npy  5"), "{}", ran.stdout);
    assert!(ran.stdout.contains("next tokens"), "{}", ran.stdout);
    let line = "quantize small.gguf --out small.binfer --tokens 5 --text text --compare text --test t.npy --labels l.npy";
    let ran = scratch.expect(0, line);
    assert!(ran.stdout.contains("t.npy  "), "{}", ran.stdout);
    let bench = "bench --runs 1 model small.binfer --input x.npy --test t.npy --labels l.npy";
    assert!(scratch.expect(0, bench).stdout.contains(" labels right"));
    scratch.expect(2, "quantize small.gguf --out m --compare text --test t.npy");
    let inspected = scratch.expect(0, "inspect small.binfer").stdout;
    assert!(inspected.starts_with("model ") && inspected.contains("in total"), "{inspected}");
    scratch.expect(0, "commit small.binfer --out key");
    scratch
        .expect(2, "verify --commitment small.binfer --input x.npy --output x.npy --proof x.npy");
    scratch.expect(0, "run small.binfer --input x.npy --output y.npy");
    scratch.expect(0, "prove small.binfer --key key --input x.npy --output y.npy --proof p");
    let verify = "verify --commitment key/model.commitment --input x.npy --output y.npy --proof p";
    scratch.expect(0, verify);
    let token = "quantize small.gguf --out token.binfer --tokens 5 --text text --output token";
    scratch.expect(0, token);
    scratch.expect(0, "run token.binfer --input x.npy --output t.npy");
    assert_eq!(choice(&scratch.read("y.npy")), scratch.read("t.npy")[128..]);
    scratch.expect(0, "commit token.binfer --out key2");
    scratch.expect(0, "prove token.binfer --key key2 --input x.npy --output t.npy --proof t");
    let verify = "verify --commitment key2/model.commitment --input x.npy --output t.npy --proof t";
    scratch.expect(0, verify);
    let mut other = scratch.read("t.npy");
    other[128] ^= 1;
    scratch.write("t.npy", &other);
    scratch.expect(1, verify);
    scratch.expect(2, "quantize small.gguf --out m --output words");
    scratch.expect(0, "quantize small.gguf --out other.binfer --tokens 5 --bits 4");
    scratch.expect(2, "prove other.binfer --key key --input x.npy --output y.npy --proof q");
}

#[test]
fn a_prompt_is_demonstrated() {
    let scratch = Scratch::new();
    scratch.write("small.gguf", &small());
    let ran = scratch.expect(0, "demo --model llm --gguf small.gguf --prompt dog");
    for part in ["Quantize: ", "Commit: ", "the next token is", "accepted in", "rejected"] {
        assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
    }
    scratch.expect(2, "demo --model llm --gguf missing.gguf");
}

#[test]
fn files_that_are_no_models_are_malformed() {
    let scratch = Scratch::new();
    let bytes = small();
    scratch.write("cut.gguf", &bytes[..bytes.len() / 2]);
    scratch.expect(2, "quantize cut.gguf --out m");
    scratch.write("empty.gguf", b"");
    scratch.expect(2, "quantize empty.gguf --out m");
    scratch.write("small.gguf", &bytes);
    scratch.expect(0, "quantize small.gguf --out m --tokens 2");
    let model = scratch.read("m");
    scratch.write("cut", &model[..model.len() - 1]);
    let ran = scratch.expect(2, "run cut --input x.npy --output y.npy");
    assert!(ran.stderr.contains("cut: "), "{}", ran.stderr);
    scratch.expect(2, "quantize small.gguf --out m --bits 5");
    scratch.expect(2, "quantize small.gguf --out m --prompt dog");
}
