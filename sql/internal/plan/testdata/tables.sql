CREATE TABLE t (
  a INT, b BIGINT, s STRING, r ROW<x INT, y ROW<z STRING>>, arr ARRAY<STRING>, m MAP<STRING, INT>, rows_ ARRAY<ROW<p INT, q STRING>>,
  ts TIMESTAMP(3), c AS a + 1, pt AS PROCTIME(), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'values');
CREATE TABLE u (a INT NOT NULL, d DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts, PRIMARY KEY (a) NOT ENFORCED)
WITH ('connector' = 'values');
CREATE TABLE ltz (k STRING, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'values');
