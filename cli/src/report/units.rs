//! Quantities with units, three digits each.

use std::time::Duration;

use crate::progress::human;

/// A time.
pub fn time(ns: u64) -> String {
    human(Duration::from_nanos(ns))
}

/// A time in milliseconds, as a tick of an axis has it.
pub fn tick_ms(ms: f64) -> String {
    if ms >= 1000.0 { format!("{} s", plain(ms / 1e3)) } else { format!("{} ms", plain(ms)) }
}

/// A size, by powers of 1000.
pub fn bytes(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        b if b >= 1e9 => format!("{} GB", digits(b / 1e9)),
        b if b >= 1e6 => format!("{} MB", digits(b / 1e6)),
        b => format!("{} KB", digits(b / 1e3)),
    }
}

/// A number with three digits, or more before the point.
pub fn digits(value: f64) -> String {
    match value.abs() {
        v if v >= 99.95 => count(value.round() as u64),
        v if v >= 9.995 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A number without a fraction if it has none.
pub fn plain(value: f64) -> String {
    if value >= 1000.0 {
        return count(value.round() as u64);
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A whole number in groups of three digits.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many things.
pub fn plural(n: u64, thing: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {thing}{s}", count(n))
}
