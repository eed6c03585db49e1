//! The operator's command line tool.

fn main() -> std::process::ExitCode {
    alchemiser::interface::cli::main()
}
