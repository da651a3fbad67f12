-- Clicks per URL and minute, joined with where somebody was in that minute: two streams into one.
--
--   go run ./cmd/flott sql -f examples/places/places.sql

CREATE TABLE clickstream (
  url STRING,
  timestamp TIMESTAMP(3),
  WATERMARK FOR timestamp AS timestamp - INTERVAL '5' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/clicks/data/clickstream.json',
  'format' = 'json'
);

CREATE TABLE locationstream (
  location STRING,
  timestamp TIMESTAMP(3),
  WATERMARK FOR timestamp AS timestamp - INTERVAL '5' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/places/data/locations.json',
  'format' = 'json'
);

CREATE VIEW url_clicks AS
SELECT
  url,
  TUMBLE_START(timestamp, INTERVAL '1' MINUTE) AS window_start,
  TUMBLE_END(timestamp, INTERVAL '1' MINUTE) AS window_end,
  COUNT(*) AS click_count
FROM clickstream
GROUP BY url, TUMBLE(timestamp, INTERVAL '1' MINUTE);

CREATE TABLE console (
  url STRING,
  location STRING,
  window_start TIMESTAMP(3),
  click_count BIGINT
) WITH ('connector' = 'print');

INSERT INTO console
SELECT url_clicks.url, locationstream.location, url_clicks.window_start, url_clicks.click_count
FROM url_clicks
JOIN locationstream ON url_clicks.window_start = locationstream.timestamp;
