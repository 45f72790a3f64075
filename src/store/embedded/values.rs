//! How the kernel's types stand in columns: ids as 12 bytes, times as milliseconds, words as text.

use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, Type, Value, ValueRef};

use crate::clock::Timestamp;
use crate::ids::{ConversationId, InviteId, LoginId, MessageId, OrderId, RoomId, UserId};

macro_rules! stored_as_bytes {
    ($($id:ty),*) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Owned(Value::Blob(self.bytes().to_vec())))
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                FromSql::column_result(value).map(Self::from_bytes)
            }
        }
    )*};
}

stored_as_bytes!(UserId, LoginId, MessageId, ConversationId, RoomId, InviteId, OrderId);

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.millis()))
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self::from_millis)
    }
}

/// The value whose word stands in this column, such as a role.
///
/// # Errors
/// The word is none of the type's: the row was not written by this program.
pub(crate) fn word<T: FromStr<Err = &'static str>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|problem: &str| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, problem.into())
    })
}
