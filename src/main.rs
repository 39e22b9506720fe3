//! `fedgate`: the gateway and its operator commands. Start at [`fedgate::cli::run`].

use std::process::ExitCode;

/// It gives memory back on a thread of its own, so that no decision waits while 20 MB of an old policy are freed
/// (`make bench BENCH="--only reload"`). Its settings are in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    fedgate::cli::run()
}
