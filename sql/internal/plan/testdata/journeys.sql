CREATE TABLE clickstream (
  url STRING,
  timestamp TIMESTAMP(3),
  WATERMARK FOR timestamp AS timestamp - INTERVAL '5' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'properties.bootstrap.servers' = 'localhost:9092', 'format' = 'json');
CREATE VIEW url_clicks AS
SELECT url, TUMBLE_START(timestamp, INTERVAL '1' MINUTE) AS window_start, TUMBLE_END(timestamp, INTERVAL '1' MINUTE) AS window_end, COUNT(*) AS click_count
FROM clickstream GROUP BY url, TUMBLE(timestamp, INTERVAL '1' MINUTE);
CREATE TABLE console_sink (url STRING, window_start TIMESTAMP(3), window_end TIMESTAMP(3), click_count BIGINT) WITH ('connector' = 'print');
INSERT INTO console_sink SELECT * FROM url_clicks;
CREATE TABLE locationstream (location STRING, timestamp TIMESTAMP(3), WATERMARK FOR timestamp AS timestamp) WITH ('connector' = 'kafka');
SELECT url_clicks.url, locationstream.location, click_count FROM url_clicks JOIN locationstream ON url_clicks.window_start = locationstream.timestamp;
SELECT url_clicks.url, location_clicks.location, click_count
FROM url_clicks JOIN locationstream ON url_clicks.window_start = locationstream.timestamp;
CREATE TABLE users (id INT, name STRING, age INT) WITH ('connector' = 'filesystem', 'path' = '/u', 'format' = 'csv');
CREATE TABLE stats (name STRING, avg_age FLOAT) WITH ('connector' = 'filesystem', 'path' = '/s', 'format' = 'csv');
INSERT INTO stats SELECT name, AVG(age) AS avg_age FROM users GROUP BY name;
