//! Tables as OPA's commands draw them.

/// Rows below a header, if there is one. Columns of the header are centred, others begin at the left.
pub(super) fn draw(header: Option<&[String]>, rows: &[Vec<String>]) -> String {
    let columns = header.map_or_else(|| rows.iter().map(Vec::len).max().unwrap_or_default(), <[_]>::len);
    let cell = |row: &[String], at: usize| row.get(at).map_or(0, |text| text.chars().count());
    let widths: Vec<usize> = (0..columns)
        .map(|at| {
            let rows = rows.iter().map(|row| cell(row, at)).max().unwrap_or_default();
            rows.max(header.map_or(0, |header| cell(header, at)))
        })
        .collect();
    let border = |left: &str, between: &str, right: &str| {
        let parts: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
        format!("{left}{}{right}", parts.join(between))
    };
    let line = |row: &[String], centred: bool| {
        let cells: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(at, width)| {
                let text = row.get(at).map_or("", String::as_str);
                let free = width - text.chars().count();
                let before = if centred { free / 2 } else { 0 };
                format!(" {}{text}{} ", " ".repeat(before), " ".repeat(free - before))
            })
            .collect();
        format!("│{}│", cells.join("│"))
    };
    let mut lines = vec![border("┌", "┬", "┐")];
    if let Some(header) = header {
        lines.push(line(header, true));
        lines.push(border("├", "┼", "┤"));
    }
    lines.extend(rows.iter().map(|row| line(row, false)));
    lines.push(border("└", "┴", "┘"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn a_table_is_drawn_as_opa_draws_it() {
        let header = ["x".to_owned(), "y".to_owned()];
        let rows = [
            vec!["1".to_owned(), "2".to_owned()],
            vec!["{\"b\":[1,2]}".to_owned(), "2".to_owned()],
        ];
        let wanted = "┌─────────────┬───┐\n│      x      │ y │\n├─────────────┼───┤\n│ 1           │ 2 │\n│ {\"b\":[1,2]} │ 2 │\n└─────────────┴───┘";
        assert_eq!(draw(Some(&header), &rows), wanted);
    }
}
