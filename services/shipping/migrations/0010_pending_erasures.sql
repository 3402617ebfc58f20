-- Persons who are erased once what was sent to them by hand has ended: the request as it was asked last, ids only.
create table pending_erasures (
    request_id uuid primary key,
    asked jsonb not null,
    -- For the first time.
    asked_at timestamptz not null
);
