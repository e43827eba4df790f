//! The clients of a server, and how they share what there is only so much of.
//!
//! A [`Client`] is the API key of a request, or else the address that it came from. However much
//! one client asks for, another finds room: in [`SharedMemory`] a client may hold as much as is
//! still free.

mod client;
mod memory;

pub(crate) use client::{Client, network};
pub(crate) use memory::{HeldMemory, MemorySizes, SharedMemory};
