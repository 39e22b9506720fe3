//! A bundle of 20 MB is taken into use again and again while decisions are asked: how many fail, mix two
//! revisions, or are slow.
//!
//! Time that a thread waits for a processor (`/proc/thread-self/schedstat`) is the machine's and not the
//! engine's: it is told apart, since a machine is never idle.

use std::{
    fmt::Write as _,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use fedgate::{
    policy::bundles::into_store,
    rego::{
        How, Options, Store, Value,
        bundle::{Limits, read},
    },
};

use crate::report::{Limit, Report};

/// Entries of the data: together about 20 MB of JSON.
const ENTRIES: usize = 100_000;
const RELOADS: usize = 6;
const SLOW: Duration = Duration::from_millis(5);

pub fn run(report: &mut Report) {
    let archives = [archive(1), archive(2)];
    let store = Arc::new(Store::open(Options::default()).unwrap());
    let activate = into_store(Arc::clone(&store));
    activate("main", read(&archives[0].0, &Limits::default(), None).unwrap()).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, over) = (Arc::clone(&store), Arc::clone(&over));
        std::thread::spawn(move || ask(&store, &over))
    };
    let mut longest = Duration::ZERO;
    for turn in 1..=RELOADS {
        let began = Instant::now();
        activate(
            "main",
            read(&archives[turn % 2].0, &Limits::default(), None).unwrap(),
        )
        .unwrap();
        longest = longest.max(began.elapsed());
        std::thread::sleep(Duration::from_millis(500));
    }
    // The last state before is freed, too.
    std::thread::sleep(Duration::from_secs(3));
    over.store(true, Ordering::Relaxed);
    let seen = reader.join().unwrap();
    tell(report, &seen, (archives[0].1, longest));
}

fn tell(report: &mut Report, seen: &Seen, (size, longest): (usize, Duration)) {
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let count = |number: usize| number as f64;
    let mebibytes = count(size) / f64::from(1 << 20);
    report.add(
        ("reload_mib", "reload under load: data of the bundle"),
        mebibytes,
        "MiB",
        Limit::AtLeast(19.0),
    );
    report.add(
        ("reload_s", "the same, longest time to read, check and swap"),
        longest.as_secs_f64(),
        "s",
        Limit::Told,
    );
    report.add(
        ("reload_decisions", "the same, decisions meanwhile"),
        count(seen.asked),
        "",
        Limit::AtLeast(10_000.0),
    );
    report.add(
        (
            "reload_failed",
            "the same, decisions that failed or mixed two revisions",
        ),
        count(seen.failed),
        "",
        Limit::AtMost(0.0),
    );
    report.add(
        (
            "reload_slow",
            "the same, decisions slower than 5 ms without waiting for a processor",
        ),
        count(seen.slow),
        "",
        Limit::AtMost(0.0),
    );
    report.add(
        (
            "reload_slow_wall",
            "the same, slower than 5 ms by the clock on the wall",
        ),
        count(seen.slow_by_wall),
        "",
        Limit::Told,
    );
    let longest = seen.longest.as_secs_f64() * 1_000.0;
    report.add(
        ("reload_longest_ms", "the same, longest decision without waiting"),
        longest,
        "ms",
        Limit::Told,
    );
}

#[derive(Default)]
struct Seen {
    asked: usize,
    failed: usize,
    slow: usize,
    slow_by_wall: usize,
    longest: Duration,
}

fn ask(store: &Store, over: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut turn = 0;
    while !over.load(Ordering::Relaxed) {
        turn += 7_919;
        let key = format!("u{}", turn % ENTRIES);
        let input = Value::from_json_str(&format!("{{\"key\":\"{key}\"}}")).unwrap();
        let (waited, began) = (waited(), Instant::now());
        let outcome = store
            .snapshot()
            .evaluate(&["bench", "answer"], Some(input), &How::default());
        let wall = began.elapsed();
        let own = wall.saturating_sub(self::waited().saturating_sub(waited));
        seen.asked += 1;
        // Both numbers come from different ends of the data: a mixture would be "1 2".
        let whole = outcome.ok().and_then(|evaluated| evaluated.value);
        if !matches!(&whole, Some(Value::String(text)) if matches!(text.as_ref(), "1 1" | "2 2")) {
            seen.failed += 1;
        }
        seen.slow += usize::from(own > SLOW);
        seen.slow_by_wall += usize::from(wall > SLOW);
        seen.longest = seen.longest.max(own);
    }
    seen
}

/// How long this thread has waited for a processor.
fn waited() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn archive(revision: usize) -> (Vec<u8>, usize) {
    let mut data = String::from("{\"users\":{");
    for number in 0..ENTRIES {
        if number > 0 {
            data.push(',');
        }
        write!(
            data,
            "\"u{number}\":{{\"groups\":[\"developers-{number}\",\"operators-{}\"],\"project\":\"p{:016x}\",\
             \"domain\":\"d{}\",\"roles\":[\"member\",\"reader\"],\"note\":\"{:064x}\",\"r\":\"{revision}\"}}",
            number % 977,
            number * 31,
            number % 211,
            number * 2_654_435_761
        )
        .unwrap();
    }
    write!(data, "}},\"revision\":\"{revision}\"}}").unwrap();
    let policy =
        "package bench\n\nanswer := sprintf(\"%s %s\", [data.base.users[input.key].r, data.base.revision])\n";
    let manifest = format!("{{\"revision\":\"{revision}\",\"roots\":[\"bench\",\"base\"]}}");
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for (path, text) in [
        (".manifest", manifest.as_str()),
        ("bench/p.rego", policy),
        ("base/data.json", &data),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    (tar.into_inner().unwrap().finish().unwrap(), data.len())
}
