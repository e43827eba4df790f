//! Markdown tables with aligned columns, readable as plain text.

/// A head and rows of cells.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates a table without rows.
    pub fn new<Cell: Into<String>>(head: impl IntoIterator<Item = Cell>) -> Self {
        Self { rows: vec![head.into_iter().map(Into::into).collect()] }
    }

    /// Adds a row, with as many cells as the head.
    pub fn add<Cell: Into<String>>(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let row: Vec<_> = cells.into_iter().map(Into::into).collect();
        debug_assert_eq!(self.rows.first().map(Vec::len), Some(row.len()));
        self.rows.push(row);
    }

    /// Returns the table with a line feed after each line. Columns of numbers are aligned to the
    /// right.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let of_column = |at: usize| self.rows.iter().filter_map(move |row| row.get(at));
        let widths: Vec<_> =
            (0..columns).map(|at| of_column(at).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
        let right: Vec<_> = (0..columns).map(|at| of_column(at).skip(1).all(|cell| is_number(cell))).collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            for ((cell, &width), &right) in row.iter().zip(&widths).zip(&right) {
                text += &if right { format!("| {cell:>width$} ") } else { format!("| {cell:width$} ") };
            }
            text += "|\n";
            if number == 0 {
                let rule = |(&width, &right): (&usize, &bool)| {
                    format!("|{}{}", "-".repeat(width + 1), if right { ":" } else { "-" })
                };
                text += &widths.iter().zip(&right).map(rule).collect::<String>();
                text += "|\n";
            }
        }
        text
    }
}

/// Also true of a range, a ratio and a time.
fn is_number(cell: &str) -> bool {
    cell.chars().all(|char| char.is_ascii_digit() || ",. s-…×".contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_to_the_right() {
        let mut table = Table::new(["test", "n"]);
        table.add(["a", "1,000"]);
        table.add(["longer", ""]);
        let text = "| test   |     n |\n|--------|------:|\n| a      | 1,000 |\n| longer |       |\n";
        assert_eq!(table.to_markdown(), text);
    }
}
