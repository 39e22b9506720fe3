//! Functions at their corners: the same calls are answered by us and by the real OPA. No answer may differ, and what
//! is undefined there is undefined here.

use std::{fmt::Write as _, fs, path::Path, process::Command, sync::Arc};

use fedgate::rego::{How, Module, Options, Snapshot, Value, Version};
use serde_json::{Value as Json, json};

/// Calls, and the values that stand for `$0`, `$1`, … in them: as input, so that no type checker looks into them.
#[derive(Default)]
struct Table {
    calls: Vec<String>,
    values: Vec<Json>,
}

impl Table {
    fn value(&mut self, value: &Json) -> String {
        let at = self
            .values
            .iter()
            .position(|known| known == value)
            .unwrap_or_else(|| {
                self.values.push(value.clone());
                self.values.len() - 1
            });
        format!("input.v[{at}]")
    }

    /// Every call with every choice of the values for its places.
    fn all(&mut self, calls: &[&str], places: &[&[Json]]) {
        let mut choices: Vec<Vec<String>> = vec![Vec::new()];
        for values in places {
            let named: Vec<String> = values.iter().map(|value| self.value(value)).collect();
            choices = choices
                .iter()
                .flat_map(|before| {
                    named
                        .iter()
                        .map(|name| [before.clone(), vec![name.clone()]].concat())
                })
                .collect();
        }
        for call in calls {
            for choice in &choices {
                let mut text = (*call).to_owned();
                for (at, name) in choice.iter().enumerate() {
                    text = text.replace(&format!("${at}"), name);
                }
                self.calls.push(text);
            }
        }
    }

    fn module(&self) -> String {
        let mut text = "package d\n\n".to_owned();
        for (at, call) in self.calls.iter().enumerate() {
            let _ = writeln!(text, "c{at} := x if x := {call}");
        }
        text
    }

    fn shown(&self, call: &str) -> String {
        let mut text = call.to_owned();
        for (at, value) in self.values.iter().enumerate().rev() {
            text = text.replace(&format!("input.v[{at}]"), &value.to_string());
        }
        text
    }
}

fn theirs(opa: &Path, table: &Table) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let (module, input) = (folder.path().join("d.rego"), folder.path().join("in.json"));
    fs::write(&module, table.module()).unwrap();
    fs::write(&input, json!({"v": table.values}).to_string()).unwrap();
    let output = Command::new(opa)
        .args(["eval", "--format", "json", "data.d", "--data"])
        .arg(&module)
        .arg("--input")
        .arg(&input)
        .output()
        .unwrap();
    let answer: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["result"].is_array(), "opa: {answer}");
    answer["result"][0]["expressions"][0]["value"].clone()
}

fn ours(table: &Table) -> Json {
    let module = Module {
        id: "d.rego".into(),
        text: table.module(),
        version: Version::V1,
    };
    let snapshot = Snapshot::build(vec![Arc::new(module)], Value::new_object(), &Options::default()).unwrap();
    let input = Value::from_json_str(&json!({"v": table.values}).to_string()).unwrap();
    let how = How {
        limit: std::time::Duration::from_secs(60),
        ..How::default()
    };
    let got = snapshot.evaluate(&["d"], Some(input), &how).unwrap();
    serde_json::from_str(&got.value.unwrap().to_string()).unwrap()
}

/// Numbers compare by their value.
fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => {
            // Both texts were read here, and their last digit may be lost in that.
            let (one, other) = (
                one.as_f64().unwrap_or_default(),
                other.as_f64().unwrap_or_default(),
            );
            (one - other).abs() <= 1e-15 * one.abs()
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|there| same(value, there)))
        }
        _ => one == other,
    }
}

