//! Rows as comma-separated values (RFC 4180), harmless to spreadsheets that take a leading `=` for a formula.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// Rows with named columns.
#[derive(Debug)]
pub(in crate::http) struct Table {
    columns: Vec<String>,
    rows: Vec<Value>,
}

impl Table {
    /// The rows' fields in their order; without rows the fields of a default one, so that the header never lacks.
    pub(in crate::http) fn of<T: Serialize + Default>(rows: &[T]) -> Self {
        let value = |row: &T| serde_json::to_value(row).unwrap_or_default();
        let rows: Vec<Value> = rows.iter().map(value).collect();
        let empty = value(&T::default());
        let fields = rows.first().unwrap_or(&empty).as_object();
        Self { columns: fields.map(|fields| fields.keys().cloned().collect()).unwrap_or_default(), rows }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\r\n", self.columns.join(","))?;
        for row in &self.rows {
            for (index, column) in self.columns.iter().enumerate() {
                if index > 0 {
                    f.write_str(",")?;
                }
                write_cell(f, row.get(column).unwrap_or(&Value::Null))?;
            }
            f.write_str("\r\n")?;
        }
        Ok(())
    }
}

fn write_cell(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Null => Ok(()),
        Value::Bool(_) | Value::Number(_) => write!(f, "{value}"),
        Value::String(text) => write_text(f, text),
        Value::Array(_) | Value::Object(_) => write_text(f, &value.to_string()),
    }
}

/// Text comes from strangers: a leading character that starts a formula is kept from doing so by a quote.
fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let defuse = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains(['"', ',', '\n', '\r']) {
        write!(f, "\"{defuse}{}\"", text.replace('"', "\"\""))
    } else {
        write!(f, "{defuse}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Default)]
    struct Row {
        query: &'static str,
        calls: u64,
        tables: Vec<&'static str>,
        p95_ms: Option<f64>,
    }

    #[test]
    fn cells_are_quoted_and_formulas_defused() {
        let rows = [
            Row { query: "=cmd|' /C calc'!A0", calls: 3, tables: vec!["a", "b"], p95_ms: Some(1.5) },
            Row { query: "select \"x\",\n1", calls: 0, tables: vec![], p95_ms: None },
        ];
        let expected = "query,calls,tables,p95_ms\r\n'=cmd|' /C calc'!A0,3,\"[\"\"a\"\",\"\"b\"\"]\",1.5\r\n\
                        \"select \"\"x\"\",\n1\",0,[],\r\n";
        assert_eq!(Table::of(&rows).to_string(), expected);
        for start in ["+1", "-1", "@a", "\t=1"] {
            let row = Row { query: start, ..Row::default() };
            assert!(Table::of(&[row]).to_string().contains(&format!("\r\n'{start},")), "{start}");
        }
    }

    #[test]
    fn no_rows_still_have_a_header() {
        assert_eq!(Table::of::<Row>(&[]).to_string(), "query,calls,tables,p95_ms\r\n");
    }
}
