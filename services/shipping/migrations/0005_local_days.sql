-- The clocks that a company's promises go by, as Customer tells them with its standing; not known of standings of before.
alter table standings add column time_zone text;
