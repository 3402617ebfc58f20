-- The tariff of our own carrier, QTY: a card for each country where it bills in the country's currency, and one in
-- US dollars for every other origin. An amount is never converted from one currency to another.
-- This is the launch tariff; the next one is new rows with a later `valid_from`.

insert into rate_cards (id, carrier, origin, currency, valid_from, volumetric_divisor, fuel_bps, insurance_bps, max_parcel_grams, max_declared_value) values
    ('qty-co', 'QTY', 'CO', 'COP', '2020-01-01', 5000, 850, 100, 70000, 40000000),
    ('qty-mx', 'QTY', 'MX', 'MXN', '2020-01-01', 5000, 900, 100, 70000, 200000),
    ('qty-br', 'QTY', 'BR', 'BRL', '2020-01-01', 5000, 950, 100, 70000, 60000),
    ('qty', 'QTY', null, 'USD', '2020-01-01', 5000, 1000, 100, 70000, 10000);

-- The first kilogram costs `base`; then every started 500 g costs `step`, above 5 kg 80 % and above 20 kg 60 % of it,
-- so that the price is the same on either side of a break.
insert into rate_card_breaks (card, zone, service, above_grams, base, step)
select p.card, p.zone, p.service, b.above_grams,
       p.base + p.step * b.whole + p.step * 0.8 * b.reduced,
       p.step * b.share
from (values
        ('qty-co', 0, 'standard', 8900, 1900), ('qty-co', 0, 'express', 14900, 2900),
        ('qty-co', 1, 'standard', 89000, 16000), ('qty-co', 1, 'express', 139000, 23000),
        ('qty-co', 2, 'standard', 68000, 12000), ('qty-co', 2, 'express', 109000, 18000),
        ('qty-co', 3, 'standard', 112000, 21000), ('qty-co', 3, 'express', 168000, 29000),
        ('qty-co', 4, 'standard', 134000, 26000), ('qty-co', 4, 'express', 198000, 36000),
        ('qty-mx', 0, 'standard', 89, 15), ('qty-mx', 0, 'express', 145, 25),
        ('qty-mx', 1, 'standard', 320, 60), ('qty-mx', 1, 'express', 490, 85),
        ('qty-mx', 2, 'standard', 380, 70), ('qty-mx', 2, 'express', 560, 95),
        ('qty-mx', 3, 'standard', 520, 95), ('qty-mx', 3, 'express', 780, 130),
        ('qty-mx', 4, 'standard', 640, 120), ('qty-mx', 4, 'express', 940, 165),
        ('qty-br', 0, 'standard', 18.90, 3.20), ('qty-br', 0, 'express', 31.90, 5.40),
        ('qty-br', 1, 'standard', 118, 22), ('qty-br', 1, 'express', 176, 31),
        ('qty-br', 2, 'standard', 92, 17), ('qty-br', 2, 'express', 142, 25),
        ('qty-br', 3, 'standard', 138, 26), ('qty-br', 3, 'express', 204, 36),
        ('qty-br', 4, 'standard', 164, 31), ('qty-br', 4, 'express', 242, 43),
        ('qty', 0, 'standard', 7.50, 1.20), ('qty', 0, 'express', 12.50, 2),
        ('qty', 1, 'standard', 24, 4.50), ('qty', 1, 'express', 38, 6.50),
        ('qty', 2, 'standard', 22, 4), ('qty', 2, 'express', 35, 6),
        ('qty', 3, 'standard', 28, 5.50), ('qty', 3, 'express', 44, 7.50),
        ('qty', 4, 'standard', 34, 6.50), ('qty', 4, 'express', 52, 9)
     ) as p (card, zone, service, base, step),
     (values (0, 0, 0, 0.0), (1000, 0, 0, 1.0), (5000, 8, 0, 0.8), (20000, 8, 30, 0.6)) as b (above_grams, whole, reduced, share);

insert into transit_days (carrier, zone, service, business_days) values
    ('QTY', 0, 'standard', 3), ('QTY', 0, 'express', 1),
    ('QTY', 1, 'standard', 6), ('QTY', 1, 'express', 3),
    ('QTY', 2, 'standard', 6), ('QTY', 2, 'express', 3),
    ('QTY', 3, 'standard', 8), ('QTY', 3, 'express', 4),
    ('QTY', 4, 'standard', 10), ('QTY', 4, 'express', 5);
