-- The average age of each name, from CSV to CSV, as a batch job:
--
--   go run ./cmd/flott sql -f examples/averages/averages.sql

SET 'execution.runtime-mode' = 'batch';

CREATE TABLE users (
  id INT,
  name STRING,
  age INT
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/averages/data/users.csv',
  'format' = 'csv'
);

CREATE TABLE user_stats (
  name STRING,
  avg_age FLOAT
) WITH (
  'connector' = 'filesystem',
  'path' = 'out/user_stats',
  'format' = 'csv'
);

INSERT INTO user_stats
SELECT name, AVG(age) AS avg_age FROM users GROUP BY name;
