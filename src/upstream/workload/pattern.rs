//! Patterns of conditions: `*` stands for anything but `/`, `**` for anything. So `acme/*` lets no project of a
//! subgroup in, and `release/*` no branch that somebody may name `release/x/y`.

/// What a pattern is made of.
enum Piece {
    Letter(char),
    Segment,
    Everything,
}

/// Whether a pattern is nothing but stars: it lets nearly every value pass.
pub(super) fn is_everything(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.chars().all(|letter| letter == '*')
}

/// Whether the whole of `text` fits. The work is bounded by the lengths of both, whatever stars there are.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let pieces = pieces(pattern);
    // `reached[i]`: the first `i` pieces can stand for the text read so far.
    let mut reached = vec![false; pieces.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    skip_stars(&pieces, &mut reached);
    for letter in text.chars() {
        let mut next = vec![false; reached.len()];
        for (place, piece) in pieces.iter().enumerate() {
            if !reached.get(place).copied().unwrap_or_default() {
                continue;
            }
            let to = match piece {
                Piece::Letter(own) if *own == letter => place + 1,
                Piece::Segment if letter != '/' => place,
                Piece::Everything => place,
                Piece::Letter(_) | Piece::Segment => continue,
            };
            if let Some(there) = next.get_mut(to) {
                *there = true;
            }
        }
        skip_stars(&pieces, &mut next);
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

/// A star may stand for nothing.
fn skip_stars(pieces: &[Piece], reached: &mut [bool]) {
    for (place, piece) in pieces.iter().enumerate() {
        let star = matches!(piece, Piece::Segment | Piece::Everything);
        if star
            && reached.get(place).copied().unwrap_or_default()
            && let Some(after) = reached.get_mut(place + 1)
        {
            *after = true;
        }
    }
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        pieces.push(match letter {
            '*' if letters.next_if_eq(&'*').is_some() => Piece::Everything,
            '*' => Piece::Segment,
            letter => Piece::Letter(letter),
        });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_its_segment() {
        for (pattern, text, fit) in [
            ("main", "main", true),
            ("main", "maint", false),
            ("main", "mai", false),
            ("release/*", "release/1.2", true),
            ("release/*", "release/", true),
            ("release/*", "release/a/b", false),
            ("release/**", "release/a/b", true),
            ("acme/*", "acme/x", true),
            ("acme/*", "evil/acme/x", false),
            ("*", "main", true),
            ("*", "feature/x", false),
            ("**", "feature/x", true),
            ("*-prod-*", "eu-prod-1", true),
            ("*-prod-*", "eu-stage-1", false),
            ("a*b*c", "aXbYbZc", true),
            ("", "", true),
            ("", "x", false),
            ("Ü*", "Übung", true),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_lengths() {
        assert!(!fits(&"*a".repeat(200), &"a".repeat(199)));
        assert!(fits(&"*a".repeat(200), &"a".repeat(400)));
    }

    #[test]
    fn what_lets_everything_pass_is_known() {
        for (pattern, is) in [
            ("**", true),
            ("***", true),
            ("*", true),
            ("a**", false),
            ("", false),
        ] {
            assert_eq!(is_everything(pattern), is, "{pattern}");
        }
    }
}
