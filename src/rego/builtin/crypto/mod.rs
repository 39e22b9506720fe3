//! `crypto.*`: digests, message codes, keys and certificates.
//!
//! Certificates and keys become the documents that Go's types have in JSON, because policies name those fields.

mod certificate;
mod chain;
mod digest;
mod document;
mod hostname;
mod input;
mod names;
mod pair;
mod private;
mod request;
mod verify;

use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "crypto.hmac.equal",
        arity: 2,
        call: digest::equal,
    },
    Builtin {
        name: "crypto.hmac.md5",
        arity: 2,
        call: digest::hmac_md5,
    },
    Builtin {
        name: "crypto.hmac.sha1",
        arity: 2,
        call: digest::hmac_sha1,
    },
    Builtin {
        name: "crypto.hmac.sha256",
        arity: 2,
        call: digest::hmac_sha256,
    },
    Builtin {
        name: "crypto.hmac.sha512",
        arity: 2,
        call: digest::hmac_sha512,
    },
    Builtin {
        name: "crypto.md5",
        arity: 1,
        call: digest::md5,
    },
    Builtin {
        name: "crypto.parse_private_keys",
        arity: 1,
        call: private::parse_private_keys,
    },
    Builtin {
        name: "crypto.sha1",
        arity: 1,
        call: digest::sha1,
    },
    Builtin {
        name: "crypto.sha256",
        arity: 1,
        call: digest::sha256,
    },
    Builtin {
        name: "crypto.x509.parse_and_verify_certificates",
        arity: 1,
        call: verify::parse_and_verify,
    },
    Builtin {
        name: "crypto.x509.parse_and_verify_certificates_with_options",
        arity: 2,
        call: verify::parse_and_verify_with_options,
    },
    Builtin {
        name: "crypto.x509.parse_certificate_request",
        arity: 1,
        call: request::parse,
    },
    Builtin {
        name: "crypto.x509.parse_certificates",
        arity: 1,
        call: verify::parse,
    },
    Builtin {
        name: "crypto.x509.parse_keypair",
        arity: 2,
        call: pair::parse,
    },
    Builtin {
        name: "crypto.x509.parse_rsa_private_key",
        arity: 1,
        call: private::jwk_of_private_key,
    },
];
