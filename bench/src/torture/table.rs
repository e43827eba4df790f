//! A table in Markdown whose columns line up, so that it can be read as it is.

/// Rows of cells under a head.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// One without rows.
    pub(super) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(str::to_owned).to_vec()] }
    }

    /// Adds a row, of as many cells as the head has.
    pub(super) fn add<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(self.rows.first().map(Vec::len), Some(N));
        self.rows.push(cells.to_vec());
    }

    /// The table, with a line feed behind each line. Columns of numbers are aligned to the right.
    pub(super) fn to_markdown(&self) -> String {
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

fn is_number(cell: &str) -> bool {
    cell.chars().all(|char| char.is_ascii_digit() || ",. s".contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_to_the_right() {
        let mut table = Table::new(["test", "n"]);
        table.add(["a".to_owned(), "1,000".to_owned()]);
        table.add(["longer".to_owned(), String::new()]);
        let text = "| test   |     n |\n|--------|------:|\n| a      | 1,000 |\n| longer |       |\n";
        assert_eq!(table.to_markdown(), text);
    }
}
