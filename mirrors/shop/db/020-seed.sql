-- Deterministic rows: every value is a function of its row number, through md5 where it should look arbitrary.

CREATE FUNCTION pg_temp.pick(seed text, choices integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
  $$ SELECT (('x' || substr(md5(seed), 1, 8))::bit(32)::bigint % choices)::integer $$;

INSERT INTO categories (id, name)
SELECT ordinality, name
FROM unnest(ARRAY['Kitchen', 'Garden', 'Office', 'Bath', 'Bedroom', 'Travel', 'Workshop', 'Nursery']) WITH ORDINALITY AS c (name, ordinality);

WITH words AS (
  SELECT
    ARRAY['Alder', 'Amber', 'Arctic', 'Ashen', 'Autumn', 'Birch', 'Bright', 'Cedar', 'Cobalt', 'Copper', 'Coral', 'Crimson',
          'Dusky', 'Ebony', 'Fern', 'Frosted', 'Golden', 'Granite', 'Hazel', 'Indigo', 'Ivory', 'Jade', 'Linen', 'Maple',
          'Marble', 'Meadow', 'Misty', 'Nordic', 'Oaken', 'Ocean', 'Olive', 'Pearl', 'Pine', 'Quartz', 'Rustic', 'Saffron',
          'Silver', 'Slate', 'Velvet', 'Walnut'] AS adjectives,
    ARRAY['Apron', 'Armchair', 'Basket', 'Bench', 'Blanket', 'Bookcase', 'Bottle', 'Bowl', 'Cabinet', 'Candle', 'Clock',
          'Curtain', 'Cushion', 'Desk', 'Drawer', 'Frame', 'Hammock', 'Kettle', 'Ladder', 'Lamp', 'Mirror', 'Mug', 'Pitcher',
          'Planter', 'Plate', 'Rug', 'Shelf', 'Stool', 'Table', 'Teapot', 'Towel', 'Tray', 'Trunk', 'Vase', 'Wardrobe'] AS nouns
)
INSERT INTO products (id, sku, title, description, category_id, price_cents, created_at)
SELECT
  n,
  'P-' || lpad(n::text, 6, '0'),
  adjectives[1 + pg_temp.pick('adjective' || n, 40)] || ' ' || nouns[1 + pg_temp.pick('noun' || n, 35)] || ' ' || lpad(n::text, 6, '0'),
  'Catalogue text ' || md5('description' || n) || md5('more' || n),
  1 + pg_temp.pick('category' || n, 8),
  500 + pg_temp.pick('price' || n, 19500),
  timestamptz '2026-01-01 00:00:00+00' + n * interval '1 minute'
FROM words, generate_series(1, 60000) AS n;

INSERT INTO customers (id, email, name, created_at)
SELECT n, 'customer' || n || '@shop.example', 'Customer ' || n, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 hour'
FROM generate_series(1, 2000) AS n;

-- A past: 1,000 paid orders of one line each, long fulfilled.
INSERT INTO orders (id, customer_id, status, total_cents, charge_id, created_at)
SELECT n, 1 + pg_temp.pick('buyer' || n, 2000), 'paid', product.price_cents, 'ch_' || substr(md5('charge' || n), 1, 24),
       timestamptz '2026-03-01 00:00:00+00' + n * interval '10 minutes'
FROM generate_series(1, 1000) AS n
JOIN products AS product ON product.id = 1 + pg_temp.pick('bought' || n, 60000);

INSERT INTO order_lines (order_id, line_number, product_id, quantity, unit_price_cents)
SELECT n, 1, product.id, 1, product.price_cents
FROM generate_series(1, 1000) AS n
JOIN products AS product ON product.id = 1 + pg_temp.pick('bought' || n, 60000);

SELECT setval(pg_get_serial_sequence('orders', 'id'), 1000);

INSERT INTO feature_settings (name, value, description) VALUES
  ('shipping_cents', '490', 'Added to every order below the free-shipping limit'),
  ('free_shipping_from_cents', '10000', 'Orders of at least this much ship free'),
  ('search_results_max', '20', 'Rows that GET /search returns at most');

-- Statistics and visibility map are complete before the first request, so autovacuum has nothing to catch up with.
VACUUM (ANALYZE);
