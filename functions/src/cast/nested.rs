//! Casts of arrays, maps and structs, part by part.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::datatypes::DataType as Arrow;

use super::Cast;
use crate::error::{SparkResult, quote_identifier};
use crate::types::DataType;

impl Cast<'_> {
    /// Between spatial types only the mark changes.
    pub(super) fn spatial(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        match (array.as_struct_opt(), self.to.to_arrow()) {
            (Some(rows), Arrow::Struct(fields)) if crate::geo::can_cast(self.from, self.to) => {
                Ok(Arc::new(StructArray::try_new(fields, rows.columns().to_vec(), rows.nulls().cloned())?))
            }
            _ => Err(self.unsupported()),
        }
    }

    /// The name of a part of the column that takes the values.
    fn part(&self, name: &str) -> Option<String> {
        self.column.map(|column| format!("{column}.{}", quote_identifier(&[name])))
    }

    pub(super) fn nested(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        match (self.from, self.to, self.to.to_arrow()) {
            (DataType::Array { element: from, .. }, DataType::Array { element: to, .. }, Arrow::List(field)) => {
                let list = array.as_list_opt::<i32>().ok_or_else(|| self.unsupported())?;
                let element = self.part("element");
                let values = Cast { from, to, column: element.as_deref(), ..*self }.run(list.values())?;
                Ok(Arc::new(ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned())?))
            }
            (
                DataType::Map { key: from_key, value: from_value, .. },
                DataType::Map { key: to_key, value: to_value, .. },
                Arrow::Map(field, ordered),
            ) => {
                let map = array.as_map_opt().ok_or_else(|| self.unsupported())?;
                let (key, value) = (self.part("key"), self.part("value"));
                let keys = Cast { from: from_key, to: to_key, column: key.as_deref(), ..*self }.run(map.keys())?;
                let values =
                    Cast { from: from_value, to: to_value, column: value.as_deref(), ..*self }.run(map.values())?;
                let Arrow::Struct(fields) = field.data_type() else { return Err(self.unsupported()) };
                let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
                Ok(Arc::new(MapArray::try_new(field, map.offsets().clone(), entries, map.nulls().cloned(), ordered)?))
            }
            (DataType::Struct(from), DataType::Struct(to), Arrow::Struct(fields))
                if from.fields.len() == to.fields.len() =>
            {
                let rows = array.as_struct_opt().ok_or_else(|| self.unsupported())?;
                let mut columns = Vec::with_capacity(fields.len());
                for ((from, to), column) in from.fields.iter().zip(&to.fields).zip(rows.columns()) {
                    let part = self.part(&to.name);
                    let cast = Cast { from: &from.data_type, to: &to.data_type, column: part.as_deref(), ..*self };
                    columns.push(cast.run(column)?);
                }
                if columns.is_empty() {
                    return Ok(Arc::clone(array));
                }
                Ok(Arc::new(StructArray::try_new(fields, columns, rows.nulls().cloned())?))
            }
            _ => Err(self.unsupported()),
        }
    }
}
