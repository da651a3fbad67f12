-- Clicks per URL and minute, from a file of JSON records to the terminal:
--
--   go run ./cmd/flott sql -f examples/clicks/clicks.sql

CREATE TABLE clickstream (
  url STRING,
  timestamp TIMESTAMP(3),
  WATERMARK FOR timestamp AS timestamp - INTERVAL '5' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/clicks/data/clickstream.json',
  'format' = 'json'
);

CREATE TABLE console (
  url STRING,
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  clicks BIGINT
) WITH ('connector' = 'print');

INSERT INTO console
SELECT url, window_start, window_end, COUNT(*)
FROM TABLE(TUMBLE(TABLE clickstream, DESCRIPTOR(timestamp), INTERVAL '1' MINUTE))
GROUP BY url, window_start, window_end;
