//! What `opa build` and `opa sign` write, read by us; and what somebody changed afterwards.

use std::{collections::BTreeMap, fs, path::Path};

use fedgate::rego::{
    Version,
    bundle::{Bundle, BundleFault, Key, Limits, Verification, read},
};

use super::opa::{packed, pair, run, write};

const POLICY: &str = "package shop.admission\n\nallow if input.user == data.shop.owner\n";
/// Numbers, texts and orders that a careless canonical form would change.
const DATA: &str = "{ \"owner\": \"änna<&>\u{2028}\", \"z\": [1.0, 1e3, -0.5, 10000000000000000000000, null],\n \"a\": {\"b\": true, \"A\": \"\\u0001\\t\\/\"} }";

fn source(folder: &Path) {
    write(
        folder,
        &[
            (
                "src/.manifest",
                r#"{"revision": "r1", "roots": ["shop"], "metadata": {"by": "test"}}"#,
            ),
            ("src/shop/admission.rego", POLICY),
            ("src/shop/data.json", DATA),
            ("claims.json", r#"{"keyid": "main", "scope": "write"}"#),
        ],
    );
}

fn verification(algorithm: &str, public: &str) -> Verification {
    let key = Key {
        key: public.to_owned(),
        algorithm: algorithm.to_owned(),
        scope: "write".to_owned(),
    };
    Verification {
        keys: BTreeMap::from([("main".to_owned(), key)]),
        ..Verification::default()
    }
}

fn taken(archive: &[u8], verification: &Verification) -> Result<Bundle, BundleFault> {
    read(archive, &Limits::default(), Some(verification))
}

#[test]
fn every_algorithm_that_opa_signs_with() {
    let Some(binary) = crate::parts::opa::binary() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    source(folder.path());
    for algorithm in [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "HS256", "HS384",
        "HS512",
    ] {
        let (private, public) = pair(algorithm);
        fs::write(folder.path().join("key.pem"), private).unwrap();
        run(
            &binary,
            folder.path(),
            &[
                "build",
                "-b",
                "src",
                "--signing-key",
                "key.pem",
                "--signing-alg",
                algorithm,
                "--claims-file",
                "claims.json",
            ],
        );
        let archive = fs::read(folder.path().join("bundle.tar.gz")).unwrap();
        let bundle = taken(&archive, &verification(algorithm, &public)).unwrap();
        assert_eq!(bundle.manifest.revision, "r1", "{algorithm}");
        assert_eq!(bundle.manifest.roots, ["shop"]);
        assert_eq!(bundle.modules.len(), 1);
        let (_, other) = pair(algorithm);
        if !algorithm.starts_with("HS") {
            let fault = taken(&archive, &verification(algorithm, &other)).unwrap_err();
            assert!(
                fault.to_string().contains("failed to verify JWT signature"),
                "{algorithm}: {fault}"
            );
        }
        // The key says which algorithm counts, not the token.
        let confused = taken(&archive, &verification("HS256", &other)).is_err();
        assert!(confused || algorithm == "HS256", "{algorithm}");
    }
}

#[test]
fn a_signed_folder_with_yaml_and_odd_numbers() {
    let Some(binary) = crate::parts::opa::binary() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    source(folder.path());
    write(
        folder.path(),
        &[(
            "src/shop/more/data.yaml",
            "rate: 1.50\nbig: 12345678901\nlist: [a, 'b', 1e3, -7]\nempty:\n",
        )],
    );
    let (private, public) = pair("ES256");
    fs::write(folder.path().join("key.pem"), private).unwrap();
    // From inside the folder: the names that are signed begin where `opa sign` is told to begin.
    run(
        &binary,
        &folder.path().join("src"),
        &[
            "sign",
            "-b",
            ".",
            "--signing-key",
            "../key.pem",
            "--signing-alg",
            "ES256",
            "--claims-file",
            "../claims.json",
        ],
    );
    let good = verification("ES256", &public);
    let bundle = taken(&packed(&folder.path().join("src")), &good).unwrap();
    assert!(
        bundle.data.to_string().contains("\"rate\":1.5"),
        "{}",
        bundle.data
    );
    // White space in structured files is not part of what is signed; everything else is.
    let data = folder.path().join("src/shop/data.json");
    fs::write(&data, DATA.replace(": ", ":")).unwrap();
    taken(&packed(&folder.path().join("src")), &good).unwrap();
    let signed_for = |change: &dyn Fn(&mut Verification)| {
        let mut other = good.clone();
        change(&mut other);
        taken(&packed(&folder.path().join("src")), &other)
            .unwrap_err()
            .to_string()
    };
    assert!(signed_for(&|v| v.scope = Some("read".into())).contains("scope mismatch"));
    assert!(signed_for(&|v| v.keys.get_mut("main").unwrap().scope.clear()).contains("scope mismatch"));
    assert!(signed_for(&|v| v.key_id = Some("other".into())).contains("ID other not found"));
    for (path, text, part) in [
        (
            "shop/data.json",
            DATA.replace("1.0", "1"),
            "shop/data.json: digest mismatch",
        ),
        (
            "shop/admission.rego",
            format!("{POLICY}\n"),
            "shop/admission.rego: digest mismatch",
        ),
        (
            "shop/extra.rego",
            POLICY.to_owned(),
            "shop/extra.rego not included in bundle signature",
        ),
        (
            ".manifest",
            "{\"revision\": \"r2\", \"roots\": [\"shop\"]}".to_owned(),
            ".manifest: digest mismatch",
        ),
    ] {
        let path = folder.path().join("src").join(path);
        let before = fs::read(&path).ok();
        fs::write(&path, text).unwrap();
        let fault = taken(&packed(&folder.path().join("src")), &good)
            .unwrap_err()
            .to_string();
        assert!(fault.contains(part), "{fault}");
        match before {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
    taken(&packed(&folder.path().join("src")), &good).unwrap();
    let excluded = Verification {
        exclude_files: vec!["shop/*.rego".into()],
        ..good.clone()
    };
    fs::write(folder.path().join("src/shop/admission.rego"), "package shop\n").unwrap();
    taken(&packed(&folder.path().join("src")), &excluded).unwrap();
    fs::remove_file(folder.path().join("src/shop/more/data.yaml")).unwrap();
    let fault = taken(&packed(&folder.path().join("src")), &excluded)
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains("file(s) [shop/more/data.yaml] specified in bundle signatures"),
        "{fault}"
    );
}

#[test]
fn signed_without_a_key_and_unsigned_with_one() {
    let Some(binary) = crate::parts::opa::binary() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    source(folder.path());
    let (private, public) = pair("ES256");
    fs::write(folder.path().join("key.pem"), private).unwrap();
    run(&binary, folder.path(), &["build", "-b", "src"]);
    let unsigned = fs::read(folder.path().join("bundle.tar.gz")).unwrap();
    read(&unsigned, &Limits::default(), None).unwrap();
    let fault = taken(&unsigned, &verification("ES256", &public)).unwrap_err();
    assert!(
        fault.to_string().contains("bundle missing .signatures.json file"),
        "{fault}"
    );
    run(
        &binary,
        folder.path(),
        &[
            "build",
            "-b",
            "src",
            "--signing-key",
            "key.pem",
            "--signing-alg",
            "ES256",
        ],
    );
    let signed = fs::read(folder.path().join("bundle.tar.gz")).unwrap();
    let fault = read(&signed, &Limits::default(), None).unwrap_err();
    assert!(
        fault.to_string().contains("verification key not provided"),
        "{fault}"
    );
    // Without claims there is no key id: the bundle's own setting has to say which key counts.
    let mut by_id = verification("ES256", &public);
    let fault = taken(&signed, &by_id).unwrap_err();
    assert!(
        fault.to_string().contains("key ID is empty") || fault.to_string().contains("not found"),
        "{fault}"
    );
    by_id.key_id = Some("main".into());
    by_id.keys.get_mut("main").unwrap().scope.clear();
    taken(&signed, &by_id).unwrap();
}

#[test]
fn the_language_of_each_file_is_what_opa_build_says() {
    let Some(binary) = crate::parts::opa::binary() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("old/p.rego", "package old\n\nallow { input.x == 1 }\n"),
            ("new/p.rego", "package new\n\nallow if input.x == 1\n"),
        ],
    );
    run(
        &binary,
        folder.path(),
        &["build", "--v0-compatible", "-b", "old", "-o", "old.tar.gz"],
    );
    run(
        &binary,
        folder.path(),
        &["build", "-b", "new", "-o", "new.tar.gz"],
    );
    for (name, version) in [("old", Version::V0), ("new", Version::V1)] {
        let archive = fs::read(folder.path().join(format!("{name}.tar.gz"))).unwrap();
        let bundle = read(&archive, &Limits::default(), None).unwrap();
        assert_eq!(bundle.modules[0].version, version, "{name}");
    }
}
