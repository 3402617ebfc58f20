-- Passkeys (WebAuthn): keys that an authenticator keeps, of which only the public part is here. They are a second
-- factor beside the password, or the only one.

create table passkeys (
    id uuid primary key,
    user_id uuid not null references users (id),
    -- What the person calls it.
    name text not null,
    -- By which authenticators know it; nobody's twice.
    credential_id bytea not null unique check (octet_length(credential_id) between 16 and 1023),
    -- The next three as webauthn_rp encodes them: how it is reached, its public key, and what each use changes.
    transports smallint not null,
    static_state bytea not null,
    dynamic_state bytea not null check (octet_length(dynamic_state) = 7),
    -- The newest password beside which it was proved: it works alone as long as that is the person's password.
    password_id bigint not null,
    created_at timestamptz not null,
    last_used_at timestamptz
);
create index passkeys_user on passkeys (user_id);

-- What an authenticator was asked and has not answered. Whoever asks again gets another one in its place.
create table passkey_ceremonies (
    purpose text not null check (purpose in ('registration', 'second_step', 'reauthentication', 'login')),
    -- The session, the hash of a login's token, or the challenge itself where nobody is known yet.
    owner bytea not null,
    state bytea not null,
    expires_at timestamptz not null,
    primary key (purpose, owner)
);
create index passkey_ceremonies_expiry on passkey_ceremonies (expires_at);