fn check(table: &Table) {
    let Some(opa) = crate::parts::opa::binary() else {
        return;
    };
    let (want, got) = (theirs(&opa, table), ours(table));
    let mut different = Vec::new();
    for (at, call) in table.calls.iter().enumerate() {
        let name = format!("c{at}");
        let (want, got) = (want.get(&name), got.get(&name));
        let fine = match (want, got) {
            (Some(want), Some(got)) => same(want, got),
            (want, got) => want == got,
        };
        if !fine {
            let say = |value: Option<&Json>| value.map_or("undefined".to_owned(), Json::to_string);
            different.push(format!(
                "{}: opa {}, ours {}",
                table.shown(call),
                say(want),
                say(got)
            ));
        }
    }
    println!("{} calls, {} different", table.calls.len(), different.len());
    let shown = different.iter().take(60).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        different.is_empty(),
        "{} are different:\n{shown}",
        different.len()
    );
}

/// The literals as they are read here and there.
fn values(text: &str) -> Vec<Json> {
    serde_json::from_str(text).unwrap()
}

const TIMES: &str = "[0, 1700000000123456789, -1, 1709164800000000000, 9223372036854775807, -9223372036854775808, \
                     1000000000000000000, 1.5, 92233720368547758070, 1720000000500000000, 4102444800000000000, 2000000000000000000]";
const ZONES: &str = r#"["UTC", "", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "America/Sao_Paulo", "Pacific/Apia",
    "Nowhere/X", "Australia/Lord_Howe", "Africa/Casablanca", "Europe/London", "Etc/GMT+5", "Asia/Kathmandu"]"#;
const LAYOUTS: &str = r#"["RFC3339", "ANSIC", "UnixDate", "RubyDate", "RFC822", "RFC822Z", "RFC850", "RFC1123", "RFC1123Z",
    "RFC3339Nano", "2006-01-02", "Jan _2 06 03:04PM", "Monday 2 January", "15h 04m 05.000 MST", "05.999999 Z07:00 -07",
    "002 yyyy", "__2", "2006-01-02T15:04:05.000000000Z07:00", "Mon Jan", "pm PM", "1/2/06 3:4:5", "Stamp", "Kitchen",
    ".00 ,000", "20060102150405", "", "_2006 Janus Mono", "-070000 Z070000 -07:00:00 Z07:00:00", ".999 .000000000000 .0001",
    "ä 2 ö", "Z0700 Z07 -0700", "05.9 5,9 .99"]"#;

#[test]
fn times() {
    let mut table = Table::default();
    let (times, zones) = (values(TIMES), values(ZONES));
    let layouts = values(LAYOUTS);
    table.all(
        &[
            "time.date($0)",
            "time.clock($0)",
            "time.weekday($0)",
            "time.format($0)",
        ],
        &[&times],
    );
    table.all(
        &[
            "time.date([$0, $1])",
            "time.clock([$0, $1])",
            "time.weekday([$0, $1])",
            "time.format([$0, $1])",
            "time.format([$0, $1, \"RFC1123\"])",
            "time.diff([$0, $1], 1700000000000000000)",
            "time.diff(0, [$0, $1])",
        ],
        &[&times, &zones],
    );
    let both = times
        .iter()
        .flat_map(|time| zones.iter().map(move |zone| json!([time, zone])));
    let both: Vec<Json> = both.collect();
    table.all(
        &["time.add_date($0, 0, 1, 1)", "time.add_date($0, 1, -7, -45)"],
        &[&both],
    );
    table.all(&["time.format([$0, \"Europe/Berlin\", $1])"], &[&times, &layouts]);
    table.all(
        &["time.add_date($0, $1, $2, $3)"],
        &[
            &times,
            &values("[0, 1, -1, 300, 1.5]"),
            &values("[0, 1, -13, 25]"),
            &values("[0, 31, -400, 100000000]"),
        ],
    );
    table.all(
        &[
            "time.diff($0, $1)",
            "time.diff([$0, \"America/New_York\"], [$1, \"Asia/Kolkata\"])",
        ],
        &[&times, &times],
    );
    check(&table);
}

