//! Real parts for tests: each file starts one and ends it when dropped.

pub mod browser;
pub mod certificates;
pub mod gateway;
pub mod keystone;
pub mod kubectl;
pub mod node;
pub mod postgres;
pub mod redis;
