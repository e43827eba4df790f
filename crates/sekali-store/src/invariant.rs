//! Assertions that stay in a release build.
//!
//! A broken invariant is a fault of this program, found before it does harm. The function returns
//! [`Error::Broken`](crate::Error::Broken), and the partition takes no more commits.

/// Returns [`Error::Broken`](crate::Error::Broken) unless a condition holds; without a condition,
/// always.
macro_rules! invariant {
    ($what:literal) => {
        return Err($crate::error::Error::Broken(concat!($what, " (", module_path!(), ":", line!(), ")")))
    };
    ($condition:expr, $what:literal) => {
        if $condition {
        } else {
            invariant!($what);
        }
    };
}

pub(crate) use invariant;
