//! The doors: each front end parses, makes one call of the broker, renders.

pub mod keystone;
