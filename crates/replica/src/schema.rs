//! The tables and every statement.

/// Version of the tables and of the rows' content.
pub(crate) const FORMAT: i32 = 1;

/// Makes what is missing. Run as one transaction. The row of a stream is changed with every write, so it has room beside it and no index but
/// its key; content is not compressed, for it is dense already, and the time would be the writer's.
pub(crate) const CREATE: &str = "
CREATE SCHEMA IF NOT EXISTS jinku;
CREATE TABLE IF NOT EXISTS jinku.stream (
    name text PRIMARY KEY,
    id bytea NOT NULL,
    format int4 NOT NULL,
    epoch int8 NOT NULL,
    leader text NOT NULL,
    api text NOT NULL,
    bulk text NOT NULL,
    lease_until timestamptz NOT NULL,
    head_seq int8 NOT NULL,
    head_hash bytea NOT NULL,
    acked_seq int8 NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE IF NOT EXISTS jinku.record (
    stream text NOT NULL,
    seq int8 NOT NULL,
    last int8 NOT NULL,
    epoch int8 NOT NULL,
    before bytea NOT NULL,
    after bytea NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (stream, seq)
);
ALTER TABLE jinku.record ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS jinku.lead (
    stream text NOT NULL,
    epoch int8 NOT NULL,
    node text NOT NULL,
    since timestamptz NOT NULL,
    after_seq int8 NOT NULL,
    PRIMARY KEY (stream, epoch)
);
CREATE TABLE IF NOT EXISTS jinku.node (
    stream text NOT NULL,
    name text NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (stream, name)
) WITH (fillfactor = 10);
";

/// Makes the stream $1 with the identity $2, hash $3 before the first record, in the format $4, where there is none.
pub(crate) const BEGIN_STREAM: &str = "
INSERT INTO jinku.stream (name, id, format, epoch, leader, api, bulk, lease_until, head_seq, head_hash, acked_seq)
VALUES ($1, $2, $4, 0, '', '', '', '-infinity', 0, $3, 0)
ON CONFLICT (name) DO NOTHING";

pub(crate) const IDENTITY: &str = "SELECT id, format FROM jinku.stream WHERE name = $1";

pub(crate) const LOOK: &str = "
SELECT epoch, leader, api, bulk,
    CASE WHEN lease_until > clock_timestamp()
        THEN ceil(extract(epoch FROM lease_until - clock_timestamp()) * 1000)::int8 ELSE 0 END,
    head_seq, head_hash, acked_seq
FROM jinku.stream WHERE name = $1";

/// Rows from the one that may hold the record $2, none that begins after $3, at most $4.
pub(crate) const READ: &str = "
SELECT seq, last, epoch, before, after, content FROM jinku.record
WHERE stream = $1 AND seq <= $3 AND seq >= coalesce(
    (SELECT max(seq) FROM jinku.record WHERE stream = $1 AND seq <= $2), 0)
ORDER BY seq LIMIT $4";

/// The member $3 at $4 and $5 takes the lead of $1 after the epoch $2 for $6 milliseconds. It says nothing of durability: that is known only after
/// this has been confirmed.
pub(crate) const TAKE_OVER: &str = "
WITH mine AS (
    UPDATE jinku.stream SET epoch = epoch + 1, leader = $3, api = $4, bulk = $5,
        lease_until = clock_timestamp() + $6::int8 * interval '1 millisecond'
    WHERE name = $1 AND epoch = $2 AND (lease_until <= clock_timestamp() OR leader = $3)
    RETURNING epoch, head_seq, head_hash
), kept AS (
    INSERT INTO jinku.lead (stream, epoch, node, since, after_seq)
    SELECT $1, epoch, $3, clock_timestamp(), head_seq FROM mine
)
SELECT epoch, head_seq, head_hash FROM mine";

/// The leader of the epoch $2 adds the rows of the arrays $7 to $11 to $1 after the record $3, making $4 with the hash $5 the head, with all up to $6
/// confirmed and the lead renewed for $12 milliseconds. One statement, so that nothing is inserted unless epoch and head were right.
pub(crate) const APPEND: &str = "
WITH mine AS (
    UPDATE jinku.stream SET head_seq = $4, head_hash = $5, acked_seq = greatest(acked_seq, $6),
        lease_until = clock_timestamp() + $12::int8 * interval '1 millisecond'
    WHERE name = $1 AND epoch = $2 AND head_seq = $3
    RETURNING name, epoch
)
INSERT INTO jinku.record (stream, seq, last, epoch, before, after, content)
SELECT mine.name, row.seq, row.last, mine.epoch, row.before, row.after, row.content
FROM mine, unnest($7::int8[], $8::int8[], $9::bytea[], $10::bytea[], $11::bytea[])
    AS row (seq, last, before, after, content)";

pub(crate) const RENEW: &str = "
UPDATE jinku.stream SET acked_seq = greatest(acked_seq, $3),
    lease_until = clock_timestamp() + $4::int8 * interval '1 millisecond'
WHERE name = $1 AND epoch = $2";

pub(crate) const CONFIRM: &str = "
INSERT INTO jinku.node (stream, name, seen_at) VALUES ($1, $2, clock_timestamp())
ON CONFLICT (stream, name) DO UPDATE SET seen_at = excluded.seen_at";
