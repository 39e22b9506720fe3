//! Ports for programs that must be told theirs. The system's own free ports (`bind` to 0) are no good for that: between
//! the question and the program's start any other test may get the same one, for a listener or a mere connection.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below what the system gives out by itself (`net.ipv4.ip_local_port_range` begins at 32768).
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port that nobody listens on, given out once: two runs at a time begin at different ones.
pub fn free_port() -> u16 {
    let start = std::process::id().wrapping_mul(191);
    for _ in 0..COUNT {
        let port = FIRST + start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(port).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port between {FIRST} and {} is free", FIRST + COUNT);
}
