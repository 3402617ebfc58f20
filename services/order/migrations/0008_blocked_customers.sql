-- Whom the company sells to no more. Of a customer of before this column it is known from their next change on.
alter table customers add column blocked boolean not null default false;
