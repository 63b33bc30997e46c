//! `jinku serve`: the node, its read models, its interface, its rails.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ed25519_dalek::SigningKey;
use node::{Clock, Handle, Node, SystemClock};
use payments::Rail;
use projections::Projections;
use rails::{Answer, Centre, Driver, Receiver, Translator};
use receipts::NoteSigner;

use crate::books::{self, Desk};
use crate::bulk::Intake;
use crate::cells::{self, Neighbours};
use crate::cluster::LeadersWork;
use crate::config::{BankConfig, CentreConfig, Installation, Key};
use crate::tenants::Tokens;
use crate::{bulk, cluster, fix_venue, notices, opening, operate, prices};

/// A snapshot is made when so many entries have come since the last: a replay of as many takes seconds, and making one takes a core for as long.
const SNAPSHOT_EVERY: u64 = 4_000_000;

/// Where the bank runs.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Data folder, made by `jinku init`.
    #[arg(long)]
    pub data: PathBuf,
    /// Address of the wallet and the API.
    #[arg(long, default_value = "127.0.0.1:7460")]
    pub listen: SocketAddr,
    /// Address that the clearing centre posts to.
    #[arg(long, default_value = "127.0.0.1:7462")]
    pub rails_listen: SocketAddr,
    /// Address of the operators' interface.
    #[arg(long, default_value = "127.0.0.1:7463")]
    pub operator_listen: SocketAddr,
    /// Folder of the built console, served below /console of the operators' address.
    #[arg(long)]
    pub console: Option<PathBuf>,
    /// Address of the bulk interface; it is off without one.
    #[arg(long)]
    pub bulk_listen: Option<SocketAddr>,
    /// Address of the FIX gateway, where tenants trade by machine; it is off without one.
    #[arg(long)]
    pub fix_listen: Option<SocketAddr>,
    /// Address of the books' interface for clients that keep their ledger here; it is off without one.
    #[arg(long)]
    pub books_listen: Option<SocketAddr>,
    /// Address that other cells hand their transfers in at; without one nothing is taken from them.
    #[arg(long)]
    pub cells_listen: Option<SocketAddr>,
    /// Folder of the built wallet; without one only the API is served.
    #[arg(long)]
    pub wallet: Option<PathBuf>,
    /// Let one address play many customers: for a demo or a measurement only.
    #[arg(long)]
    pub generous_rates: bool,
}

/// Starts the node of an installation, and opens the bank where it is new.
///
/// # Errors
/// A journal that is damaged or in use, or a configuration that cannot be used.
pub fn start_node(installation: &Installation, clock: Arc<dyn Clock>) -> anyhow::Result<Node> {
    let config = node::Config {
        data: installation.folder.clone(),
        journal: journal::Options::default(),
        epoch: 1,
        snapshot_every: Some(SNAPSHOT_EVERY),
        history_in_memory: installation.config.history_in_memory,
        relying_party: relying_party(&installation.config),
    };
    let opening = opening::commands(&installation.config)?;
    let Some(cluster) = &installation.config.cluster else {
        let node = Node::start(config, clock)?;
        if node.handle().read(|bank| bank.payments().profile().is_none())? {
            for submission in opening {
                node.handle().submit(submission).context("opening of the bank")?;
            }
        }
        return Ok(node);
    };
    let node = Node::start_in_cluster(config, cluster::join(installation, cluster)?, clock)?;
    cluster::open_bank(node.handle(), opening)?;
    Ok(node)
}

/// Who the bank is to an authenticator.
#[must_use]
pub fn relying_party(config: &BankConfig) -> bank::RelyingParty {
    bank::RelyingParty { id: config.relying_party.clone(), origins: config.origins.clone() }
}

/// The key that signs the log.
///
/// # Errors
/// A missing or open key file, or a log origin that cannot be a key's name.
pub fn log_signer(installation: &Installation) -> anyhow::Result<NoteSigner> {
    let seed = installation.key(Key::Log)?;
    NoteSigner::from_seed(&installation.config.log_origin, &seed).context("log_origin in bank.json")
}

/// The public key that the clearing centre checks our messages with: Ed25519, 64 hexadecimal digits.
///
/// # Errors
/// A missing or open key file.
pub fn rail_public_key(installation: &Installation) -> anyhow::Result<String> {
    let key = SigningKey::from_bytes(&installation.key(Key::Rail)?);
    Ok(hex::encode(key.verifying_key().to_bytes()))
}

