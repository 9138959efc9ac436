//! The report on one file, as text and as JSON.

use std::io::{self, Write};

use binfer_ml_ops::array::ElementType;
use binfer_ml_ops::graph::{CodeType, InputPort, InputTransform, OutputPort, OutputTransform};
use binfer_ml_ops::{Estimate, ModelCommitment};
use serde_json::{Value, json};

use super::layers::{Layer, parameters, printable};
use crate::commit::hex;

/// What a file is.
pub(super) enum Kind {
    /// An ONNX model.
    Model {
        /// What the file has that is no part of it.
        left_out: Option<String>,
    },
    /// A model's commitment.
    Commitment,
    /// A proof.
    Proof {
        /// Bytes of the argument, without the header.
        message_bytes: usize,
    },
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Model { .. } => "model",
            Self::Commitment => "commitment",
            Self::Proof { .. } => "proof",
        }
    }
}

/// All that is said of a file.
pub(super) struct Report {
    /// What it is.
    pub(super) kind: Kind,
    /// Its size.
    pub(super) file_bytes: usize,
    /// The commitment that it holds; of a model, one under a salt of zeros.
    pub(super) commitment: ModelCommitment,
    /// The batch that the estimate is of.
    pub(super) batch: usize,
    /// What a proof is worth and costs.
    pub(super) estimate: Estimate,
}

impl Report {
    /// The report as JSON.
    pub(super) fn json(&self) -> Value {
        let (graph, params) = (self.commitment.graph(), self.commitment.params());
        let layers = (0..graph.nodes.len()).map(|i| Layer::new(graph, i).json());
        let mut report = json!({
            "kind": self.kind.name(),
            "file_bytes": self.file_bytes,
            "name": graph.name,
            "input": self.inputs_json().first(),
            "more_inputs": self.inputs_json().get(1..),
            "output": self.outputs_json().first(),
            "more_outputs": self.outputs_json().get(1..),
            "layers": layers.collect::<Value>(),
            "parameters": parameters(graph),
            "macs_per_sample": graph.macs_per_sample(),
            "commitment_bytes": self.commitment.to_bytes().len(),
        });
        match &self.kind {
            Kind::Model { left_out } => report["left_out"] = json!(left_out),
            Kind::Commitment | Kind::Proof { .. } => {
                report["digest"] = json!(hex(&self.commitment.digest()));
                report["root"] = json!(hex(self.commitment.root()));
            }
        }
        if let Kind::Proof { message_bytes } = self.kind {
            report["message_bytes"] = json!(message_bytes);
        }
        let sent = self.estimate.sent.iter().map(
            |sent| json!({ "label": sent.label, "messages": sent.messages, "bytes": sent.bytes }),
        );
        let terms = self.terms().map(|(label, bits)| json!({ "label": label, "bits": bits }));
        report["batch"] = json!(self.batch);
        report["estimated_message_bytes"] = json!(self.estimate.bytes());
        report["messages"] = json!(self.estimate.messages());
        report["sent"] = sent.collect();
        report["parameters_of_proof"] = json!({
            "hash": params.hash.to_string(),
            "log_inv_rate": params.log_inv_rate,
            "security_bits": params.security_bits,
            "grinding_bits": params.grinding_bits,
            "queries": params.queries(),
        });
        report["soundness_bits"] = json!(self.estimate.soundness_bits);
        report["soundness_terms"] = terms.collect();
        report
    }

