//! JSON texts that are compared and searched: tokens, exact numbers, whole values.

mod number;
mod reader;
mod value;

pub(crate) use number::Decimal;
pub(crate) use reader::Reader;
pub(crate) use value::parse;
