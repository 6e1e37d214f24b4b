//! Runs the command line.

fn main() -> std::process::ExitCode {
    pgvitals::cli::main()
}
