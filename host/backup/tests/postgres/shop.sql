CREATE EXTENSION hstore;
CREATE SCHEMA "s p ä";
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE loose START 42;
SELECT nextval('loose');
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    amount numeric NOT NULL,
    doubled numeric GENERATED ALWAYS AS (amount * 2) STORED,
    feeling mood, pairs pair[], attributes hstore, note text, raw bytea, at timestamptz
);
INSERT INTO orders (amount, feeling, pairs, attributes, note, raw, at)
SELECT i, 'ok', ARRAY[row(i, 'x')::pair], 'a=>1', 'line 1' || chr(10) || '\.' || chr(9) || 'line 2', '\x00ff', '2026-01-01'
FROM generate_series(1, 1000) i;
INSERT INTO orders (amount, note) VALUES (1, NULL), (2, ''), (3, '\N'), (4, 'COPY public.orders (id) FROM stdin;'),
    (5, E'\\.\n\\.\n-- PostgreSQL database dump complete\n');
CREATE TABLE lines (
    order_id bigint REFERENCES orders ON DELETE CASCADE DEFERRABLE, no positive, PRIMARY KEY (order_id, no)
);
INSERT INTO lines SELECT id, 1 FROM orders;
-- A view on a primary key becomes two objects in the dump.
CREATE VIEW totals AS SELECT o.id, o.amount, count(l.no) FROM orders o LEFT JOIN lines l ON l.order_id = o.id GROUP BY o.id;
CREATE VIEW "totals of totals" AS SELECT sum(amount) FROM totals;
CREATE MATERIALIZED VIEW cached AS SELECT count(*) FROM orders;
CREATE TABLE events (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO events SELECT i, '2026-01-15'::date + i FROM generate_series(1, 40) i;
CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2, 3);
CREATE UNLOGGED TABLE quick (a int);
INSERT INTO quick VALUES (1);
CREATE TABLE "s p ä"."T ""q"" -f" ("col ""x""" int, "-dash" text);
INSERT INTO "s p ä"."T ""q"" -f" VALUES (1, 'x');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    -- COPY public.nothing (a) FROM stdin;
    NEW.note := coalesce(NEW.note, $q$it's $q$);
    RETURN NEW;
END
$body$;
CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION text_of_copy() RETURNS text LANGUAGE sql AS '
COPY public.nothing (a) FROM stdin;
SELECT ''x''';
CREATE INDEX ON orders (lower(note));
CREATE RULE protect AS ON DELETE TO lines DO INSTEAD NOTHING;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON orders USING (true);
COMMENT ON TABLE orders IS E'a comment\nCOPY x FROM stdin;\n\\.';
SELECT lo_from_bytea(0, 'a large object');
SELECT lo_from_bytea(0, convert_to(repeat(E'COPY public.orders (id) FROM stdin;\n', 5000), 'UTF8'));
