-- The tables of the contract suite's services: a publisher that counts, and consumers that write down in which
-- order they reacted. `effects` has no unique key on purpose: an effect that happens twice must show.

create table counters (
    id uuid primary key,
    heard bigint not null default 0
);

create table effects (
    position bigint generated always as identity primary key,
    stream text not null,
    n bigint not null,
    event_id uuid not null
);
create index effects_stream on effects (stream, position);
