-- Persons, and orders and returns of theirs, that are erased: what an older event tells of them is not taken in. Ids only.
create table quenty.erased (id uuid primary key);
