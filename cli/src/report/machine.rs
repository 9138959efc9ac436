//! The machine that measures, as far as it tells.

use std::{env, fs, thread};

use binfer_field::Backend;
use serde::{Deserialize, Serialize};

/// What figures depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Its instruction set.
    pub architecture: String,
    /// The operating system.
    pub system: String,
    /// Threads that it runs at once.
    pub threads: usize,
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// The backend that the field's kernels choose.
    pub backend: String,
}

impl Machine {
    /// The one that runs this.
    pub fn this() -> Self {
        Self {
            cpu: value_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
            architecture: env::consts::ARCH.into(),
            system: env::consts::OS.into(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory("MemTotal"),
            backend: Backend::current().name().into(),
        }
    }
}

/// The first value of `key` in a file of lines `key : value`.
fn value_of(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(k, _)| k.trim() == key).map(|(_, value)| value.trim().to_owned())
}

/// Memory that a program may still take, as the system estimates it now.
pub fn available_memory() -> Option<u64> {
    memory("MemAvailable")
}

fn memory(key: &str) -> Option<u64> {
    let value = value_of("/proc/meminfo", key)?;
    let kilobytes: u64 = value.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
