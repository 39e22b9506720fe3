//! What was expected and what came, line by line.

/// Most lines of either side that are compared; beyond, both are shown whole.
const MOST: usize = 400;

/// Lines with `-` were expected, lines with `+` came.
pub(super) fn lines(expected: &str, got: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), got.lines().collect());
    if old.len() > MOST || new.len() > MOST {
        let whole = |sign: &'static str, lines: Vec<&str>| -> Vec<String> {
            lines.into_iter().map(|line| format!("{sign} {line}")).collect()
        };
        return [whole("-", old), whole("+", new)].concat();
    }
    let same = common(&old, &new);
    let mut out = Vec::new();
    let (mut left, mut right) = (0, 0);
    while left < old.len() || right < new.len() {
        let one = old.get(left);
        let other = new.get(right);
        let at = |left: usize, right: usize| {
            same.get(left)
                .and_then(|row| row.get(right))
                .copied()
                .unwrap_or_default()
        };
        match (one, other) {
            (Some(one), Some(other)) if one == other => {
                out.push(format!("  {one}"));
                left += 1;
                right += 1;
            }
            (Some(one), other) if other.is_none() || at(left + 1, right) >= at(left, right + 1) => {
                out.push(format!("- {one}"));
                left += 1;
            }
            (_, Some(other)) => {
                out.push(format!("+ {other}"));
                right += 1;
            }
            (_, None) => break,
        }
    }
    out
}

/// How many lines are common from each pair of places on.
fn common(old: &[&str], new: &[&str]) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; new.len() + 1]; old.len() + 1];
    for (left, one) in old.iter().enumerate().rev() {
        let below = table.get(left + 1).cloned().unwrap_or_default();
        let Some(row) = table.get_mut(left) else { continue };
        for (right, other) in new.iter().enumerate().rev() {
            let value = if one == other {
                below.get(right + 1).copied().unwrap_or_default() + 1
            } else {
                let down = below.get(right).copied().unwrap_or_default();
                down.max(row.get(right + 1).copied().unwrap_or_default())
            };
            if let Some(cell) = row.get_mut(right) {
                *cell = value;
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_that_differ_are_marked() {
        assert_eq!(lines("a\nb\nc", "a\nx\nc"), ["  a", "- b", "+ x", "  c"]);
        assert_eq!(lines("a", "a\nb"), ["  a", "+ b"]);
        assert_eq!(lines("a\nb", "b"), ["- a", "  b"]);
    }
}