    /// The report as text.
    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let graph = self.commitment.graph();
        writeln!(
            out,
            "{} \"{}\", {} bytes",
            self.kind.name(),
            printable(&graph.name),
            self.file_bytes
        )?;
        match &self.kind {
            Kind::Model { left_out: None } => {}
            Kind::Model { left_out: Some(left_out) } => {
                writeln!(out, "left out    {}", printable(left_out))?;
            }
            Kind::Commitment | Kind::Proof { .. } => {
                writeln!(out, "digest      {}", hex(&self.commitment.digest()))?;
                writeln!(out, "root        {}", hex(self.commitment.root()))?;
            }
        }
        for input in self.inputs_json() {
            writeln!(out, "input       {}", port(&input))?;
        }
        for output in self.outputs_json() {
            writeln!(out, "output      {}", port(&output))?;
        }
        writeln!(out, "parameters  {}", parameters(graph))?;
        writeln!(out, "MAC/sample  {}", graph.macs_per_sample())?;
        let commitment_bytes = self.commitment.to_bytes().len();
        writeln!(out, "commitment  {commitment_bytes} bytes")?;
        writeln!(out)?;
        self.print_layers(out)?;
        writeln!(out)?;
        self.print_proof(out)
    }

    /// Labels and bits of the events that can happen at all on this network.
    fn terms(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let terms = self.estimate.terms.iter();
        let bits = terms.map(|t| (t.label, -t.log2_error));
        bits.filter(|(_, bits)| bits.is_finite())
    }

    fn print_layers(&self, out: &mut dyn Write) -> io::Result<()> {
        let graph = self.commitment.graph();
        let layers = || (0..graph.nodes.len()).map(|i| Layer::new(graph, i));
        let titles = Layer::TITLES.map(String::from);
        let lines: Vec<[String; 7]> =
            std::iter::once(titles).chain(layers().map(|layer| layer.cells())).collect();
        let width = |column: usize| lines.iter().map(|l| l[column].chars().count()).max();
        let widths: Vec<usize> = (0..7).map(|c| width(c).unwrap_or(0)).collect();
        for line in &lines {
            let padded = line.iter().zip(&widths).map(|(cell, &w)| format!("{cell:w$}"));
            let line = padded.collect::<Vec<_>>().join("  ");
            writeln!(out, "{}", line.trim_end())?;
        }
        for scales in layers().filter_map(|layer| layer.scales()) {
            writeln!(out, "{scales}")?;
        }
        Ok(())
    }

    fn print_proof(&self, out: &mut dyn Write) -> io::Result<()> {
        let params = self.commitment.params();
        let (batch, estimate) = (self.batch, &self.estimate);
        match self.kind {
            Kind::Proof { message_bytes } => writeln!(
                out,
                "proof of a batch of {batch}: {message_bytes} bytes of messages (estimated {})",
                estimate.bytes()
            )?,
            Kind::Model { .. } | Kind::Commitment => {
                writeln!(out, "proof of a batch of {batch}: about {} bytes", estimate.bytes())?
            }
        }
        writeln!(
            out,
            "hash {}, rate 1/{}, {} queries, {} bits of grinding",
            params.hash,
            1u64 << params.log_inv_rate,
            params.queries(),
            params.grinding_bits
        )?;
        writeln!(out)?;
        writeln!(out, "bytes by message")?;
        for sent in &estimate.sent {
            writeln!(out, "{:8}  {} ({})", sent.bytes, sent.label, sent.messages)?;
        }
        writeln!(out)?;
        writeln!(out, "soundness, bits by term")?;
        for (label, bits) in self.terms() {
            writeln!(out, "{bits:8.2}  {label}")?;
        }
        writeln!(out, "{:8.2}  in total", estimate.soundness_bits)
    }

    fn inputs_json(&self) -> Vec<Value> {
        let graph = self.commitment.graph();
        let of = |(number, input): (usize, &InputPort)| {
            let mut port = json!({
                "type": element_name(input.transform.element_type()),
                "shape": input.shape,
            });
            if let Some(name) = graph.input_names.get(number) {
                port["name"] = name.as_str().into();
            }
            let mut transform = &input.transform;
            if let InputTransform::Computed { operations, then } = transform {
                port["operations_before"] = operations.len().into();
                transform = then;
            }
            match *transform {
                InputTransform::Quantize { scale, zero_point, dtype } => {
                    port["quantized"] = quantization(scale, zero_point, dtype);
                }
                InputTransform::OneHot { vocabulary: below }
                | InputTransform::Numbers { count: below } => port["below"] = below.into(),
                _ => {}
            }
            port
        };
        graph.inputs().enumerate().map(of).collect()
    }

    fn outputs_json(&self) -> Vec<Value> {
        let of = |output: &OutputPort| {
            let mut port = json!({
                "type": element_name(output.transform.element_type()),
                "shape": output.shape,
            });
            if let OutputTransform::Dequantize { scale, zero_point, dtype } = output.transform {
                port["quantized"] = quantization(scale, zero_point, dtype);
            }
            port
        };
        self.commitment.graph().outputs().map(of).collect()
    }
}

fn element_name(element: ElementType) -> &'static str {
    match element {
        ElementType::F32 => "float32",
        ElementType::U8 => "uint8",
        ElementType::I8 => "int8",
        ElementType::I32 => "int32",
        ElementType::I64 => "int64",
        ElementType::I16 => "int16",
        ElementType::U16 => "uint16",
    }
}

fn quantization(scale: f32, zero_point: i32, dtype: CodeType) -> Value {
    let name = match dtype {
        CodeType::U8 => "uint8",
        CodeType::I8 => "int8",
        CodeType::U4 => "uint4",
        CodeType::I4 => "int4",
        CodeType::U2 => "uint2",
        CodeType::I2 => "int2",
    };
    json!({ "type": name, "scale": scale, "zero_point": zero_point })
}

/// A port's JSON as a line.
fn port(port: &Value) -> String {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut line = format!("{} {}", text(&port["type"]), port["shape"]);
    if let Some(name) = port["name"].as_str() {
        line = format!("{name}: {line}");
    }
    if let Some(below) = port["below"].as_u64() {
        line = format!("{line}, numbers below {below}");
    }
    let q = &port["quantized"];
    if q.is_null() {
        return line;
    }
    let (scale, zero_point) = (&q["scale"], &q["zero_point"]);
    let name = text(&q["type"]);
    format!("{line}, {name} by scale {scale}, zero point {zero_point}")
}
