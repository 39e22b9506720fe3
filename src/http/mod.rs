//! http

pub mod browser;
pub mod fault;
pub mod page;
