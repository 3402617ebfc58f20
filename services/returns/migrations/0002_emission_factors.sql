-- How much making and moving goods emits: the factors that the footprint of a return is computed by. A record keeps
-- the name and version of its set, so a set is never changed; the next one is new rows with a later `valid_from`.

create table emission_factor_sets (
    id text primary key,
    name text not null,
    version text not null,
    source text not null,
    -- The newest set that had begun is the one in force.
    valid_from timestamptz not null unique,
    unique (name, version)
);

create table emission_factors (
    factor_set text not null references emission_factor_sets,
    kind text not null check (kind in ('vehicle', 'goods')),
    -- A vehicle, or a class of goods, or a category of products in lower case, which has the word before its class.
    key text not null check (key = lower(key)),
    -- Grams of CO2e: of vehicles per tonne-kilometre, of goods per kilogram.
    grams numeric(12, 2) not null check (grams >= 0),
    -- The table and row of the set's source.
    source text not null,
    primary key (factor_set, kind, key)
);

insert into emission_factor_sets (id, name, version, source, valid_from) values
    ('desnz-2025', 'UK Government GHG Conversion Factors for Company Reporting', '2025',
     'Department for Energy Security and Net Zero, 2025: https://www.gov.uk/government/publications/greenhouse-gas-reporting-conversion-factors-2025',
     '2025-01-01T00:00:00Z');

-- From the well to the wheel, as ISO 14083 and the GLEC Framework want it: what the vehicle emits and what providing its
-- fuel does, at average loads. 0.63823 + 0.15335 and 0.19748 + 0.04332 kg.
insert into emission_factors (factor_set, kind, key, grams, source) values
    ('desnz-2025', 'vehicle', 'van', 791.58,
     'Freighting goods and WTT delivery vehicles & freight: vans, average (up to 3.5 tonnes), fuel unknown, tonne.km'),
    ('desnz-2025', 'vehicle', 'truck', 240.80,
     'Freighting goods and WTT delivery vehicles & freight: HGV (all diesel), all rigids, average laden, tonne.km');

-- What was emitted until the materials were made, from primary ones; the assembly of goods is not in it. Of
-- several rows that fit a class the lower is taken, so that no more is said to be avoided than was. General and hygiene
-- goods are taken for plastics, furniture for wood.
insert into emission_factors (factor_set, kind, key, grams, source)
select 'desnz-2025', 'goods', key, grams, 'Material use, primary material production: ' || source
from (values
        ('general', 3172.50, 'plastics: average plastics'),
        ('hygiene', 3172.50, 'plastics: average plastics'),
        ('electronics', 5647.95, 'electrical items - small'),
        ('computers', 24865.48, 'electrical items - IT'),
        ('computadores', 24865.48, 'electrical items - IT'),
        ('computadoras', 24865.48, 'electrical items - IT'),
        ('clothing', 22310.00, 'clothing'),
        ('ropa', 22310.00, 'clothing'),
        ('roupas', 22310.00, 'clothing'),
        ('books', 1288.50, 'paper and board: mixed'),
        ('libros', 1288.50, 'paper and board: mixed'),
        ('livros', 1288.50, 'paper and board: mixed'),
        ('furniture', 269.50, 'wood'),
        ('muebles', 269.50, 'wood'),
        ('móveis', 269.50, 'wood')
     ) as f (key, grams, source);
