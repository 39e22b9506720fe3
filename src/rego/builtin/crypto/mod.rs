//! `crypto.*`: digests, message codes, keys and certificates.

mod digest;

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
        name: "crypto.sha1",
        arity: 1,
        call: digest::sha1,
    },
    Builtin {
        name: "crypto.sha256",
        arity: 1,
        call: digest::sha256,
    },
];
