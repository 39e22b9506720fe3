//! `fedgate`: the gateway and its operator commands. Start at [`fedgate::cli::run`].

use std::process::ExitCode;

/// A token costs some hundred small allocations on whichever thread is free; this allocator makes them for a
/// fifth less processor time than that of the C library (`make bench -- credentials`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    fedgate::cli::run()
}
