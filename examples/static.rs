//! The program as the image has it: `tests/it/deploy/image.rs` links this so that it needs no shared library, without a
//! second build of everything below it.

fn main() -> std::process::ExitCode {
    pgvitals::cli::main()
}
