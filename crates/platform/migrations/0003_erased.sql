-- Persons, and orders and returns of theirs, about which nothing is written any more: late news bring nobody back. Ids only.
create table quenty.erased (id uuid primary key);
