-- Rows by generate_series; :orders says how many orders, the rest follows from it.
-- The seed makes every run the same.
SELECT setseed(0.42);

INSERT INTO customers (name, email, city, joined, notes)
SELECT (ARRAY['Ada', 'Bo', 'Chloé', 'Dörte', 'Emre', 'Fatou', 'Goran', 'Hana'])[1 + floor(random() * 8)::int]
        || ' ' || initcap(substr(md5(n::text), 1, 8)),
    'customer' || n || '@example.org',
    (ARRAY['Aarhus', 'Bremen', 'Córdoba', 'Gdańsk', 'İzmir', 'Kyōto', 'Lyon', 'Porto'])[1 + floor(random() * 8)::int],
    date '2015-01-01' + floor(random() * 3000)::int,
    CASE WHEN random() < 0.3 THEN E'prefers mornings\tand a call first;\nsee \\archive ' || md5(random()::text) END
FROM generate_series(1, greatest(:orders / 4, 1)) AS n;

INSERT INTO products (sku, title, price, tags)
SELECT 'SKU-' || lpad(n::text, 6, '0'), 'Article ' || md5(n::text), floor(random() * 20000)::bigint,
    ARRAY['t' || floor(random() * 20)::int, 't' || floor(random() * 20)::int]
FROM generate_series(1, greatest(:orders / 40, 1)) AS n;

INSERT INTO orders (customer_id, state, placed_at, details)
SELECT 1 + floor(random() * greatest(:orders / 4, 1))::bigint,
    (ARRAY['placed', 'paid', 'shipped', 'returned'])[1 + floor(random() * 4)::int]::order_state,
    timestamptz '2020-01-01 00:00:00Z' + random() * interval '1800 days',
    jsonb_build_object('channel', (ARRAY['web', 'shop', 'phone'])[1 + floor(random() * 3)::int],
        'currency', 'EUR', 'weight', floor(random() * 10000), 'gift', random() < 0.1,
        'reference', md5(random()::text),
        'address', jsonb_build_object('street', 'Street ' || floor(random() * 900)::int,
            'postcode', lpad(floor(random() * 99999)::int::text, 5, '0'), 'country', 'DE'),
        'remarks', repeat('please leave it with the neighbours. ', floor(random() * 4)::int))
FROM generate_series(1, :orders) AS n;

INSERT INTO order_lines (order_id, position, product_id, quantity, price)
SELECT n, position, 1 + floor(random() * greatest(:orders / 40, 1))::bigint, 1 + floor(random() * 9)::int,
    floor(random() * 20000)::bigint
FROM generate_series(1, :orders) AS n, generate_series(1, 3) AS position;

-- Random bytes, 4 KiB each, which no compressor makes smaller than half of their hexadecimal text.
INSERT INTO attachments (id, order_id, media_type, content)
SELECT md5(n::text)::uuid, 1 + floor(random() * :orders)::bigint, 'image/jpeg',
    (SELECT string_agg(decode(md5(random()::text || n || part), 'hex'), '') FROM generate_series(1, 256) AS part)
FROM generate_series(1, greatest(:orders / 100, 1)) AS n;
