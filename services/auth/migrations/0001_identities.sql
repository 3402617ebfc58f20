-- Who may log in, how they prove it, and what their sessions and signing keys are. Secrets lie here only as
-- hashes (passwords, refresh tokens, links) or sealed (private keys).

create table users (
    id uuid primary key,
    username text not null,
    -- The lower-case forms, made by the service: unique without regard to case in every locale.
    username_key text not null unique,
    email text not null,
    email_key text not null unique,
    given_name text not null,
    family_name text not null,
    language text not null,
    -- Pending: invited, and the person has not answered.
    status text not null check (status in ('pending_verification', 'active', 'suspended')),
    -- Whether the person ever answered: who was suspended before comes back to where they were.
    verified boolean not null,
    -- Platform roles; what a person is in a company stands in memberships.
    roles text[] not null,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (status <> 'active' or verified),
    check (status <> 'pending_verification' or not verified)
);
create index users_status on users (status, id);
create index users_roles on users using gin (roles);

-- The newest is the one that counts; earlier ones keep it from coming back.
create table passwords (
    id bigint generated always as identity primary key,
    user_id uuid not null references users (id),
    hash text not null,
    created_at timestamptz not null
);
create index passwords_user on passwords (user_id, id desc);

-- A projection of Customer's members. A removed one stays as a tombstone: an answer of Customer that was on its
-- way when the removal was heard must not bring it back. No foreign key: a member may be heard before its user.
create table memberships (
    member_id uuid primary key,
    company_id uuid not null,
    user_id uuid not null,
    role text not null check (role in ('owner', 'manager', 'operator', 'warehouse', 'finance', 'viewer')),
    removed boolean not null default false
);
create index memberships_user on memberships (user_id) where not removed;
create index memberships_company on memberships (company_id) where not removed;

-- Only companies that were ever suspended or closed; the highest version of Customer's standing counts.
create table company_standings (
    company_id uuid primary key,
    status text not null,
    version bigint not null
);

-- One login on one device: a family of refresh tokens. All times are wall time.
create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id),
    company_id uuid,
    address text not null,
    user_agent text not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text,
    check ((ended_at is null) = (end_reason is null))
);
create index sessions_user on sessions (user_id, id desc);
create index sessions_expiry on sessions (expires_at);

create table refresh_tokens (
    hash bytea primary key check (octet_length(hash) = 32),
    session_id uuid not null references sessions (id) on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index refresh_tokens_session on refresh_tokens (session_id);

-- People who say that an address is theirs, until its owner follows the link. Several may say so, each with names
-- and a password of their own: the one whose link is followed becomes the user.
create table registrations (
    id uuid primary key,
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    username text,
    email text not null,
    email_key text not null,
    given_name text not null,
    family_name text not null,
    language text not null,
    password_hash text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index registrations_email on registrations (email_key);
create index registrations_expiry on registrations (expires_at);

-- Single-use links that are mailed to who was invited.
create table links (
    id uuid primary key,
    user_id uuid not null references users (id),
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index links_user on links (user_id);
create index links_expiry on links (expires_at);

-- Failed logins of one account from one address; the account is a hash, because it need not exist.
create table lockouts (
    account bytea not null,
    address text not null,
    failures integer not null check (failures > 0),
    last_failure_at timestamptz not null,
    locked_until timestamptz,
    primary key (account, address)
);
create index lockouts_age on lockouts (last_failure_at);

-- Fixed windows of wall time, counted for all replicas.
create table rate_limits (
    bucket text primary key,
    started_at timestamptz not null,
    hits integer not null check (hits > 0)
);
create index rate_limits_age on rate_limits (started_at);

create table signing_keys (
    id uuid primary key,
    status text not null check (status in ('next', 'current', 'retired')),
    public_key bytea not null check (octet_length(public_key) = 32),
    -- Nonce and AES-256-GCM ciphertext, bound to the id.
    sealed_private_key bytea not null,
    created_at timestamptz not null,
    status_since timestamptz not null
);
create unique index signing_keys_one_each on signing_keys (status) where status in ('next', 'current');
