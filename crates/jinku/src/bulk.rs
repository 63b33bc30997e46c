//! The bulk interface: batches of ledger commands over one TCP connection, for migrations and benchmarks.
//!
//! Off unless an address is configured. A connection begins with the operator's token (32 bytes). Then each request is a length (4 bytes,
//! big-endian) and CBOR: an array of pairs of command id and ledger command. The answer, sent when every row is durable or refused, is a
//! length and CBOR: the sequence number of the last row taken, and an array of pairs of row number and words for each row refused.
//! Rows stand for themselves and keep their order; a repeat with the same ids changes nothing.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use anyhow::{Context, ensure};
use bank::{Command, Submission};
use identity::Actor;
use money::{CommandId, Text};
use node::{Handle, Replies};

/// Most rows of a request.
pub const ROWS_MAX: usize = 8_192;
/// Longest request, in bytes: full rows with many legs and a memo fit in it.
const REQUEST_BYTES_MAX: u32 = 64 * 1024 * 1024;
/// Most connections at once.
const CONNECTIONS_MAX: usize = 256;

/// A row of a request.
pub type Row = (CommandId, ledger::Command);

/// The answer to a request.
pub type Answer = (u64, Vec<(u64, String)>);

/// Listens until the process ends; each connection has a thread.
///
/// # Errors
/// The threads cannot be started.
pub fn listen(listener: TcpListener, handle: Handle, token: [u8; 32]) -> io::Result<()> {
    let open = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    std::thread::Builder::new().name("bulk".to_owned()).spawn(move || {
        use std::sync::atomic::Ordering::Relaxed;
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            if open.fetch_add(1, Relaxed) >= CONNECTIONS_MAX {
                open.fetch_sub(1, Relaxed);
                continue;
            }
            let (handle, open_in_thread) = (handle.clone(), std::sync::Arc::clone(&open));
            let started = std::thread::Builder::new().name("bulk-connection".to_owned()).spawn(move || {
                if let Err(error) = serve(stream, &handle, &token) {
                    tracing::warn!(%error, "a bulk connection ends");
                }
                open_in_thread.fetch_sub(1, Relaxed);
            });
            if started.is_err() {
                open.fetch_sub(1, Relaxed);
            }
        }
    })?;
    Ok(())
}

fn serve(mut stream: TcpStream, handle: &Handle, token: &[u8; 32]) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 18, stream.try_clone()?);
    let mut shown = [0; 32];
    reader.read_exact(&mut shown)?;
    let differs = shown.iter().zip(token).fold(0, |differs, (a, b)| differs | (a ^ b));
    ensure!(differs == 0, "the token is not the operator's");
    while let Some(request) = read_frame(&mut reader)? {
        let rows: Vec<Row> = minicbor::decode(&request).context("request")?;
        let answer = take(rows, handle)?;
        write_frame(&mut stream, &answer)?;
    }
    Ok(())
}

fn take(rows: Vec<Row>, handle: &Handle) -> anyhow::Result<Answer> {
    ensure!(rows.len() <= ROWS_MAX, "{} rows are more than {ROWS_MAX}", rows.len());
    let mut batch = Vec::with_capacity(rows.len());
    for (id, command) in rows {
        let actor = Actor::Operator(Text::clip("bulk"));
        batch.push(handle.admit(Submission { id, actor, command: Command::Ledger(command) })?);
    }
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Replies>(1);
    handle.submit_batch(batch, move |replies| {
        let _ = sender.send(replies);
    })?;
    let replies = receiver.recv().context("the node has stopped")?;
    let mut last = 0;
    let mut refused = Vec::new();
    for (row, reply) in (0_u64..).zip(replies) {
        match reply {
            Ok(taken) => last = taken.seq.max(last),
            Err(error) => refused.push((row, error.to_string())),
        }
    }
    Ok((last, refused))
}

fn read_frame(reader: &mut impl Read) -> anyhow::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match reader.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let length = u32::from_be_bytes(length);
    ensure!(length <= REQUEST_BYTES_MAX, "a request of {length} bytes is more than {REQUEST_BYTES_MAX}");
    let mut bytes = vec![0; usize::try_from(length)?];
    reader.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

fn write_frame<T: minicbor::Encode<()>>(writer: &mut impl Write, value: &T) -> anyhow::Result<()> {
    let mut bytes = vec![0; 4];
    minicbor::encode(value, &mut bytes).map_err(|error| anyhow::anyhow!("{error}"))?;
    let length = u32::try_from(bytes.len().saturating_sub(4))?.to_be_bytes();
    for (slot, byte) in bytes.iter_mut().zip(length) {
        *slot = byte;
    }
    writer.write_all(&bytes)?;
    Ok(())
}

/// The client's end.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects and shows the token.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(address: std::net::SocketAddr, token: &[u8; 32]) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.write_all(token)?;
        let reader = BufReader::new(stream.try_clone()?);
        Ok(Self { stream, reader })
    }

    /// Sends rows and waits until all are durable or refused.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn send(&mut self, rows: &[Row]) -> anyhow::Result<Answer> {
        write_frame(&mut self.stream, &rows)?;
        let answer = read_frame(&mut self.reader)?.context("the connection was closed")?;
        Ok(minicbor::decode(&answer)?)
    }
}