/// Runs the bank until SIGTERM or ctrl-c.
///
/// # Errors
/// Anything that keeps it from starting.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let installation = Installation::open(&arguments.data)?;
    let node = start_node(&installation, Arc::new(SystemClock))?;
    let handle = node.handle();
    let projections = Projections::start(
        projections::Config { data: arguments.data.clone(), signer: log_signer(&installation)? },
        handle.clone(),
    )?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rails = installation.config.centre.as_ref().map(|centre| start_rails(&installation, centre, &handle));
    let (receiver, driver) = rails.transpose()?.unzip();
    if let Some(address) = arguments.bulk_listen {
        let listener = TcpListener::bind(address).with_context(|| format!("listen on {address}"))?;
        let journal = installation.folder.join("journal");
        bulk::listen(listener, handle.clone(), Tokens::open(&installation)?, journal)?;
    }
    let fix = arguments.fix_listen.map(|at| fix_venue::start(at, &installation, &handle)).transpose()?;
    let couriers = notices::start(&installation, &handle)?;
    let prices = prices::start(&installation, &handle)?;
    let neighbours = Neighbours::open(&installation)?;
    ensure!(
        neighbours.is_some() || arguments.cells_listen.is_none(),
        "--cells-listen, and bank.json names no cells: `jinku cell add` joins another one"
    );
    let carriers = neighbours.as_ref().map(|neighbours| cells::start(neighbours, &handle)).transpose()?;
    let served =
        runtime.block_on(serve_http(arguments, &installation, &handle, projections.reader(), receiver));
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    // In this order: nothing is sent any more, then nothing is read any more, then the last group is written.
    drop(driver);
    drop(fix);
    drop(couriers);
    drop(prices);
    drop(carriers);
    drop(projections);
    drop(node);
    served
}

fn start_rails(
    installation: &Installation,
    centre: &CentreConfig,
    handle: &Handle,
) -> anyhow::Result<(Arc<Receiver>, LeadersWork)> {
    let config = &installation.config;
    let mut public_key = [0; 32];
    hex::decode_to_slice(&centre.public_key, &mut public_key).context("centre.public_key in bank.json")?;
    let translator = Arc::new(Translator::new(
        payments::BankNumber::new(&config.number)?,
        cnaps::BankNumber::parse(&centre.number).context("centre.number in bank.json")?,
        SigningKey::from_bytes(&installation.key(Key::Rail)?),
        cnaps::Ed25519Profile::new(&public_key).context("centre.public_key in bank.json")?,
        config.utc_offset_minutes,
    )?);
    let centres = vec![
        Centre { rail: Rail::Instant, url: centre.instant_url.clone() },
        Centre { rail: Rail::HighValue, url: centre.high_value_url.clone() },
    ];
    let sender = Arc::clone(&translator);
    let (followed, driven) = (handle.clone(), handle.clone());
    let driver = LeadersWork::begin(followed, move || {
        Driver::start(centres.clone(), &sender, &driven).context("the rails' drivers")
    })?;
    Ok((Arc::new(Receiver::new(translator, handle.clone())), driver))
}

async fn serve_http(
    arguments: &Arguments,
    installation: &Installation,
    handle: &Handle,
    reader: projections::ReadModel,
    receiver: Option<Arc<Receiver>>,
) -> anyhow::Result<()> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let wait = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let app = api::router(api_config(arguments, installation)?, handle.clone(), reader.clone())?;
    let listener = bind(arguments.listen).await?;
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(api::serve(listener, app, wait(stopped.clone())));
    let orders = cells::orders(handle.clone(), Tokens::open(installation)?);
    let operators =
        operate::router(handle.clone(), reader, installation.key(Key::Operator)?).merge(orders.clone());
    let operators = match &arguments.console {
        Some(folder) => with_console(operators, folder)?,
        None => operators,
    };
    let listener = bind(arguments.operator_listen).await?;
    servers.spawn(api::serve(listener, operators, wait(stopped.clone())));
    if let Some(receiver) = receiver {
        let listener = bind(arguments.rails_listen).await?;
        servers.spawn(api::serve(listener, frames_router(receiver), wait(stopped.clone())));
    }
    if let Some(address) = arguments.books_listen {
        let intake = Intake { handle: handle.clone(), journal: installation.folder.join("journal") };
        let desk = Desk { intake, tokens: Tokens::open(installation)? };
        servers.spawn(api::serve(
            bind(address).await?,
            books::router(desk).merge(orders),
            wait(stopped.clone()),
        ));
    }
    if let (Some(address), Some(neighbours)) = (arguments.cells_listen, Neighbours::open(installation)?) {
        let takes = cells::takes(neighbours, handle.clone());
        servers.spawn(api::serve(bind(address).await?, takes, wait(stopped.clone())));
    }
    println!("listening on {}", arguments.listen);
    tokio::select! {
        () = asked_to_stop() => {}
        halted = halted(handle.clone()) => anyhow::bail!(halted),
    }
    let _ = stop.send(true);
    let ended = async { while servers.join_next().await.is_some() {} };
    // Live event streams would wait for ever.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), ended).await;
    Ok(())
}

