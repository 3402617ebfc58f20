-- Companies with their onboarding and KYC, the people in them, and the customers they sell to.

create table companies (
    id uuid primary key,
    kind text not null check (kind in ('business', 'individual')),
    legal_name text not null,
    trade_name text not null,
    country text not null,
    document_type text,
    -- Normalised: two ways of writing one number are one number.
    document_number text,
    size text not null check (size in ('small', 'medium', 'large')),
    categories text[] not null,
    currency text not null,
    time_zone text not null,
    language text not null,
    origin jsonb,
    payment_terms_days integer not null check (payment_terms_days between 0 and 365),
    -- In the company's currency.
    credit_limit numeric(19, 4) check (credit_limit >= 0),
    registered_by uuid not null,
    status text not null check (status in ('registered', 'documents_pending', 'in_review', 'active', 'rejected', 'suspended', 'closed')),
    status_reason text,
    kyc text not null check (kyc in ('not_started', 'pending', 'verified', 'rejected')),
    kyc_reason text,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((document_type is null) = (document_number is null)),
    check (status not in ('in_review', 'active', 'suspended') or document_number is not null),
    check (kyc = 'not_started' or document_number is not null)
);
create unique index companies_document on companies (country, document_type, document_number);
create index companies_status on companies (status, id);

-- A user in a company, from the invitation to the end. Removed ones stay, for their journal.
create table members (
    id uuid primary key,
    company_id uuid not null references companies (id),
    -- None until the invited person is known.
    user_id uuid,
    -- The address that was invited; none for the founder.
    email text,
    email_key text,
    role text not null check (role in ('owner', 'manager', 'operator', 'warehouse', 'finance', 'viewer')),
    status text not null check (status in ('invited', 'active', 'removed')),
    invited_by uuid,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (status <> 'active' or user_id is not null),
    check (status <> 'invited' or email is not null),
    check ((email is null) = (email_key is null))
);
create unique index members_user on members (company_id, user_id) where status = 'active';
create unique index members_email on members (company_id, email_key) where status <> 'removed';
create index members_company on members (company_id, id);
create index members_of_user on members (user_id) where status = 'active';
create index members_invited on members (email_key) where status = 'invited';

-- One per user of Auth, written by the reactions to Auth's events and by staff.
create table profiles (
    user_id uuid primary key,
    email text not null,
    -- Auth keeps e-mails unique; nothing here relies on it.
    email_key text not null,
    given_name text not null,
    family_name text not null,
    phone text,
    language text not null,
    status text not null check (status in ('active', 'deactivated')),
    status_reason text,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index profiles_email on profiles (email_key, user_id);
create index profiles_status on profiles (status, user_id);

-- A projection of Auth's platform roles: whom not everybody of the staff may deactivate.
create table staff (
    user_id uuid primary key,
    roles text[] not null
);

-- E-mail addresses that were invited and have no user yet: however often an address is invited,
-- the person gets one user id.
create table user_invitations (
    user_id uuid primary key,
    email_key text not null unique,
    invited_at timestamptz not null
);

create table customers (
    id uuid primary key,
    company_id uuid not null,
    kind text not null check (kind in ('individual', 'business')),
    name text not null,
    name_key text collate "C" not null,
    email text,
    email_key text collate "C",
    phone text,
    document_country text,
    document_type text,
    document_number text,
    -- A short list that is always read and written whole.
    addresses jsonb not null,
    language text,
    blocked boolean not null,
    -- Its id in the system that an import came from.
    external_key text,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((email is null) = (email_key is null)),
    check ((document_type is null) = (document_number is null) and (document_type is null) = (document_country is null))
);
create unique index customers_email on customers (company_id, email_key);
create unique index customers_external_key on customers (company_id, external_key);
create index customers_company on customers (company_id, id);
create index customers_name on customers (company_id, name_key);
create index customers_blocked on customers (company_id, id) where blocked;
