//! Messages of a partner's Keystone, read and verified on one core, against the floor: the same signature verified alone.
//!
//! The message is the one of the unit tests, as Keystone made it; its time stands still. Both sides run in turns in this
//! process.

use std::{hint::black_box, path::PathBuf, time::Instant};

use aws_lc_rs::{
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use fedgate::{
    domain::time::Timestamp,
    upstream::keystone::{Config, Partner},
};
use serde_json::json;

use crate::report::{Limit, Report};

const MESSAGE: &str = include_str!("../../tests/fixtures/saml/sha256.xml");
/// When it was made.
const NOW: Timestamp = Timestamp(1_795_661_944);
/// Turns of each side.
const TURNS: usize = 5;
const TIMES: u32 = 500;
/// XML may cost so many times the signature alone (saml.md: samael with its gate took 30 times as long).
const LEAST: f64 = 1.0 / 30.0;

pub fn run(report: &mut Report) {
    let partner = partner();
    let floor = floor();
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(per_second(|| {
            assert!(partner.read(black_box(MESSAGE.as_bytes()), NOW).is_ok());
        }));
        alone.push(per_second(&floor));
    }
    let (ours, alone) = (median(ours), median(alone));
    report.add(
        (
            "saml_per_s",
            "messages of a partner's Keystone (6.0 KB, RSA-SHA256) verified by one core",
        ),
        ours,
        "per second",
        Limit::Told,
    );
    report.add(
        ("saml_floor_per_s", "the RSA-2048 signature alone"),
        alone,
        "per second",
        Limit::Told,
    );
    report.add(
        ("saml_to_floor", "the first to the second"),
        ours / alone,
        "",
        Limit::AtLeast(LEAST),
    );
}

fn partner() -> Partner {
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/saml/partner.pem");
    let config: Config = serde_json::from_value(json!({
        "id": "partner", "name": "A partner", "tenant": "acme",
        "entity_id": "https://keystone.partner.example/v3/OS-FEDERATION/saml2/idp",
        "certificates": [PathBuf::from(certificate)],
    }))
    .unwrap();
    Partner::open(config, "https://gw.example").unwrap()
}

/// One verification of a signature by a key of the same size over a text as long as what is signed there.
fn floor() -> impl Fn() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let text = [b'x'; 900];
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = aws_lc_rs::rand::SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, &text, &mut signature)
        .unwrap();
    let key = pair.public_key().as_ref().to_vec();
    move || {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key);
        key.verify(black_box(&text), &signature).unwrap();
    }
}

fn per_second(work: impl Fn()) -> f64 {
    let began = Instant::now();
    for _ in 0..TIMES {
        work();
    }
    f64::from(TIMES) / began.elapsed().as_secs_f64()
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
