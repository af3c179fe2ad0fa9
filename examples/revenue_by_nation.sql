-- Revenue and orders by nation and year, from TPC-H files in a bucket into a table.
--   ${source}  folder with the TPC-H parquet files, for example s3://tpch/sf
--   ${target}  the target's definition, for example USING jdbc OPTIONS (url '...', dbtable '...', user '...', password '...')
CREATE TEMPORARY VIEW lineitem USING parquet OPTIONS (path '${source}/lineitem.parquet');
CREATE TEMPORARY VIEW orders USING parquet OPTIONS (path '${source}/orders.parquet');
CREATE TEMPORARY VIEW customer USING parquet OPTIONS (path '${source}/customer.parquet');
CREATE TEMPORARY VIEW nation USING parquet OPTIONS (path '${source}/nation.parquet');

CREATE TABLE revenue_by_nation ${target};

INSERT INTO revenue_by_nation
SELECT n_name AS nation,
       year(o_orderdate) AS year,
       CAST(sum(l_extendedprice * (1 - l_discount)) AS DECIMAL(18, 2)) AS revenue,
       count(DISTINCT o_orderkey) AS orders
FROM lineitem
JOIN orders ON l_orderkey = o_orderkey
JOIN customer ON o_custkey = c_custkey
JOIN nation ON c_nationkey = n_nationkey
GROUP BY n_name, year(o_orderdate);