/// The console beside the operators' interface. Its page names its files from where it stands, so it stands in a folder.
fn with_console(operators: axum::Router, folder: &Path) -> anyhow::Result<axum::Router> {
    let moved = axum::response::Redirect::permanent("/console/");
    let page = axum::routing::get(move || std::future::ready(moved));
    Ok(operators.route("/console", page).nest_service("/console/", api::folder(folder)?))
}

/// Ends when the node halts: a process that cannot record anything must not look alive.
async fn halted(handle: Handle) -> String {
    loop {
        if let Some(reason) = handle.status().halted {
            return reason;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))
}

fn api_config(arguments: &Arguments, installation: &Installation) -> anyhow::Result<api::Config> {
    let config = &installation.config;
    let info = |number: &str, name_zh: &str, name_en: &str| api::BankInfo {
        code: number.to_owned(),
        name_zh: name_zh.to_owned(),
        name_en: name_en.to_owned(),
    };
    let mut banks = vec![info(&config.number, &config.name_zh, &config.name_en)];
    banks.extend(config.banks.iter().map(|bank| info(&bank.number, &bank.name_zh, &bank.name_en)));
    if let Some(wallet) = &arguments.wallet {
        ensure!(is_built(wallet), "{} has no built wallet (index.html is missing)", wallet.display());
    }
    Ok(api::Config {
        banks,
        static_dir: arguments.wallet.clone(),
        secure: config.origins.iter().all(|origin| origin.starts_with("https://")),
        issuer: config.name_en.clone(),
        rates: if arguments.generous_rates { api::Rates::generous() } else { api::Rates::default() },
        ..api::Config::new(passkey::secret::Secret::new(installation.key(Key::Seal)?))
    })
}

/// Whether a folder has a built wallet.
#[must_use]
pub fn is_built(wallet: &Path) -> bool {
    wallet.join("index.html").is_file()
}

/// What the centre posts to.
fn frames_router(receiver: Arc<Receiver>) -> axum::Router {
    axum::Router::new()
        .route(cnaps::FRAMES_PATH, post(take_frame))
        // One byte more than is allowed, so that a frame that is too long gets the rail's own answer.
        .layer(DefaultBodyLimit::max(cnaps::FRAME_SIZE_BYTES_LIMIT.saturating_add(1)))
        .with_state(receiver)
}

async fn take_frame(State(receiver): State<Arc<Receiver>>, body: Bytes) -> Response {
    let taken = tokio::task::spawn_blocking(move || receiver.receive(&body, SystemClock.now())).await;
    match taken {
        Ok(Answer::Frame(bytes)) => {
            ([(axum::http::header::CONTENT_TYPE, cnaps::FRAME_CONTENT_TYPE)], bytes).into_response()
        }
        Ok(Answer::NotAFrame(error)) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
        Ok(Answer::Unavailable(reason)) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Ends when the process is asked to stop, by SIGTERM or ctrl-c.
pub(crate) async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use axum::http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::with_console;
    use crate::process::Scratch;

    #[tokio::test]
    async fn the_console_stands_in_a_folder_beside_the_operators_addresses() {
        let folder = Scratch::new(None, "console").unwrap();
        std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
        let operators = axum::Router::new().route("/markets", axum::routing::get(|| async { "markets" }));
        let app = with_console(operators, folder.path()).unwrap();
        let check = async |address: &str, expect: StatusCode| {
            let request = Request::get(address).body(axum::body::Body::empty()).unwrap();
            assert_eq!(app.clone().oneshot(request).await.unwrap().status(), expect, "{address}");
        };
        check("/console", StatusCode::PERMANENT_REDIRECT).await;
        check("/console/", StatusCode::OK).await;
        check("/console/index.html", StatusCode::OK).await;
        check("/console/missing.js", StatusCode::NOT_FOUND).await;
        check("/markets", StatusCode::OK).await;
        check("/other", StatusCode::NOT_FOUND).await;
    }
}
