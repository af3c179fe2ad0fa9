//! Types as the tree that `printSchema` shows, and as table columns in SQL. It knows nothing of Arrow.

use super::{DataType, StructField, StructType};

impl StructType {
    /// The tree of `printSchema`, down to `level` levels if given.
    #[must_use]
    pub fn tree_string(&self, level: Option<usize>) -> String {
        let mut out = String::from("root\n");
        let depth = level.filter(|level| *level > 0).unwrap_or(usize::MAX);
        for field in &self.fields {
            field.tree(" |", depth, &mut out);
        }
        out
    }

    /// The columns as in a `CREATE TABLE` list, for example `a INT NOT NULL,b STRING`.
    #[must_use]
    pub fn ddl(&self) -> String {
        self.fields.iter().map(StructField::ddl).collect::<Vec<_>>().join(",")
    }
}

impl StructField {
    fn tree(&self, prefix: &str, depth: usize, out: &mut String) {
        if depth == 0 {
            return;
        }
        let name = self.name.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
        out.push_str(&format!("{prefix}-- {name}: {} (nullable = {})\n", self.data_type.type_name(), self.nullable));
        self.data_type.tree(&format!("{prefix}    |"), depth - 1, out);
    }
}

impl DataType {
    fn tree(&self, prefix: &str, depth: usize, out: &mut String) {
        if depth == 0 {
            return;
        }
        let deeper = format!("{prefix}    |");
        match self {
            Self::Array { element, contains_null } => {
                out.push_str(&format!(
                    "{prefix}-- element: {} (containsNull = {contains_null})\n",
                    element.type_name()
                ));
                element.tree(&deeper, depth - 1, out);
            }
            Self::Map { key, value, value_contains_null } => {
                out.push_str(&format!("{prefix}-- key: {}\n", key.type_name()));
                key.tree(&deeper, depth - 1, out);
                out.push_str(&format!(
                    "{prefix}-- value: {} (valueContainsNull = {value_contains_null})\n",
                    value.type_name()
                ));
                value.tree(&deeper, depth - 1, out);
            }
            Self::Struct(fields) => fields.fields.iter().for_each(|field| field.tree(prefix, depth, out)),
            _ => {}
        }
    }
}
