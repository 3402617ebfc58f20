-- A document number is a company's once staff have it in hand: who has only registered, was rejected or closed keeps
-- nobody from it. Processes of before register no company from here on: their `on conflict` names the index that goes.

create unique index companies_judged_document on companies (country, document_type, document_number)
    where status in ('in_review', 'active', 'suspended');
drop index companies_document;
