SELECT 1, 12345678901, 1.50, 0.05, 1e3, 'it''s', X'1FA0', TRUE, NULL, DATE '2024-02-29', TIME '10:11:12', TIMESTAMP '2024-01-01 10:00:00.123',
  TIMESTAMP '2024-01-01 10:00:00.123456789', INTERVAL '1-6' YEAR TO MONTH, INTERVAL '1 10:20:30.5' DAY TO SECOND, INTERVAL -'5' MINUTE,
  -2147483648, -9223372036854775808;
SELECT a + 1, a - b, a * 2, a / 2, a % 2, -a, +a, s || 'x', a > b, a <> 1, NOT a = 1, a = 1 AND b = 2 AND s = 'x', a = 1 OR b = 2 FROM t;
SELECT a IS NULL, a IS NOT NULL, a = 1 IS TRUE, a = 1 IS NOT FALSE, a = 1 IS UNKNOWN, a IS DISTINCT FROM b FROM t;
SELECT a BETWEEN 1 AND 3, a NOT BETWEEN SYMMETRIC 3 AND 1, a IN (1, 2, NULL), a NOT IN (1, 2), (a, b) IN ((1, 2), (3, 4)), s LIKE 'a%' ESCAPE '\' FROM t;
SELECT CASE WHEN a > 1 THEN 'x' ELSE s END, CASE a WHEN 1 THEN 10 WHEN 2 THEN 20 END, COALESCE(a, b), CAST(a AS STRING), TRY_CAST(s AS INT) FROM t;
SELECT r.x, t.r.y.z, (r).y.z, arr[1], m['k'], rows_[1].q, ROW(1, 'a'), ARRAY[1, 2], MAP['k', 1] FROM t;
SELECT r.*, (r).*, t.* FROM t;
SELECT `default_catalog`.`default_database`.t.a, default_database.t.b FROM t;
SELECT ts + INTERVAL '1' DAY, ts - INTERVAL '1' MONTH, ts, pt, CAST(ts AS TIMESTAMP(3)) FROM t;
SELECT a = ANY (VALUES 1, 2), a > 1 AND a <= 3 FROM t;
VALUES (1, 'a', NULL), (2.5, 'bcd', 3);
SELECT 1 AS one, 'x';
