//! `io.jwt.*`: JSON Web Tokens as OPA reads, verifies and makes them.
//!
//! Start at [`token`]. Only the thirteen algorithms of [`algorithm`] exist; there is no "none", and a key never
//! verifies with an algorithm of another kind of key, which is what stops a public key being used as an HMAC
//! secret (RFC 8725, 3.1).

mod algorithm;
mod constraints;
mod decode;
mod jwk;
mod sign;
mod token;
mod verify;

use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "io.jwt.decode",
        arity: 1,
        call: decode::decode,
    },
    Builtin {
        name: "io.jwt.decode_verify",
        arity: 2,
        call: decode::decode_verify,
    },
    Builtin {
        name: "io.jwt.encode_sign",
        arity: 3,
        call: sign::encode_sign,
    },
    Builtin {
        name: "io.jwt.encode_sign_raw",
        arity: 3,
        call: sign::encode_sign_raw,
    },
    Builtin {
        name: "io.jwt.verify_eddsa",
        arity: 2,
        call: verify::eddsa,
    },
    Builtin {
        name: "io.jwt.verify_es256",
        arity: 2,
        call: verify::es256,
    },
    Builtin {
        name: "io.jwt.verify_es384",
        arity: 2,
        call: verify::es384,
    },
    Builtin {
        name: "io.jwt.verify_es512",
        arity: 2,
        call: verify::es512,
    },
    Builtin {
        name: "io.jwt.verify_hs256",
        arity: 2,
        call: verify::hs256,
    },
    Builtin {
        name: "io.jwt.verify_hs384",
        arity: 2,
        call: verify::hs384,
    },
    Builtin {
        name: "io.jwt.verify_hs512",
        arity: 2,
        call: verify::hs512,
    },
    Builtin {
        name: "io.jwt.verify_ps256",
        arity: 2,
        call: verify::ps256,
    },
    Builtin {
        name: "io.jwt.verify_ps384",
        arity: 2,
        call: verify::ps384,
    },
    Builtin {
        name: "io.jwt.verify_ps512",
        arity: 2,
        call: verify::ps512,
    },
    Builtin {
        name: "io.jwt.verify_rs256",
        arity: 2,
        call: verify::rs256,
    },
    Builtin {
        name: "io.jwt.verify_rs384",
        arity: 2,
        call: verify::rs384,
    },
    Builtin {
        name: "io.jwt.verify_rs512",
        arity: 2,
        call: verify::rs512,
    },
];
