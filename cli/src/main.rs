//! The binfer command-line tool.
fn main() {}
