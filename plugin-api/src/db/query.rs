//! A statement with its parameters.

use std::borrow::Cow;
use std::sync::Arc;

use exthost_abi::db::DB_ON_AUTO;
use serde::Serialize;

use super::params::Params;
use super::statement::Prepared;
use crate::Result;

/// A statement with its parameters, for [`Db::batch`](super::Db::batch); made by
/// [`query`].
#[derive(Debug)]
pub struct Query<'a>(pub(super) Result<Ask<'a>>);

/// A statement with its parameters.
///
/// When they are not what they may be, that is the error of the call it is given
/// to.
pub fn query<'a>(sql: &'a str, params: impl Serialize) -> Query<'a> {
    let params = Params::of(&params);
    Query(params.map(|params| Ask::new(Target::Sql(sql.into()), params)))
}

/// What the host is asked to run.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) params: Params,
    /// The transaction to run in, or 0.
    pub(crate) tx: u64,
    /// One of the `DB_ON_` constants.
    pub(crate) on: u32,
}

/// A statement by its text, or prepared.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    Sql(Cow<'a, str>),
    Prepared(Arc<Prepared>),
}

impl<'a> Ask<'a> {
    pub(super) fn new(target: Target<'a>, params: Params) -> Self {
        Ask {
            target,
            params: params.signed(),
            tx: 0,
            on: DB_ON_AUTO,
        }
    }

    /// What must stay prepared until the statement has run.
    pub(crate) fn prepared(&self) -> Option<Arc<Prepared>> {
        match &self.target {
            Target::Sql(_) => None,
            Target::Prepared(prepared) => Some(Arc::clone(prepared)),
        }
    }
}
