-- The chassis remembers about whom nothing is written any more; here stand only the requests that wait.
insert into quenty.erased (id) select distinct customer_id from erasures where status = 'erased' on conflict do nothing;
delete from erasures where status = 'erased';
alter table erasures drop column status;
