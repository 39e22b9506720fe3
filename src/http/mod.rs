//! http

pub mod fault;
pub mod page;