#[test]
fn texts_of_times() {
    let mut table = Table::default();
    let parsed = values(
        r#"[["2006-01-02","2024-02-29"],["2006-01-02","2023-02-29"],["RFC3339","2024-01-01T00:00:00Z"],
        ["RFC1123","Mon, 02 Jan 2006 15:04:05 MST"],["RFC822","02 Jan 06 15:04 UTC"],["2006-01-02 15:04","2024-1-2 3:4"],
        ["Jan 2 2006","Feb 3 2024"],["January _2 2006","February  3 2024"],["15:04","23:59"],["3:04PM","11:59PM"],
        ["3:04PM","12:00AM"],["3:04pm","12:00pm"],["2006-002","2024-060"],["2006-002","2023-060"],["2006-002","2023-366"],
        ["2006-01-02 002","2024-02-29 060"],["2006-01-02 002","2024-02-28 060"],["2006 __2","2024   7"],
        ["2006-01-02T15:04:05","2024-01-01T00:00:00.123"],["2006-01-02T15:04:05.000","2024-01-01T00:00:00.12"],
        ["2006-01-02T15:04:05.999","2024-01-01T00:00:00"],["2006-01-02T15:04:05.9","2024-01-01T00:00:00.123456789123"],
        ["2006-01-02Z07:00","2024-01-01+02:00"],["2006-01-02Z07:00","2024-01-01Z"],["2006-01-02 -0700","2024-01-01 +0230"],
        ["2006-01-02 -07","2024-01-01 -11"],["2006-01-02 -07:00:00","2024-01-01 -11:00:30"],["2006-01-02 Z0700","2024-01-01 x0230"],
        ["06","68"],["06","69"],["Monday","Friday"],["Mon","fri"],["Mon","xyz"],["2006-01-02 MST","2024-01-01 CET"],
        ["2006-01-02 MST","2024-01-01 GMT+3"],["2006-01-02 MST","2024-01-01 +03"],["2006-01-02 MST","2024-01-01 ABCDE"],
        ["2006-01-02 MST","2024-01-01 WITA"],["2006-01-02 MST","2024-01-01 ChST"],["2006","1700"],["2006","1677"],
        ["2006","2262"],["2006","2263"],["x2006","x2000"],["x2006","y2000"],["2006 01","2006    01"],["2006-01-02"," 2024-01-01"],
        ["2006-01-02","2024-01-01 x"],["15:04","24:00"],["15:04","12:60"],["15:04:05","12:00:60"],["2006-01-02","2024-13-01"],
        ["2006-01-02","2024-00-01"],["2006-01-02","2024-01-00"],["2006-01-02","20240-01-01"],["ä2006","ä2000"],["2006","20ä"],
        ["UnixDate","Mon Jan  2 15:04:05 CET 2006"],["RubyDate","Mon Jan 02 15:04:05 -0700 2006"],["ANSIC","Mon Jan  2 15:04:05 2006"],
        ["RFC850","Monday, 02-Jan-06 15:04:05 UTC"],["RFC3339Nano","2024-01-01T00:00:00.5+01:00"],["_2 Jan 2006","9 Jan 2000"],
        ["1 2 2006","12 31 1999"],["03 PM","13 PM"],["3 PM","0 AM"],["2006-01-02 15:04:05,000","2024-01-01 00:00:00.250"]]"#,
    );
    table.all(&["time.parse_ns($0[0], $0[1])"], &[&parsed]);
    table.all(
        &["time.parse_rfc3339_ns($0)"],
        &[&values(
            r#"["2024-01-01T00:00:00Z","2024-01-01T00:00:00+01:00","2024-01-01T00:00:00.5Z","2024-01-01t00:00:00z",
            "2024-01-01 00:00:00Z","2024-13-01T00:00:00Z","1600-01-01T00:00:00Z","2024-01-01T24:00:00Z","2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00,5Z","2024-01-01T0:00:00Z","2024-01-01T00:00:00","2024-01-01T00:00:00+24:00","2024-1-1T00:00:00Z",
            "2024-01-01T00:00:00.123456789123Z","2024-01-01T00:00:00+0100","","2262-04-11T23:47:16.854775808Z"]"#,
        )],
    );
    table.all(
        &["time.parse_duration_ns($0)"],
        &[&values(
            r#"["1h","1h30m","1.5h","-2m","+3s","1d","2w","1y","1d2h","100ms","5us","5µs","7ns","1","","h","1x","1h1h",
            "1.5.5h","9999999h","0","-","1d-1h",".5s","1.s","1D"]"#,
        )],
    );
    check(&table);
}

