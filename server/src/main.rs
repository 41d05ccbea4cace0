//! The program `beadle`.

fn main() -> std::process::ExitCode {
    beadle_server::cli::main()
}
