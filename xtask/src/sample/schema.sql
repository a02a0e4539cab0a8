-- A shop: what a small company's database has of tables, views, triggers, JSON and blobs.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE SCHEMA IF NOT EXISTS reports;
CREATE TYPE order_state AS ENUM ('placed', 'paid', 'shipped', 'returned');
CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    city text NOT NULL,
    joined date NOT NULL,
    notes text
);
CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL UNIQUE,
    title text NOT NULL,
    price cents NOT NULL,
    tags text[] NOT NULL DEFAULT '{}'
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL,
    state order_state NOT NULL,
    placed_at timestamptz NOT NULL,
    details jsonb NOT NULL,
    changed_at timestamptz
);
CREATE TABLE order_lines (
    order_id bigint NOT NULL,
    position smallint NOT NULL,
    product_id bigint NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    price cents NOT NULL
);
CREATE TABLE attachments (
    id uuid PRIMARY KEY,
    order_id bigint NOT NULL,
    media_type text NOT NULL,
    content bytea NOT NULL
);
CREATE TABLE "Audit Log" (
    at timestamptz NOT NULL DEFAULT now(),
    "what happened" text NOT NULL
);

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at := now();
    INSERT INTO public."Audit Log" ("what happened") VALUES (format('order %s: %s', NEW.id, NEW.state));
    RETURN NEW;
END
$$;