const NUMBERS: &str = "[0, 1, -1, 2, 10, 255, 1.5, -2.5, 0.1, 100, -7, 123456789.123, 12345678901234567890, \
                       -98765432109876543210, 0.000012345, 1234567.25, 65, 233, 128578]";
const VERBS: &str = r#"["%d","%v","%s","%f","%.2f","%g","%e","%x","%X","%o","%O","%b","%c","%q","%5d|","%-5d|","%05d","%+d","% d",
    "%U","%#U","%t","%8.3f","%-8.3f|","%08.3f","%+.1e","%6v|","%T","%%","%!","%","%d %d","%[1]d","%[2]d","%[1]v %[1]v","%[x]d",
    "%[1","%*d","%.*f","%E","%G","%#x","%#o","%#b","%.0d","%.3d","%10.4d|","%-10.4d|","%.10g","%.3g","%#g","%#v","%+v",
    "%z","%5%","%F","ä%dö","%.d","%.","%1000001d","%[3]*.[2]*[1]f","%6.2f%%","%x %X","% x","%#.3x"]"#;

#[test]
fn texts_of_numbers() {
    let mut table = Table::default();
    let (numbers, verbs) = (values(NUMBERS), values(VERBS));
    table.all(
        &["sprintf($1, [$0])", "sprintf($1, [$0, 3])"],
        &[&numbers, &verbs],
    );
    table.all(&["sprintf($0, [])", "sprintf($0, [5, 2, 12.25])"], &[&verbs]);
    let others = values(
        r#"["", "abc", "äöü", "日本語", "a\tb\nc\u0000\u001f\u007f\u2028\u00ad", "🙂x", "e\u0301", "`x`", "\"q\"", true, null,
        [1, "a", null], {"a": {"b": [1.5]}}, [], {}]"#,
    );
    let verbs = values(
        r#"["%v","%s","%d","%q","%x","%X","%t","%T","%5s|","%-5s|","%05s|","%.2s|","%+v","%#v","%+q","%#q","% x","%#x","% #X","%.1q",
        "%c","%10.2x|","%f","%p","%U","%w"]"#,
    );
    table.all(&["sprintf($1, [$0])"], &[&others, &verbs]);
    check(&table);
}

#[test]
fn letters_bits_and_bytes() {
    let mut table = Table::default();
    let texts = values(
        r#"["", "aB", "äÖ", "ß", "İ", "ı", "ŉ", "ǆ", "ǅ", "Σας", "ΣΑΣ", "ᾳ", "ᾼ", "ᾀ", "ﬀ", "ẞ", "և", "ΐ", "K", "Å", "ſ"]"#,
    );
    table.all(&["lower($0)", "upper($0)"], &[&texts]);
    let numbers = values(
        "[0, 1, -1, 255, 1.5, 3.0, 10000000000, 12345678901234567890, -98765432109876543210, 1e21, -7, 64, \"1\"]",
    );
    table.all(
        &["bits.and($0, $1)", "bits.or($0, $1)", "bits.xor($0, $1)"],
        &[&numbers, &numbers],
    );
    table.all(&["bits.negate($0)"], &[&numbers]);
    table.all(
        &["bits.lsh($0, $1)", "bits.rsh($0, $1)"],
        &[&numbers, &values("[0, 1, 3, 62, 63, 64, 70, -1, 1.5]")],
    );
    let mut sizes = values(
        r#"["1","1k","1K","1Ki","1m","1.5M","1e3","1E","1Ei","10 k","\"5\"","-3k","1kk","k","1.2.3k","1e","1e2k","0.001","1Mi","5mb",
        "1KB","1kib","1MiB","1eb","100E","1g","1t","1p","1.50","2.1gb","2.1e","0.1k","1e-3m","+4k",".5k","5.k","1e1234567","","x",
        "12345678901234567890123","8978.638524eib","1e+2","1e+","1-2","99999999999999999999.9k","0.0000000000000001e18","1_000k"]"#,
    );
    sizes.extend((0..80).map(|at| json!(format!("{}.{}gb", at / 3, at))));
    table.all(&["units.parse_bytes($0)"], &[&sizes]);
    check(&table);
}

