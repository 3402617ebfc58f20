-- Staff look for a reference, or for what one customer ordered, among the orders of all companies. A customer is of one
-- company, so that its own lists need no other index.
create index orders_reference on orders (external_reference, id) where external_reference is not null;
create index orders_of_customer on orders (customer_id, id) where customer_id is not null;
drop index orders_customer;
