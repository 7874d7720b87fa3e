//! `db/1`.

mod done;
mod query;
mod rows;
mod statements;
mod transactions;

use exthost_abi::db::DbTable;

pub(super) static TABLE: DbTable = DbTable {
    migrate: transactions::migrate,
    migrate_async: transactions::migrate_async,
    prepare: statements::prepare,
    prepare_async: statements::prepare_async,
    close: statements::close,
    exec: statements::exec,
    exec_async: statements::exec_async,
    run: statements::run,
    run_async: statements::run_async,
    rows: statements::rows,
    rows_async: statements::rows_async,
    batch: statements::batch,
    batch_async: statements::batch_async,
    begin: transactions::begin,
    begin_async: transactions::begin_async,
    commit: transactions::commit,
    commit_async: transactions::commit_async,
    rollback: transactions::rollback,
    rollback_async: transactions::rollback_async,
    dialect: transactions::dialect,
};
