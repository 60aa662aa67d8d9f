//! Durations as `pyflyte run` takes them, and as `flyte run` does.
//!
//! ```console
//! $ pyflyte run train.py main --limit 1h30m     # --limit PT1H30M
//! ```

/// A duration for `flyte run` (`parse_duration` in `flyte/cli/_params.py`, 2.12.1): the same text where it means the
/// same, else one of ISO 8601. `None` if it cannot be read.
pub(super) fn written(text: &str) -> Option<String> {
    if is_taken(text.trim()) {
        return Some(text.to_owned());
    }
    let seconds = of_units(text).or_else(|| of_clock(text))?;
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let parts = [(hours, 'H'), (minutes, 'M'), (seconds, 'S')];
    let parts: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    Some(format!("PT{}", if parts.is_empty() { "0S" } else { &parts }))
}

/// `2 hours`, `1:24`: one number with a whole word, or minutes and seconds.
fn is_taken(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let (number, unit) = (&text[..text.len() - unit.len()], unit.trim_start().to_lowercase());
    let is_word = ["day", "hour", "minute", "second"].contains(&unit.strip_suffix('s').unwrap_or(&unit));
    let is_clock = text.split_once(':').is_some_and(|(minutes, seconds)| {
        is_number(minutes) && minutes.len() <= 2 && is_number(seconds) && seconds.len() == 2
    });
    is_number(number) && is_word || is_clock
}

/// `1d 2h`, `90m`, `2 hrs, 5 minutes`: whole numbers with their units, the greater first.
fn of_units(text: &str) -> Option<u64> {
    const UNITS: [(u64, &[&str]); 5] = [
        (604_800, &["w", "wk", "wks", "week", "weeks"]),
        (86_400, &["d", "dy", "dys", "day", "days"]),
        (3_600, &["h", "hr", "hrs", "hour", "hours"]),
        (60, &["m", "min", "mins", "minute", "minutes"]),
        (1, &["s", "sec", "secs", "second", "seconds"]),
    ];
    let mut rest = text.trim();
    let (mut total, mut next) = (0_u64, 0);
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number: u64 = rest[..rest.len() - behind.len()].parse().ok()?;
        let behind = behind.trim_start();
        let left = behind.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let unit = behind[..behind.len() - left.len()].to_lowercase();
        let position = UNITS.iter().position(|(_, names)| names.contains(&unit.as_str()))?;
        if position < next {
            return None;
        }
        next = position + 1;
        total = total.checked_add(number.checked_mul(UNITS[position].0)?)?;
        let left = left.trim_start();
        rest = left.strip_prefix([',', '/']).unwrap_or(left).trim_start();
    }
    (next > 0).then_some(total)
}

/// `1:30:00`, `:22`
fn of_clock(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let number =
        |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let of_sixty = |text: &str| number(text).filter(|_| text.len() == 2);
    match parts[..] {
        ["", seconds] => of_sixty(seconds),
        [hours, minutes, seconds] => {
            number(hours)?.checked_mul(3_600)?.checked_add(of_sixty(minutes)? * 60 + of_sixty(seconds)?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_flyte_2_takes_them() {
        for (before, after) in [
            ("2 hours", "2 hours"),
            ("10 days", "10 days"),
            ("1:24", "1:24"),
            ("2h", "PT2H"),
            ("90m", "PT1H30M"),
            ("1d 2h", "PT26H"),
            ("1w, 2 days", "PT216H"),
            ("1:30:00", "PT1H30M"),
            (":22", "PT22S"),
            ("0s", "PT0S"),
            ("2 hrs", "PT2H"),
        ] {
            assert_eq!(written(before).as_deref(), Some(after), "{before}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left() {
        for text in ["", "$LIMIT", "1.5h", "-2h", "2h 1d", "1 month", "1:2:3", "2h 3h"] {
            assert_eq!(written(text), None, "{text}");
        }
    }
}
