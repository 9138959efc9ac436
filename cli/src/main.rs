//! The program `binfer`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    binfer_cli::main()
}
