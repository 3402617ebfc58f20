-- Devices that a person has logged in with: failures of strangers never keep them out. Of a device's token only the
-- hash is here.

create table known_devices (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    user_id uuid not null references users (id),
    last_used_at timestamptz not null
);
create index known_devices_user on known_devices (user_id);
create index known_devices_age on known_devices (last_used_at);
