//! What the authorizer answers to statements that change the schema, open a
//! database or a transaction.

use rusqlite::hooks::{AuthAction, Authorization};

use super::lists;
use super::place::{Place, is_statistics};
use super::policy::{Denied, Policy, Seen, Stage, allow_if, deny};

impl Policy {
    /// Whatever changes the schema, opens a database or a transaction.
    pub(super) fn definition(
        &self,
        seen: &mut Seen,
        action: &AuthAction<'_>,
        place: Place,
    ) -> Result<Authorization, Denied> {
        use AuthAction as A;
        let here = self.is_ddl() && place == Place::Main;
        let owns = |name: &str| self.scope.owns(name);
        match *action {
            A::CreateTable { table_name: name } => {
                allow_if(here && (owns(name) || is_statistics(name)), "table", name)
            }
            A::CreateIndex {
                index_name,
                table_name,
            } => {
                let named = owns(index_name) || self.scope.owns_autoindex(index_name);
                self.both(here, index_name, named, table_name)
            }
            A::CreateTrigger {
                trigger_name,
                table_name,
            } => self.both(here, trigger_name, owns(trigger_name), table_name),
            A::CreateView { view_name: name } => allow_if(here && owns(name), "table", name),
            A::CreateVtable {
                table_name,
                module_name,
            } => {
                allow_if(lists::is_module_allowed(module_name), "module", module_name)?;
                allow_if(here && owns(table_name), "table", table_name)
            }
            A::DropTable { table_name: name }
            | A::DropView { view_name: name }
            | A::DropVtable {
                table_name: name, ..
            }
            | A::Analyze { table_name: name } => {
                allow_if(here && owns(name), "table", name)?;
                seen.stage = Stage::Altering;
                Ok(Authorization::Allow)
            }
            A::DropIndex {
                index_name: name,
                table_name,
            }
            | A::DropTrigger {
                trigger_name: name,
                table_name,
            } => {
                self.both(here, name, owns(name), table_name)?;
                seen.stage = Stage::Altering;
                Ok(Authorization::Allow)
            }
            A::AlterTable {
                database_name,
                table_name,
            } => {
                let here = self.is_ddl() && Place::of(Some(database_name)) == Place::Main;
                allow_if(here && owns(table_name), "table", table_name)?;
                seen.stage = Stage::Altering;
                Ok(Authorization::Allow)
            }
            A::Reindex { index_name: name } => {
                let own = owns(name) || self.scope.owns_autoindex(name);
                allow_if(here && own, "table", name)
            }
            A::CreateTempIndex {
                index_name: name, ..
            }
            | A::CreateTempTable { table_name: name }
            | A::CreateTempTrigger {
                trigger_name: name, ..
            }
            | A::CreateTempView { view_name: name }
            | A::DropTempIndex {
                index_name: name, ..
            }
            | A::DropTempTable { table_name: name }
            | A::DropTempTrigger {
                trigger_name: name, ..
            }
            | A::DropTempView { view_name: name } => deny("temporary table", name),
            A::Transaction { .. } | A::Savepoint { .. } => deny("transaction", ""),
            A::Attach { .. } => deny("statement", "attach"),
            A::Detach { .. } => deny("statement", "detach"),
            _ => deny("statement", ""),
        }
    }

    /// Allows a thing with a name of its own that belongs to a table.
    fn both(
        &self,
        here: bool,
        name: &str,
        named: bool,
        table: &str,
    ) -> Result<Authorization, Denied> {
        allow_if(here && named, "table", name)?;
        allow_if(self.scope.owns(table), "table", table)
    }
}
