-- The trail is asked what was done to a user: facts in streams of their own name whom they are about, as the end of a session does.
create index journal_user on quenty.journal ((data ->> 'user_id')) where data ->> 'user_id' is not null;
