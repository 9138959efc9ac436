//! What reports are made of: tables in Markdown, quantities with units, plots, the machine.

pub mod machine;
pub mod plot;
pub mod table;
pub mod units;
