-- Types of events that the service has heard, for as long as it lives: the inbox forgets which events these were, and what it does
-- not know any more would be taken twice by a replay.
create table quenty.heard (type text primary key);
