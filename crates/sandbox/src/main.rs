//! The process `sandbox`: the outside world for demo and tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use sandbox::{ServeConfig, WorldConfig};
use tracing_subscriber::EnvFilter;

/// Clearing centres, other banks and faults on demand. A sandbox: not connected to any clearing system.
#[derive(Parser)]
#[command(name = "sandbox")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run until SIGTERM or ctrl-c.
    Serve {
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1:7070")]
        listen: SocketAddr,
        /// Base address of our bank; frames are posted to <bank-url>/frames.
        #[arg(long)]
        bank_url: String,
        /// Folder of the input log; made where it is missing.
        #[arg(long)]
        data: PathBuf,
        #[command(flatten)]
        world: WorldArguments,
    },
    /// Print the configuration that would be used, as JSON.
    Config {
        #[command(flatten)]
        world: WorldArguments,
    },
}

#[derive(clap::Args)]
struct WorldArguments {
    /// Configuration file (JSON); every field is optional.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Public key of our bank: 64 hexadecimal digits.
    #[arg(long)]
    bank_key: Option<String>,
    /// Open both systems round the clock, against their tables.
    #[arg(long)]
    always_open: bool,
}

impl WorldArguments {
    fn read(self) -> Result<WorldConfig, String> {
        let mut config = match &self.config {
            None => WorldConfig::default(),
            Some(path) => {
                let named = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
                let text = std::fs::read_to_string(path).map_err(|e| named(&e))?;
                serde_json::from_str(&text).map_err(|e| named(&e))?
            }
        };
        if let Some(key) = self.bank_key {
            let decoded = hex::decode_to_slice(&key, &mut config.bank_public_key);
            decoded.map_err(|e| format!("--bank-key: {e}"))?;
        }
        let config = if self.always_open { config.always_open() } else { config };
        config.check().map_err(|e| e.to_string())?;
        Ok(config)
    }
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Config { world } => {
            let text = serde_json::to_string_pretty(&world.read()?).map_err(|e| e.to_string())?;
            std::io::Write::write_all(&mut std::io::stdout(), format!("{text}\n").as_bytes())
                .map_err(|e| e.to_string())
        }
        Command::Serve { listen, bank_url, data, world } => {
            let config = ServeConfig { listen, bank_url, data, world: world.read()? };
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = runtime.map_err(|e| e.to_string())?;
            let served = runtime.block_on(sandbox::serve(config, asked_to_stop()));
            // A post to our bank may still wait for its time-out; it need not.
            runtime.shutdown_timeout(Duration::from_millis(200));
            served.map_err(|e| e.to_string())
        }
    }
}

/// Done at SIGTERM or ctrl-c.
async fn asked_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ended = interrupted.await;
}