#[test]
fn encodings_and_paths() {
    let mut table = Table::default();
    let texts = [
        "",
        "a",
        "ab",
        "YQ==",
        "YR==",
        "YWI",
        "YW\nI=",
        "-_8",
        "+/8=",
        "%zz",
        "a b*~",
        "é&<>\"\\",
        "\u{2028}",
        "1h",
        "1Ki",
        "1KI",
        "2M",
        "3m",
        "1E",
        "1e2k",
        "7\"k\"",
        "1 k",
        "null",
        "[1]",
        "{\"type\":1}",
    ]
    .map(Json::from);
    let others = [json!(null), json!(1.5), json!([1, "a"]), json!({"a": "b"})];
    let any = [texts.as_slice(), &others].concat();
    let calls = [
        "base64.decode($0)",
        "base64.is_valid($0)",
        "base64url.decode($0)",
        "json.marshal($0)",
        "json.verify_schema($0)[0]",
        "units.parse($0)",
        "urlquery.encode($0)",
        "strings.render_template(\"{{urlquery .v}}\", {\"v\": $0})",
    ];
    table.all(&calls, &[&any]);
    let numbers = [-2, -1, 0, 1, 2, 8, 10, 16].map(Json::from);
    let parts = [numbers.as_slice(), &[json!(1.5), json!(1e21), json!("1")]].concat();
    let texts = ["", "abc", "é日本"].map(Json::from);
    table.all(&["substring($0, $1, $2)"], &[&texts, &parts, &parts]);
    let wholes = [
        json!(15.9),
        json!(-15.9),
        json!(-0.5),
        json!(1e21),
        json!(18_446_744_073_709_551_615_u64),
        json!("1"),
    ];
    table.all(&["format_int($0, $1)"], &[&wholes, &parts]);
    let document = json!({"a": [1, 2, {"b": "<x>&", "c": []}], "d": {}, "e": "q\"\\", "z": "é"});
    let options = [
        json!({}),
        json!({"pretty": true}),
        json!({"indent": "  "}),
        json!({"prefix": "> "}),
        json!({"prefix": "p", "indent": "i", "pretty": false}),
        json!({"pretty": 1}),
        json!({"other": true}),
    ];
    table.all(
        &["json.marshal_with_options($0, $1)"],
        &[&[document, json!([])], &options],
    );
    let objects = [
        json!({"a": "b c*~", "z": ["1", "é"]}),
        json!({"b": "x", "a": []}),
        json!({"a": 1}),
        json!({"a": [1]}),
        json!({}),
    ];
    table.all(&["urlquery.encode_object($0)"], &[&objects]);
    let graphs = [
        json!({"a": ["b", "a"], "b": ["c"], "c": ["a"], "d": "x", "e": []}),
        json!({"a": {"b": 1}, "b": null}),
        json!({}),
    ];
    let starts = [json!(["a", "b", "d", "e", "q"]), json!([]), json!("a")];
    table.all(&["graph.reachable_paths($0, $1)"], &[&graphs, &starts]);
    check(&table);
}
