-- Companies are listed by how far their KYC has come, too: it waits for the platform's staff.

create index companies_kyc on companies (kyc, id);
