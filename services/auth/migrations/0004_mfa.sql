-- A second factor beside the password: one authenticator app a person (RFC 6238), and recovery codes for when it is
-- lost. Secrets lie here sealed or as keyed hashes.

create table totp_factors (
    user_id uuid primary key references users (id),
    -- Nonce and AES-256-GCM ciphertext, bound to the user.
    sealed_secret bytea not null,
    created_at timestamptz not null,
    -- Until a first code was given, the factor is asked of nobody.
    confirmed_at timestamptz,
    -- The step of the newest code that was taken: no code works twice.
    last_step bigint not null default 0
);

-- Those that are left: a used one goes.
create table recovery_codes (
    user_id uuid not null references users (id),
    mac bytea not null check (octet_length(mac) = 32),
    primary key (user_id, mac)
);

-- Logins whose password was right and whose second step is awaited.
create table mfa_challenges (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    user_id uuid not null references users (id),
    -- The password that was given: a login does not outlive its change.
    password_id bigint not null,
    -- The token's hash of a device that was known at the first step.
    device_hash bytea check (octet_length(device_hash) = 32),
    failures integer not null default 0,
    expires_at timestamptz not null
);
create index mfa_challenges_user on mfa_challenges (user_id);
create index mfa_challenges_expiry on mfa_challenges (expires_at);

-- How the person proved to be it (RFC 8176), and when the password was last given. Sessions of before, and of a
-- version that knows neither, have given a password, and long ago.
alter table sessions
    add column amr text[] not null default '{pwd}',
    add column authenticated_at timestamptz not null default 'epoch';
