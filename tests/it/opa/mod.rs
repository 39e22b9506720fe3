//! The engine's doors: what OPA's clients get, compared with what the real OPA answers.

mod clients;
mod doors;
mod gateway;
mod hostile;
mod keystone;
mod pairs;
mod process;
