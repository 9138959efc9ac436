//! `binfer`: commit to quantized networks, prove their inference, verify.
//!
//! The program is [`main`]; programs that measure share its workloads ([`bench`](mod@bench)) and what
//! its reports are made of ([`report`]).

#![forbid(unsafe_code)]

mod awake;
pub mod bench;
mod commit;
mod demo;
mod failure;
mod files;
mod inputs;
mod inspect;
mod key;
mod native;
mod npy;
mod oracle;
mod progress;
mod prove;
mod quantize;
pub mod report;
mod run;
mod size;
mod verify;

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;
pub use size::{Size, SizeError};

/// Proofs that a quantized network, whose weights are committed, maps this input to this output.
///
/// Exit status: 0 on success, 1 if a statement is false or a proof is rejected, 2 on malformed files
/// and on usage errors.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Threads to compute with; as many as there are processors if absent.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<NonZeroUsize>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Commit(commit::Args),
    Run(run::Args),
    Prove(prove::Args),
    Verify(verify::Args),
    Inspect(inspect::Args),
    Quantize(quantize::Args),
    Bench(bench::Args),
    Demo(demo::Args),
}

impl Cli {
    fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        if let Some(threads) = self.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get());
            pool.build_global()?;
        }
        match &self.command {
            Command::Commit(args) => args.run(out),
            Command::Run(args) => args.run(out),
            Command::Prove(args) => args.run(out),
            Command::Verify(args) => args.run(out),
            Command::Inspect(args) => args.run(out),
            Command::Quantize(args) => args.run(out),
            Command::Bench(args) => args.run(out),
            Command::Demo(args) => args.run(out),
        }
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::stdout().lock();
    let result = cli.run(&mut out).and_then(|()| out.flush().map_err(Failure::Stdout));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_broken_pipe() {
                // Where standard error is gone too, the exit status still tells.
                let _ = writeln!(io::stderr(), "{failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
