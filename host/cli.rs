//! The command line: what can be asked for, and who answers.

mod audit;
mod call;
mod check;
mod client;
mod completions;
mod config;
mod data;
mod dev;
mod emit;
mod inspect;
mod list;
mod listen;
mod log;
mod logs;
mod new;
pub(crate) mod output;
mod pin;
mod place;
mod remote;
mod serve;
mod serving;
mod signals;
mod token;
mod webhooks;

use std::error::Error;
use std::mem::ManuallyDrop;
use std::sync::OnceLock;

use clap::{Parser, Subcommand};
use exthost_abi::API_VERSION;
use tokio::runtime::Runtime;

/// An outcome of the command line; its errors are only shown, never told apart.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Hosts native plugins: shared libraries that keep loading when the host is
/// upgraded.
#[derive(Debug, Parser)]
#[command(
    name = "exthost",
    version = version(),
    arg_required_else_help = true,
    after_help = "Log lines go to stderr; EXTHOST_LOG chooses them (default `info`; also `debug`, \
                  `exthost=trace`).",
)]
pub(crate) struct Cli {
    /// How log lines are written
    #[arg(
        long,
        global = true,
        env = "EXTHOST_LOG_FORMAT",
        value_enum,
        value_name = "FORMAT",
        default_value = "text"
    )]
    log_format: log::LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::New),
    Dev(dev::Dev),
    Serve(serve::Serve),
    Token(token::Token),
    Config(config::Config),
    Inspect(inspect::Inspect),
    Check(check::Check),
    Pin(pin::Pin),
    Call(call::Call),
    List(list::List),
    Logs(logs::Logs),
    Emit(emit::Emit),
    Webhooks(webhooks::Webhooks),
    Data(data::Data),
    Audit(audit::Audit),
    Completions(completions::Completions),
}

impl Cli {
    /// Does what was asked for, and returns the exit code.
    pub(crate) fn run(self) -> Result<i32> {
        match self.command {
            Command::New(new) => new.run(),
            Command::Dev(dev) => {
                log::start(dev::LOG, self.log_format);
                // Never dropped: that would wait for a plugin that hangs.
                let runtime = ManuallyDrop::new(runtime()?);
                runtime.block_on(dev.run())
            }
            Command::Serve(serve) => {
                log::start(serve::LOG, self.log_format);
                let runtime = ManuallyDrop::new(runtime()?);
                runtime.block_on(serve.run())
            }
            Command::Token(token) => token.run(),
            Command::Config(config) => config.run(),
            Command::Inspect(inspect) => inspect.run(),
            Command::Check(check) => check.run(),
            Command::Pin(pin) => pin.run(),
            Command::Call(call) => {
                log::start(call::LOG, self.log_format);
                let runtime = ManuallyDrop::new(runtime()?);
                Ok(runtime.block_on(call.run()))
            }
            Command::List(list) => runtime()?.block_on(list.run()),
            Command::Logs(logs) => runtime()?.block_on(logs.run()),
            Command::Emit(emit) => Ok(runtime()?.block_on(emit.run())),
            Command::Webhooks(webhooks) => runtime()?.block_on(webhooks.run()),
            Command::Data(data) => {
                log::start(data::LOG, self.log_format);
                runtime()?.block_on(data.run())
            }
            Command::Audit(audit) => audit.run(),
            Command::Completions(completions) => completions.run(),
        }
    }
}

fn runtime() -> Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_err(|error| format!("cannot start the runtime: {error}").into())
}

/// What `--version` prints after the name.
fn version() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        format!(
            "{}\ncommit   {}\ntarget   {}\ncompiler {}\nAPI      {}.{}.{}",
            env!("CARGO_PKG_VERSION"),
            env!("EXTHOST_COMMIT"),
            env!("EXTHOST_TARGET"),
            env!("EXTHOST_RUSTC"),
            API_VERSION.major,
            API_VERSION.minor,
            API_VERSION.patch,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn the_version_names_what_it_was_built_from() {
        let text = version();
        for word in ["commit ", "target ", "compiler rustc", "API      1."] {
            assert!(text.contains(word), "{word:?} in {text}");
        }
    }
}
