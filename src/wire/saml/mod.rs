//! SAML 2.0: the names of its messages, and what a document must look like before any parser sees it.
//!
//! No tree, no crypto, and nothing but the standard library: `upstream/xml` parses what [`scan::text`] lets through and
//! verifies its signature, `upstream/keystone` says which messages are taken.

pub mod scan;

/// Assertions (saml-core §2).
pub const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// Requests and responses (saml-core §3).
pub const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// SOAP 1.1, in which a client carries messages from cloud to cloud.
pub const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// XML signatures (xmldsig-core1).
pub const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// The media type of an envelope (saml-profiles §4.2: the reverse SOAP binding).
pub const PAOS: &str = "application/vnd.paos+xml";
/// The one status of a response that carries an assertion (saml-core §3.2.2.2).
pub const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
/// Whoever holds the assertion may use it (saml-profiles §3.3).
pub const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// The one format of an issuer's name (saml-core §8.3.6).
pub const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
