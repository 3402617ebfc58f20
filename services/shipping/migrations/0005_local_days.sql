-- The clocks that a company's promises go by, as Customer tells them with its standing. What was kept before does not
-- say: there a day ends where it ends last on Earth, twelve hours after UTC, until Customer tells again.
alter table standings add column time_zone text not null default 'Etc/GMT+12';
