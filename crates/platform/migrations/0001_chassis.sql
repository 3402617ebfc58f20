-- What every service database needs besides its own tables: the journal with its hash chains, the
-- outbox and inbox of the event bus, durable tasks, stored answers of idempotent requests, and the feed
-- of live streams. Owned by the chassis, in a schema of its own, the same in all services.
-- `create schema quenty` is done by the migrator, which keeps its own table there.

create table quenty.stream_heads (
    stream text primary key,
    version bigint not null check (version > 0),
    hash bytea not null
);

-- Append-only: the application role may insert and read, nothing else.
create table quenty.journal (
    seq bigint generated always as identity primary key,
    id uuid not null unique,
    stream text not null,
    stream_version bigint not null,
    type text not null,
    data jsonb not null,
    personal_digest bytea,
    actor text not null,
    company_id uuid,
    correlation_id uuid not null,
    causation_id uuid,
    traceparent text,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    prev_hash bytea not null,
    hash bytea not null,
    unique (stream, stream_version)
);
create index journal_type on quenty.journal (type, seq);
create index journal_company on quenty.journal (company_id, seq);
create index journal_correlation on quenty.journal (correlation_id);

-- Personal data stand beside the chain, which holds only their salted digest: they can be erased.
create table quenty.journal_personal (
    event_id uuid primary key references quenty.journal (id),
    subject uuid not null,
    salt bytea not null,
    data jsonb not null
);
create index journal_personal_subject on quenty.journal_personal (subject);

-- Small and hot: rows live for milliseconds, so vacuum must come early.
create table quenty.outbox (
    seq bigint generated always as identity primary key,
    event_id uuid not null unique,
    stream text not null,
    stream_version bigint not null,
    envelope jsonb not null,
    created_at timestamptz not null,
    unique (stream, stream_version)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, fillfactor = 70);

-- One row per event and service; `waiting` and `dead` ones keep their envelope and hold up their stream.
-- `unheard` ones hold up nothing: a replica that is older than a reaction keeps them for those that have it.
create table quenty.inbox (
    event_id uuid primary key,
    publisher text not null,
    type text not null,
    stream text not null,
    stream_version bigint not null,
    status text not null check (status in ('done', 'waiting', 'dead', 'discarded', 'unheard')),
    attempts integer not null default 0,
    next_at timestamptz,
    error text,
    envelope jsonb,
    received_at timestamptz not null,
    updated_at timestamptz not null,
    check ((status in ('waiting', 'dead', 'unheard')) = (envelope is not null))
);
create index inbox_open on quenty.inbox (publisher, stream, stream_version) where status in ('waiting', 'dead', 'unheard');
create index inbox_next on quenty.inbox (next_at) where status in ('waiting', 'unheard');
create index inbox_received on quenty.inbox (received_at);

-- Durable work outside transactions. `due_at` is business time (deadlines), `run_at` is wall time (back-off).
create table quenty.tasks (
    id uuid primary key,
    kind text not null,
    key text not null,
    payload jsonb not null,
    status text not null check (status in ('ready', 'running', 'done', 'dead', 'cancelled')),
    due_at timestamptz,
    run_at timestamptz not null,
    attempts integer not null default 0,
    lease_token uuid,
    lease_until timestamptz,
    error text,
    company_id uuid,
    correlation_id uuid not null,
    traceparent text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (kind, key),
    check ((status = 'running') = (lease_token is not null))
);
create index tasks_ready on quenty.tasks (run_at) where status = 'ready' and due_at is null;
create index tasks_due on quenty.tasks (due_at) where status = 'ready' and due_at is not null;
create index tasks_running on quenty.tasks (lease_until) where status = 'running';
create index tasks_dead on quenty.tasks (updated_at) where status = 'dead';
create index tasks_finished on quenty.tasks (updated_at) where status in ('done', 'cancelled');

create table quenty.idempotency (
    scope text not null,
    key text not null,
    body_hash bytea not null,
    status smallint not null,
    headers jsonb not null,
    body jsonb,
    created_at timestamptz not null,
    primary key (scope, key)
);
create index idempotency_created on quenty.idempotency (created_at);

-- Positions of published facts in commit order, given out by the relay: what live streams resume from.
create table quenty.feed (
    position bigint generated always as identity primary key,
    event_id uuid not null unique,
    type text not null,
    stream text not null,
    company_id uuid,
    published_at timestamptz not null
);
create index feed_company on quenty.feed (company_id, position);
create index feed_stream on quenty.feed (stream, position);
create index feed_published on quenty.feed (published_at);
