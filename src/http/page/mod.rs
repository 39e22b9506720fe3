//! What people see: templates, one stylesheet, texts in English and German.
//!
//! May not know a broker call or a rule: a handler fills a view of [`view`] and calls [`Pages::show`].
//! Everything is embedded and compiled once at load. There is no script, so the content security policy
//! can forbid all of them; there is nothing from elsewhere, so nobody else learns who signs in here.
//! Start at [`render`].

pub mod assets;
pub mod headers;
pub mod language;
pub mod render;
pub mod texts;
pub mod view;

pub use language::Language;
pub use render::{Frame, PageFault, Pages};
