//! Links the programs with packed relative relocations (DT_RELR, glibc 2.36): the plain table of them, which is read
//! at every start, is as large as all the policies in memory.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script by its environment"
)]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
