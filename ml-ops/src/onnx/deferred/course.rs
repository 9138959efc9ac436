//! How a function of floats goes: up, down, or one after the other.

/// Numbers in equal steps at which a function is looked at, and between each two powers of two.
const SAMPLES: usize = 4096;
const SAMPLES_OF_A_POWER: usize = 32;

/// Powers of two around which a function is looked at closely.
const POWERS: std::ops::Range<i32> = -20..24;

/// Thirds of an interval in which a turn is looked for.
const THIRDS: usize = 100;

/// How a function goes, from the least of its floats to the largest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Course {
    Rising,
    Falling,
    /// Down to this float, then up.
    Valley(f32),
    /// Up to this float, then down.
    Hill(f32),
}

/// How `function` goes from one of the ends to the other, `None` if it turns around twice or gives no numbers. Turns from
/// which it is `noise` away at most are none.
pub(super) fn course(
    function: &dyn Fn(f32) -> f32,
    [low, high]: [f32; 2],
    noise: f32,
) -> Option<Course> {
    let Turns { at, turns, up } = turns(function, [low, high], noise)?;
    match (turns.as_slice(), up) {
        ([], Some(false)) => Some(Course::Falling),
        ([], _) => Some(Course::Rising),
        (&[(turn, is_hill)], _) => {
            let ends = [at[turn.saturating_sub(1)], at[(turn + 1).min(at.len() - 1)]];
            let sign = if is_hill { -1.0 } else { 1.0 };
            let turn = least(|x| sign * function(x), ends);
            Some(if is_hill { Course::Hill(turn) } else { Course::Valley(turn) })
        }
        _ => None,
    }
}

/// Where a function turns around.
pub(super) struct Turns {
    /// The floats at which it was looked at, in order.
    pub(super) at: Vec<f32>,
    /// The numbers of those at which it turns around, and whether it is a hill there.
    pub(super) turns: Vec<(usize, bool)>,
    /// Whether it goes up in the end; `None` if it does neither.
    up: Option<bool>,
}

/// Where `function` turns around between the ends, by more than `noise`; `None` if it gives no numbers.
pub(super) fn turns(
    function: &dyn Fn(f32) -> f32,
    [low, high]: [f32; 2],
    noise: f32,
) -> Option<Turns> {
    let even = |at: usize| low + (high - low) * (at as f32 / SAMPLES as f32);
    let mut at: Vec<f32> = (0..=SAMPLES).map(even).chain([high, 0.0]).collect();
    for power in POWERS {
        let of_power =
            |step: usize| 2f32.powi(power) * (1.0 + step as f32 / SAMPLES_OF_A_POWER as f32);
        at.extend((0..SAMPLES_OF_A_POWER).map(of_power).flat_map(|x| [x, -x]));
    }
    at.retain(|x| (low..=high).contains(x));
    at.sort_by(f32::total_cmp);
    at.dedup();
    let values: Vec<f32> = at.iter().map(|&x| function(x)).collect();
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut turns: Vec<(usize, bool)> = Vec::new();
    let (mut extreme, mut up) = (0, None);
    for (now, &value) in values.iter().enumerate() {
        let from = values[extreme];
        match up {
            None if (value - from).abs() > noise => {
                (up, extreme) = (Some(value > from), now);
            }
            Some(rises) if (value > from) == rises && value != from => extreme = now,
            Some(rises) if (value - from).abs() > noise => {
                turns.push((extreme, rises));
                (up, extreme) = (Some(!rises), now);
            }
            _ => {}
        }
    }
    Some(Turns { at, turns, up })
}

/// Where a function of one valley is least between `ends`.
fn least(function: impl Fn(f32) -> f32, [mut from, mut to]: [f32; 2]) -> f32 {
    for _ in 0..THIRDS {
        let (a, b) = (from + (to - from) / 3.0, to - (to - from) / 3.0);
        if function(a) > function(b) {
            from = a;
        } else {
            to = b;
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::floats;

    #[test]
    fn courses_of_functions() {
        let silu = |x: f32| x * floats::sigmoid(x);
        let of = |function: &dyn Fn(f32) -> f32| course(function, [-30.0, 700.0], 1e-5);
        let Some(Course::Valley(turn)) = of(&silu) else { panic!("a valley") };
        assert!((turn + 1.278_464_5).abs() < 1e-3, "{turn}");
        let Some(Course::Hill(turn)) = of(&|x| -silu(x)) else { panic!("a hill") };
        assert!((turn + 1.278_464_5).abs() < 1e-3, "{turn}");
        let Some(Course::Valley(turn)) = of(&floats::gelu) else { panic!("a valley") };
        assert!((turn + 0.751_791_5).abs() < 1e-3, "{turn}");
        assert_eq!(of(&floats::tanh), Some(Course::Rising));
        assert_eq!(of(&|x| -x), Some(Course::Falling));
        assert_eq!(of(&|_| 3.0), Some(Course::Rising));
        assert_eq!(of(&f32::sin), None);
        assert_eq!(of(&f32::sqrt), None);
        let beyond = course(&silu, [3.0, 9.0], 1e-5);
        assert_eq!(beyond, Some(Course::Rising));
    }
}
