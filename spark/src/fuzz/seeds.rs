//! Statements of many kinds to damage: a few of each part of the grammar, and the benchmarks' queries.

const STATEMENTS: &[&str] = &[
    "SELECT a.i, b.s, count(*) AS c FROM t a JOIN u b ON a.i = b.i WHERE a.d > 1.5e0 AND b.s LIKE '%x\\_%' ESCAPE '\\' GROUP BY ALL HAVING count(*) > 0 ORDER BY c DESC NULLS LAST LIMIT 5 OFFSET 1",
    "SELECT CASE i WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE NULL END, CAST(s AS DECIMAL(10, 2)), TRY_CAST(s AS DATE), i::STRING, a[0], r.x, p['k'] FROM t",
    "SELECT sum(i) OVER (PARTITION BY s ORDER BY y ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING), rank() OVER w FROM t WINDOW w AS (ORDER BY d DESC)",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 10) SELECT * FROM c",
    "WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a CROSS JOIN b",
    "SELECT * FROM t LATERAL VIEW OUTER explode(a) e AS v LATERAL VIEW posexplode(array(1, 2)) f AS q, w",
    "SELECT * FROM u PIVOT (sum(v) AS total, max(v) FOR s IN ('a' AS aa, 'b')) ORDER BY 1",
    "SELECT * FROM u UNPIVOT INCLUDE NULLS (val FOR col IN (i AS one, v AS two))",
    "SELECT i FROM t EXCEPT ALL SELECT i FROM u INTERSECT SELECT 3 UNION DISTINCT VALUES (1), (2)",
    "SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.i = t.i AND u.v > (SELECT avg(v) FROM u x WHERE x.s = u.s)) OR (i, s) NOT IN (SELECT i, s FROM u)",
    "SELECT transform(a, (x, k) -> x * k + i), filter(a, x -> x IS NOT NULL), aggregate(a, 0, (s, x) -> s + x, s -> s * 2), map_filter(p, (k, v) -> v > 0) FROM t",
    "SELECT grouping(i), grouping_id(), sum(d) FROM t GROUP BY GROUPING SETS ((i, s), ROLLUP(i, s), CUBE(s), ())",
    "SELECT count(DISTINCT i, s) FILTER (WHERE b), percentile_cont(0.5) WITHIN GROUP (ORDER BY d DESC), listagg(s, ', ') WITHIN GROUP (ORDER BY s), any_value(s) IGNORE NULLS FROM t",
    "SELECT INTERVAL '1-2' YEAR TO MONTH, INTERVAL 3 days 4 hours, INTERVAL '1 02:03:04.5' DAY TO SECOND, DATE '2024-02-29' + n, z - TIMESTAMP '2000-01-01', TIME '01:02:03' FROM t",
    "SELECT extract(YEAR FROM y), date_part('month', z), trim(BOTH 'x' FROM s), substring(s FROM 2 FOR 1), position('a' IN s), overlay(s PLACING 'b' FROM 1) FROM t",
    "SELECT * EXCEPT (i, s), t.* FROM t TABLESAMPLE (10 PERCENT) REPEATABLE (3) NATURAL FULL OUTER JOIN u USING (i)",
    "SELECT /*+ BROADCAST(u), REPARTITION(3) */ * FROM t LEFT SEMI JOIN u ON t.i <=> u.i -- a comment\n",
    "SELECT i, LAG(i, 1, 0) IGNORE NULLS OVER (ORDER BY i RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) FROM t QUALIFY row_number() OVER (ORDER BY i) = 1",
    "FROM t |> WHERE i > 0 |> EXTEND i * 2 AS j |> AGGREGATE sum(j) AS total GROUP BY s |> ORDER BY total |> SELECT total, s |> LIMIT 3 |> AS q |> SET total = 1 |> DROP s",
    "SELECT * FROM range(1, 10, 2) AS r(k), LATERAL (SELECT k + 1 AS l) JOIN LATERAL explode(array(l)) AS x(y)",
    "SELECT named_struct('a', 1, 'b', struct(i, s)).b.col1, array(1, 2)[-1], map('a', 1)['b'], {'a': 1}, x'1F', r'raw\\n', \"double\", `i` FROM t",
    "SELECT s COLLATE UNICODE_CI = 'X', s || 'a' || NULL, NOT b AND i BETWEEN 1 AND 2 OR i IN (1, 2), i & 1 | 2 ^ ~3 << 1 >>> 2, i DIV 2 % 3, s RLIKE '^a.*$', s ILIKE ANY ('a', 'b') FROM t",
    "SELECT :p, ?, IDENTIFIER('t').i, @@x FROM IDENTIFIER('t')",
    "SELECT variant_get(parse_json('{\"a\":[1,2]}'), '$.a[0]', 'int'), from_json(s, 'a INT, b ARRAY<STRING>'), to_json(struct(i)), from_csv(s, 'x INT'), parse_json(s):a.b[0]::int FROM t",
    "VALUES (1, 'a'), (2, NULL) AS v(x, y)",
    "TABLE t",
    "SELECT window(z, '10 minutes', '5 minutes').start, session_window(z, '1 hour'), sum(i) FROM t GROUP BY 1, 2",
    "SELECT MAP_FROM_ARRAYS(array(1), array('x')), stack(2, 1, 'a', 2, 'b') FROM t",
    "CREATE TABLE IF NOT EXISTS db.x (a INT NOT NULL DEFAULT 1 COMMENT 'c', b STRING GENERATED ALWAYS AS (a), c STRUCT<x: INT, y: ARRAY<MAP<STRING, DECIMAL(38,18)>>>) USING parquet PARTITIONED BY (a) CLUSTERED BY (b) INTO 4 BUCKETS OPTIONS ('k' = 'v') LOCATION '/nowhere' TBLPROPERTIES (p.q = 1) COMMENT 'x' AS SELECT 1",
    "CREATE OR REPLACE GLOBAL TEMPORARY VIEW v (a COMMENT 'x', b) TBLPROPERTIES ('a' = 'b') AS SELECT 1, 2",
    "CREATE OR REPLACE TEMPORARY FUNCTION f(x INT DEFAULT 1, y STRING) RETURNS TABLE (a INT) LANGUAGE SQL DETERMINISTIC RETURN SELECT x",
    "INSERT OVERWRITE TABLE t PARTITION (a = 1, b) IF NOT EXISTS (x, y) SELECT 1, 2",
    "INSERT INTO t BY NAME SELECT 1 AS i",
    "MERGE INTO t USING u ON t.i = u.i WHEN MATCHED AND u.v > 1 THEN UPDATE SET t.s = u.s WHEN NOT MATCHED THEN INSERT (i, s) VALUES (u.i, u.s) WHEN NOT MATCHED BY SOURCE THEN DELETE",
    "UPDATE t SET s = 'x', i = i + 1 WHERE i > 0",
    "DELETE FROM t WHERE i IN (SELECT i FROM u)",
    "ALTER TABLE t ADD COLUMNS (n INT AFTER i, o STRING FIRST), RENAME COLUMN a TO b",
    "ALTER TABLE t SET TBLPROPERTIES ('a' = 'b')",
    "ALTER TABLE t PARTITION (a = 1) RENAME TO PARTITION (a = 2)",
    "DROP VIEW IF EXISTS a.b.c",
    "DESCRIBE EXTENDED t PARTITION (a = 1) AS JSON",
    "EXPLAIN FORMATTED SELECT 1",
    "SHOW TABLES IN db LIKE 'a*|b'",
    "SET spark.sql.ansi.enabled = false",
    "SET VAR (x, y) = (SELECT 1, 2)",
    "DECLARE OR REPLACE VARIABLE x INT DEFAULT 1 + 2",
    "EXECUTE IMMEDIATE 'SELECT ? + :a' INTO x USING 1, 2 AS a",
    "BEGIN DECLARE x INT DEFAULT 1; DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT 0; END; lbl: WHILE x < 3 DO SET x = x + 1; IF x = 2 THEN ITERATE lbl; ELSEIF x > 5 THEN LEAVE lbl; ELSE SELECT x; END IF; END WHILE lbl; FOR r AS SELECT 1 AS a DO SELECT r.a; END FOR; REPEAT SET x = 1; UNTIL true END REPEAT; CASE x WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE; END",
    "CACHE LAZY TABLE c OPTIONS ('storageLevel' = 'DISK_ONLY') AS SELECT 1",
    "ANALYZE TABLE t COMPUTE STATISTICS FOR COLUMNS i, s",
    "TRUNCATE TABLE t PARTITION (a = 1)",
    "USE CATALOG spark_catalog",
    "COMMENT ON TABLE t IS 'x'",
    "REFRESH TABLE t",
    "SELECT a FROM VALUES (DATE'2024-01-01'), (NULL) AS x(a) CLUSTER BY a",
    "SELECT * FROM t TIMESTAMP AS OF '2024-01-01' VERSION AS OF 3",
    "SELECT t1.*, (SELECT max(v) FROM u WHERE u.i = t1.i LIMIT 1) AS m FROM (SELECT * FROM t DISTRIBUTE BY i SORT BY s) AS t1 LEFT JOIN (u CROSS JOIN t AS tt) ON t1.i = tt.i",
];

/// All seeds.
pub(super) fn all() -> Vec<String> {
    let mut seeds: Vec<String> = STATEMENTS.iter().map(ToString::to_string).collect();
    // Of this checkout, which need not be the one where this was built.
    let own = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let path = std::path::Path::new(&own).join("../benches/tpch/queries");
    let mut files: Vec<_> = std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    seeds.extend(files.iter().step_by(3).map(|file| std::fs::read_to_string(file).unwrap()));
    seeds
}
