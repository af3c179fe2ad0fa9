//! What a name of a table or view means in a session.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult};

use super::{Session, TempView};
use crate::catalog::{self, GLOBAL_TEMP, Relation, TableName};

/// What a name means.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// A temporary view, global or not.
    Temp(Arc<TempView>),
    /// A table or view of the catalog.
    Stored(Box<Relation>),
}

impl Session {
    /// The temporary view of this name.
    pub(crate) fn temp_view(&self, parts: &[String]) -> Option<Arc<TempView>> {
        let of_session = |name: &str| self.state().read().views.get(&name.to_lowercase()).cloned();
        match parts {
            [name] => of_session(name),
            [database, name] if database.eq_ignore_ascii_case(GLOBAL_TEMP) => {
                self.engine().global_views().read().get(&name.to_lowercase()).cloned()
            }
            [session, name] if session.eq_ignore_ascii_case("session") => of_session(name),
            [system, session, name]
                if system.eq_ignore_ascii_case("system") && session.eq_ignore_ascii_case("session") =>
            {
                of_session(name)
            }
            _ => None,
        }
    }

    /// A name in the catalog.
    pub(crate) fn table_name(&self, parts: &[String]) -> SparkResult<TableName> {
        TableName::resolve(parts, &self.current_database())
    }

    /// What a name means, if anything. Names in a view are looked up in the view's database.
    pub(crate) async fn find(&self, parts: &[String], database: Option<&str>) -> SparkResult<Option<Found>> {
        if let Some(view) = self.temp_view(parts) {
            return Ok(Some(Found::Temp(view)));
        }
        let current = self.current_database();
        let name = TableName::resolve(parts, database.unwrap_or(&current))?;
        Ok(self.warehouse().relation(&name).await?.map(|relation| Found::Stored(Box::new(relation))))
    }

    /// What a name means.
    pub(crate) async fn require(&self, parts: &[String]) -> SparkResult<Found> {
        match self.find(parts, None).await? {
            Some(found) => Ok(found),
            None => Err(self.unknown(parts)),
        }
    }

    /// A table, not a view.
    pub(crate) async fn require_table(&self, parts: &[String], operation: &str) -> SparkResult<Relation> {
        match self.require(parts).await? {
            Found::Stored(relation) if relation.view.is_none() => Ok(*relation),
            Found::Stored(relation) => {
                Err(not_a_table(&TableName::new(&relation.database, &relation.name).quoted(), operation))
            }
            Found::Temp(view) => {
                let parts = if view.global { vec![GLOBAL_TEMP, &view.name] } else { vec![view.name.as_str()] };
                Err(not_a_table(&firesteel_functions::error::quote_identifier(&parts), operation))
            }
        }
    }

    /// No such table or view.
    pub(crate) fn unknown(&self, parts: &[String]) -> SparkError {
        catalog::unknown_table(parts, &self.current_database())
    }
}

fn not_a_table(name: &str, operation: &str) -> SparkError {
    SparkError::analysis("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", &[("viewName", name), ("operation", operation)])
}
