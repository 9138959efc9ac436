//! `binfer demo`: the whole way from a trained model to a verified proof, on handwritten digits or a prompt.

mod digits;
mod draw;
mod forge;
mod llm;
mod page;
mod scene;
mod story;

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use crate::failure::Failure;
use crate::{awake, files, npy};
use digits::Network;
use scene::Scene;

/// What is demonstrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Subject {
    /// A perceptron of two layers
    Digits,
    /// A residual network of convolutions, maxima and averages
    Cnn,
    /// A language model of 135 million parameters, from a file that does not ship
    Llm,
}

/// Commit a model that reads digits, prove a batch of held-out images, verify, and try to cheat.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The network
    #[arg(long, value_enum, default_value_t = Subject::Digits)]
    model: Subject,
    #[command(flatten)]
    llm: llm::Prompted,
    /// Images in the batch
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=500))]
    batch: u16,
    /// Also write a page to FILE; commitment, input, output and proof go beside it
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        awake::keep();
        let network = match self.model {
            Subject::Digits => Network::Digits,
            Subject::Cnn => Network::Cnn,
            Subject::Llm => return self.llm.run(out),
        };
        let scene = Scene::play(network, usize::from(self.batch))?;
        let grey = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mut text = story::introduction(&scene);
        text.push('\n');
        text.push_str(&draw::row(&scene.pictures(8), grey));
        text.push('\n');
        text.push_str(&story::steps(&scene));
        if let Some(path) = &self.html {
            let beside = |extension: &str| path.with_extension(extension);
            let array = |extension, array| {
                let path = beside(extension);
                let bytes = npy::to_bytes(array)
                    .map_err(|source| Failure::Io { path: path.clone(), source })?;
                files::write(&path, &bytes)
            };
            files::write(path, page::html(&scene, path).as_bytes())?;
            files::write(&beside("commitment"), &scene.commitment.to_bytes())?;
            files::write(&beside("proof"), &scene.proof)?;
            array("input.npy", &scene.input)?;
            array("output.npy", &scene.output)?;
            let _ = writeln!(
                text,
                "\nWritten: {}, and beside it commitment, input, output and proof.\n{}",
                path.display(),
                page::command(path)
            );
        }
        Ok(out.write_all(text.as_bytes())?)
    }
}
