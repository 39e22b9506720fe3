//! What one idle gateway costs, and the size of the user's program.

use std::{fs, thread::sleep, time::Duration};

use crate::{
    port::free_port,
    process::Server,
    report::{Limit, Report},
    settings::{self, Ports},
};

/// Starts that are measured, after a first one that makes keys and tables. The shortest counts: other work on the
/// machine can only lengthen one.
const STARTS: usize = 7;

pub fn run(report: &mut Report) {
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports {
        home: free_port(),
        cloud: 0,
    };
    settings::home(folder.path(), ports, None);
    let start = || Server::gateway(folder.path(), ports.home);
    start().stop();
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let server = start();
        times.push(server.ready_after.as_secs_f64() * 1000.0);
        server.stop();
    }
    times.sort_by(f64::total_cmp);
    report.add(
        ("start_ms", "from exec to ready"),
        times[0],
        "ms",
        Limit::AtMost(300.0),
    );
    let idle = start();
    sleep(Duration::from_secs(4));
    report.add(
        ("idle_mb", "resident memory, idle"),
        idle.resident_mb(),
        "MB",
        Limit::AtMost(30.0),
    );
    let bytes = fs::metadata(env!("CARGO_BIN_EXE_fedctl")).unwrap().len();
    let megabytes = f64::from(u32::try_from(bytes).unwrap()) / 1e6;
    report.add(
        ("fedctl_mb", "`fedctl` binary"),
        megabytes,
        "MB",
        Limit::AtMost(12.0),
    );
}
