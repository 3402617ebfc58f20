-- Whether a company may order, kept from Customer's events; the highest version wins.
create table standings (
    company_id uuid primary key,
    version bigint not null,
    may_order boolean not null
);
