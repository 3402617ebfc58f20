-- Every foreign key has its index: by which recall a return was opened.

create index recalled_returns_return on recalled_returns (return_id);
