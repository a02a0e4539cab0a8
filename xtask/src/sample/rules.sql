-- Keys, indexes, views and triggers, after the rows, as a restore does it.
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE order_lines ADD PRIMARY KEY (order_id, position);
ALTER TABLE order_lines ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE;
ALTER TABLE order_lines ADD FOREIGN KEY (product_id) REFERENCES products;
ALTER TABLE attachments ADD FOREIGN KEY (order_id) REFERENCES orders;
CREATE INDEX orders_by_time ON orders (placed_at);
CREATE INDEX customers_by_name ON customers USING gin (name gin_trgm_ops);
CREATE VIEW reports.sales AS
    SELECT date_trunc('month', o.placed_at) AS month, sum(l.quantity * l.price) AS cents
    FROM orders o JOIN order_lines l ON l.order_id = o.id GROUP BY 1;
CREATE MATERIALIZED VIEW reports.cities AS
    SELECT city, count(*) AS customers FROM customers GROUP BY city;
CREATE TRIGGER orders_note_change BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION note_change();
UPDATE orders SET state = 'paid' WHERE id <= 10;
ANALYZE;
