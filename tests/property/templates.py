"""Expressions over columns: `a` is of the group's type, `b` and `c` as cases.py says. Functions that ask the clock or dice are left out."""

BY_TYPE = [
    "a", "-a", "+a", "a IS NULL", "NOT a", "~a", "abs(a)", "negative(a)", "hash(a)", "xxhash64(a)", "hex(a)", "length(a)",
    "CAST(a AS STRING) || '|'", "concat(a, a)", "concat_ws('-', a, 'x', a)", "to_json(struct(a))", "typeof(a)", "isnan(a)", "nanvl(a, 1)",
    "array(a, NULL)", "map('k', a)", "a = a", "a <=> NULL", "a IN (a, NULL)", "greatest(a, NULL)", "coalesce(NULL, a)", "nullif(a, a)",
    "if(a IS NOT NULL, a, NULL)", "to_binary(CAST(a AS STRING), 'utf-8')", "sha2(CAST(a AS STRING), 256)", "md5(CAST(a AS STRING))",
    "named_struct('x', a, 'y', 1)", "array_contains(array(a), a)", "array_distinct(array(a, a))", "equal_null(a, a)", "a || a", "a & 1",
    "bit_count(a)", "octet_length(a)", "bit_length(a)", "reverse(a)", "string(a)", "int(a)", "double(a)", "boolean(a)", "date(a)",
    "timestamp(a)", "decimal(a)", "bigint(a)", "binary(a)", "a LIKE '%1%'", "ascii(a)", "upper(a)", "base64(a)", "crc32(a)", "to_csv(struct(a))",
]

AGGREGATES = [
    "sum(a)", "avg(a)", "min(a)", "max(a)", "count(a)", "count(DISTINCT a)", "count(*)", "stddev(a)", "stddev_pop(a)", "variance(a)", "var_pop(a)",
    "skewness(a)", "kurtosis(a)", "try_sum(a)", "try_avg(a)", "median(a)", "percentile(a, 0.3)", "percentile(a, array(0.1, 0.9))",
    "percentile_cont(0.25) WITHIN GROUP (ORDER BY a)", "percentile_disc(0.25) WITHIN GROUP (ORDER BY a)", "approx_percentile(a, 0.5)",
    "bit_and(a)", "bit_or(a)", "bit_xor(a)", "bool_and(a)", "bool_or(a)", "count_if(a)", "sort_array(collect_list(a))",
    "sort_array(collect_set(a))", "mode(a) IS NULL", "max_by(1, a)", "min_by(1, a)", "sum(DISTINCT a)", "avg(DISTINCT a)", "corr(a, a)",
    "covar_pop(a, a)", "covar_samp(a, a)", "regr_slope(a, a)", "regr_count(a, a)", "regr_r2(a, a)", "product(a)", "any(a)", "every(a)",
    "first(a) IS NULL", "last(a, true) IS NULL", "approx_count_distinct(a)", "listagg(a) IS NULL", "histogram_numeric(a, 3)",
    "sum(a) FILTER (WHERE a IS NOT NULL)", "grouping(a)",
]

NUMERIC = [
    "ceil(a)", "floor(a)", "ceil(a, 1)", "floor(a, -1)", "round(a)", "round(a, 1)", "round(a, -1)", "bround(a)", "bround(a, 1)", "bround(a, -2)",
    "rint(a)", "sign(a)", "signum(a)", "sqrt(a)", "cbrt(a)", "exp(a)", "expm1(a)", "ln(a)", "log(a)", "log10(a)", "log2(a)", "log1p(a)", "log(2, a)",
    "sin(a)", "cos(a)", "tan(a)", "asin(a)", "acos(a)", "atan(a)", "sinh(a)", "cosh(a)", "tanh(a)", "asinh(a)", "acosh(a)", "atanh(a)", "sec(a)",
    "csc(a)", "cot(a)", "degrees(a)", "radians(a)", "power(a, 2)", "power(a, 0.5)", "power(a, b)", "atan2(a, b)", "hypot(a, b)", "hex(a)", "bin(a)",
    "conv(a, 10, 16)", "conv(a, 10, -2)", "factorial(a)", "shiftleft(a, 3)", "shiftright(a, 2)", "shiftrightunsigned(a, 1)", "a << 2", "a >> 1",
    "a >>> 1", "a & b", "a | b", "a ^ b", "bit_get(a, 1)", "width_bucket(a, -10, 10, 5)", "format_number(a, 2)", "format_number(a, 0)",
    "format_number(a, '#,##0.000')", "chr(a)", "space(a % 5)", "to_char(a, '999,999.99')", "to_char(a, 'S0999.9')", "to_char(a, '$99.00MI')",
    "format_string('%s|%5s', a, b)", "format_string('%d', a)", "format_string('%08.3f', a)", "format_string('%x', a)", "format_string('%e', a)",
    "timestamp_seconds(a)", "timestamp_millis(a)", "timestamp_micros(a)", "from_unixtime(a)", "date_from_unix_date(a)", "make_interval(0, 0, 0, a)",
    "make_dt_interval(a)", "make_ym_interval(a)", "a * 1.5", "a / 3", "a % 0", "a / 0", "a + 1.0", "1 - a", "a * 2L", "2 div a", "a = '1'", "a > '5'",
    "a + '1'", "round(a, b % 3)", "positive(a)", "try_divide(a, 0)", "bround(a, 0)", "uniform(a, a, 1) IS NULL", "elt(2, a, b)",
    "CAST(a AS DECIMAL(12,4)) * 1.1", "CAST(a AS DECIMAL(38,6)) / 7", "from_utc_timestamp(a, 'Asia/Tokyo')", "zeroifnull(a)", "nullifzero(a)",
    "randstr(a, 0) IS NULL", "a BETWEEN -5 AND 5.5", "a IN (1, 2.5, 3L)", "CASE a WHEN 1 THEN 'one' WHEN 0 THEN 'none' ELSE a END",
]

_PATTERNS = ["yyyy-MM-dd", "dd/MM/yy", "EEEE d MMMM y", "EEE, MMM dd yyyy HH:mm:ss.SSS", "hh:mm a", "D", "QQQ yyyy", "yyyyMMdd'T'HHmmss", "XXX",
             "VV", "q", "H:m:s.S", "G yyyy", "yyyy-MM-dd HH:mm:ss.SSSSSS", "u-M-d", "K:k", "F", "zzz", "O", "LLL"]
_FIELDS = ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DAYOFWEEK", "DOW", "DOW_ISO", "DOY", "HOUR", "MINUTE", "SECOND", "YEAROFWEEK"]
_UNITS = ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"]
DATES = [
    *[f"date_format(a, \"{pattern}\")" for pattern in _PATTERNS],
    *[f"extract({field} FROM a)" for field in _FIELDS],
    *[f"date_trunc('{unit}', a)" for unit in _UNITS],
    *[f"timestampadd({unit}, b % 1000, a)" for unit in _UNITS],
    *[f"timestampdiff({unit}, a, TIMESTAMP'2001-02-03 04:05:06.789')" for unit in _UNITS],
    *[f"trunc(a, '{unit}')" for unit in ("YEAR", "QUARTER", "MON", "WEEK", "DAY", "nonsense")],
    "year(a)", "month(a)", "day(a)", "dayofweek(a)", "weekday(a)", "dayofyear(a)", "weekofyear(a)", "quarter(a)", "hour(a)", "minute(a)", "second(a)",
    "dayname(a)", "monthname(a)", "last_day(a)", "next_day(a, 'MON')", "next_day(a, 'friday')", "next_day(a, 'x')", "date_add(a, b % 1000)",
    "date_sub(a, 31)", "add_months(a, b % 100)", "add_months(a, -1)", "months_between(a, DATE'2000-02-29')",
    "months_between(a, TIMESTAMP'2000-01-31 12:00:00', false)", "datediff(a, DATE'2000-01-01')", "datediff(MONTH, a, DATE'2000-01-01')",
    "a + INTERVAL '1' DAY", "a - INTERVAL '1 02:03:04.5' DAY TO SECOND", "a + INTERVAL '1' MONTH", "a - INTERVAL '2-3' YEAR TO MONTH",
    "a + INTERVAL 1 month 2 days 3 hours", "a - DATE'2000-01-01'", "a - TIMESTAMP'2000-01-01 01:02:03'", "TIMESTAMP'2000-01-01 01:02:03' - a",
    "a + 1", "a - 1", "1 + a", "to_date(a)", "to_timestamp(a)", "to_timestamp_ntz(a)", "to_timestamp_ltz(a)", "unix_timestamp(a)", "to_unix_timestamp(a)",
    "unix_date(a)", "unix_seconds(a)", "unix_millis(a)", "unix_micros(a)", "from_utc_timestamp(a, 'America/Los_Angeles')",
    "to_utc_timestamp(a, '+05:30')", "convert_timezone('UTC', 'Europe/Berlin', a)", "date_part('SECONDS', a)", "date_part('doy', a)",
    "make_date(year(a), 2, 29)", "try_to_date(a)", "try_to_timestamp(a)", "a > '2000-01-01'", "a = DATE'2024-02-29'", "a < TIMESTAMP'2000-01-01 00:00:00'",
    "to_char(a, 'yyyy')", "date_diff(a, '2000-01-01')", "dateadd(a, 5)", "dateadd(MONTH, 13, a)", "CAST(a AS DATE)",
    "CAST(a AS TIMESTAMP)", "CAST(a AS TIMESTAMP_NTZ)", "make_timestamp(year(a), month(a), day(a), hour(a), minute(a), second(a))",
    "to_date(a, 'yyyy-MM-dd')", "to_timestamp(a, 'yyyy-MM-dd HH:mm:ss')", "to_timestamp(a, 'yyyy-MM-dd[ HH:mm:ss[.SSSSSS]]')", "to_date(a, 'dd.MM.yyyy')",
    "unix_timestamp(a, 'yyyy-MM-dd')", "date_format(a, 'Y')", "date_format(a, 'bb')", "CAST(date_format(a, 'yyyyMMdd') AS INT)", "to_time(a)",
    "CAST(a AS STRING)", "CAST(a AS BIGINT)", "CAST(a AS DOUBLE)", "CAST(a AS DECIMAL(20,6))",
]

INTERVALS = [
    "a + a", "a - a", "-a", "a * c", "a * d", "a * e", "a / c", "a / d", "a / e", "c * a", "abs(a)", "sign(a)", "b + b", "b - b", "-b", "b * c", "b * d",
    "b * e", "b / c", "b / d", "b / e", "d * b", "abs(b)", "sign(b)", "a + b", "f + a", "f + b", "f - a", "f - b", "g + a", "g + b", "g - a", "g - b",
    "a + f", "b + g", "f - f", "g - g", "g - f", "f - g", "extract(DAY FROM a)", "extract(HOUR FROM a)", "extract(SECOND FROM a)", "extract(YEAR FROM b)",
    "extract(MONTH FROM b)", "a < INTERVAL '1' DAY", "b > INTERVAL '1' YEAR", "a = b", "CAST(a AS STRING)", "CAST(b AS STRING)", "CAST(a AS INTERVAL HOUR)",
    "CAST(b AS INTERVAL YEAR)", "CAST(INTERVAL '3' DAY AS INT)", "CAST(c % 1000 AS INTERVAL DAY)", "make_dt_interval(c % 100, 1, 2, 3.5)",
    "make_ym_interval(c % 100, 3)", "make_interval(1, 2, 3, c % 100)", "try_add(a, a)", "try_subtract(b, b)", "try_multiply(a, c)", "try_divide(a, c)",
    "try_divide(b, 0)", "try_add(g, a)", "try_add(f, b)", "g + INTERVAL 1 year 2 months 3 days", "f + INTERVAL '25' HOUR", "f + INTERVAL '24' HOUR",
    "sum(a)", "avg(a)", "sum(b)", "avg(b)", "max(a)", "min(b)", "a div a", "b div b", "a div c", "a / 0", "b / 0", "greatest(a, a)", "hash(a)", "hash(b)",
    "CAST('1 02:03:04' AS INTERVAL DAY TO SECOND) + a", "to_json(struct(a, b))", "make_timestamp(f, CAST('01:02:03' AS TIME))",
]

STRINGS = [
    "substring(a, 2)", "substring(a, -3)", "substring(a, 2, 3)", "substring(a, 0, 2)", "substring(a, c)", "substr(a, c, c)", "left(a, 2)", "right(a, 2)",
    "left(a, c)", "lpad(a, 8, 'xy')", "rpad(a, 8, 'xy')", "lpad(a, 3)", "rpad(a, 2, '')", "lpad(a, c % 20, b)", "trim(a)", "ltrim(a)", "rtrim(a)",
    "trim(BOTH 'a ' FROM a)", "trim(LEADING 'a' FROM a)", "btrim(a, 'ab')", "instr(a, 'b')", "locate('b', a)", "locate('b', a, 3)", "position('b' IN a)",
    "replace(a, 'a', 'ZZ')", "replace(a, b)", "translate(a, 'abc', 'xy')", "overlay(a PLACING 'XX' FROM 2 FOR 1)", "overlay(a, b, 2)", "split(a, ',')",
    "split(a, '')", "split(a, '[ ab]', 2)", "split_part(a, ',', 2)", "split_part(a, ',', -1)", "split_part(a, 'b', 1)", "regexp_replace(a, '[a-z]+', '<$0>')",
    "regexp_replace(a, '(\\\\d)(\\\\d)', '$2$1')", "regexp_extract(a, '([a-z]+)', 1)", "regexp_extract(a, '(\\\\d+)-(\\\\d+)', 2)",
    "regexp_extract_all(a, '(\\\\w)', 1)", "regexp_count(a, '[ab]')", "regexp_instr(a, 'b')", "regexp_substr(a, '[b-z]+')", "regexp_like(a, '^[a-z ]*$')",
    "a RLIKE '\\\\d'", "a LIKE '%a%'", "a LIKE '_b%'", "a LIKE b", "a LIKE 'a\\\\%%'", "a ILIKE '%A%'", "a LIKE ANY ('a%', '%c')", "a LIKE ALL ('%a%', '%c%')",
    "a NOT LIKE '%1%'", "a LIKE '/%%' ESCAPE '/'", "concat(a, '-', b)", "concat(a, NULL)", "concat_ws(',', a, NULL, b)", "concat_ws(a, b, b)", "a || b", "upper(a)",
    "lower(a)", "initcap(a)", "length(a)", "char_length(a)", "octet_length(a)", "bit_length(a)", "ascii(a)", "reverse(a)", "repeat(a, 3)", "repeat(a, c % 5)",
    "soundex(a)", "levenshtein(a, b)", "levenshtein(a, b, 3)", "format_string('%s-%10s|%-5s', a, b, a)", "base64(a)", "unbase64(a)", "hex(a)", "hex(unhex(a))",
    "md5(a)", "sha1(a)", "sha2(a, 512)", "sha2(a, 0)", "crc32(a)", "hash(a, b)", "xxhash64(a, c)", "contains(a, 'a')", "startswith(a, b)", "endswith(a, 'c')",
    "substring_index(a, ',', 2)", "substring_index(a, ',', -1)", "find_in_set('b', a)", "find_in_set(a, 'a,12,abc')", "elt(1, a, b)", "elt(c % 3, a, b)",
    "field('a', a, b)", "url_encode(a)", "url_decode(url_encode(a))", "try_url_decode(a)", "luhn_check(a)", "mask(a)", "mask(a, 'X', 'x', 'n', '*')", "encode(a, 'UTF-8')",
    "hex(encode(a, 'UTF-16'))", "decode(CAST(a AS BINARY), 'UTF-8')", "decode(a, 'abc', 1, '12', 2, 3)", "to_number(a, '999')", "try_to_number(a, 'S999.99')",
    "CAST(a AS BINARY)", "a < b", "a = ' '", "a > 5", "a = 12", "a + 1", "greatest(a, b)", "least(a, b)", "nvl2(a, b, 'none')", "char(c)", "sentences(a)",
    "quote(a)", "is_valid_utf8(a)", "make_valid_utf8(a)", "try_validate_utf8(a)", "str_to_map(a, ',', '=')", "from_json(a, 'x INT')", "get_json_object(a, '$.x')",
    "from_csv(a, 'x STRING, y STRING')", "parse_url(a, 'HOST')", "a IN ('abc', b)", "CASE WHEN a < b THEN a ELSE b END", "a COLLATE UTF8_LCASE = b", "lower(a) = upper(a)",
    "collation(a)", "unhex(a)", "bin(a)", "conv(a, 16, 10)", "conv(a, 36, 2)", "to_binary(a, 'hex')", "try_to_binary(a, 'base64')", "aes_encrypt(a, '0000111122223333', 'ECB')",
    "empty2null(a)", "substr(a, -2, 1)", "ucase(a)", "lcase(a)", "len(a)", "printf('%5.1f', double(c))", "schema_of_json('{\"x\":1}')", "json_array_length(a)", "json_object_keys(a)",
    "listagg(a, ',') WITHIN GROUP (ORDER BY a)", "min(a)", "max(b)", "count(DISTINCT a, b)", "bitmap_count(CAST(a AS BINARY))", "to_varchar(c, '99999')",
]

ARRAYS = [
    "array(a, b)", "array_contains(array(a, b), a)", "sort_array(array(a, b, a))", "sort_array(array(a, b), false)", "array_sort(array(a, b, NULL))",
    "array_distinct(array(a, b, a, NULL, NULL))", "slice(array(a, b, a), 2, 2)", "slice(array(a, b, a), -2, 5)", "slice(array(a, b), c, 1)", "element_at(array(a, b), 1)",
    "element_at(array(a, b), -1)", "element_at(array(a, b), 3)", "element_at(array(a, b), c)", "try_element_at(array(a, b), 5)", "array(a, b)[1]", "array(a, b)[c]",
    "get(array(a, b), 0)", "get(array(a, b), -1)", "array_join(array(CAST(a AS STRING), 'x', NULL), ',')", "array_join(array(CAST(a AS STRING), NULL), ',', '?')",
    "array_position(array(a, b), b)", "array_remove(array(a, b, a), a)", "array_union(array(a), array(b, NULL))", "array_intersect(array(a, b), array(b))",
    "array_except(array(a, b), array(b))", "arrays_overlap(array(a), array(b, NULL))", "flatten(array(array(a), array(b)))", "array_max(array(a, b))", "array_min(array(a, b))",
    "array_repeat(a, 3)", "array_repeat(a, c % 4)", "array_insert(array(a, b), 2, a)", "array_insert(array(a, b), -1, a)", "array_insert(array(a), 5, b)", "array_append(array(a), b)",
    "array_prepend(array(a), b)", "array_compact(array(a, NULL, b))", "array_size(array(a, b))", "size(array(a))", "cardinality(map(1, a))", "reverse(array(a, b))",
    "concat(array(a), array(b))", "arrays_zip(array(a), array(b))", "map_from_arrays(array(1, 2), array(a, b))", "map_keys(map('x', a))", "map_values(map('x', a, 'y', b))",
    "map_entries(map('x', a))", "map_concat(map(1, a), map(2, b))", "map('x', a)['x']", "map('x', a)['y']", "element_at(map('x', a), 'z')", "map_contains_key(map('x', a), 'x')",
    "transform(array(a, b), x -> x)", "transform(array(a, b), (x, i) -> i)", "filter(array(a, b), x -> x IS NOT NULL)", "exists(array(a, b), x -> x IS NULL)",
    "forall(array(a, b), x -> x = a)", "aggregate(array(1, 2, c), 0L, (s, x) -> s + x)", "zip_with(array(a), array(b), (x, y) -> struct(x, y))",
    "map_filter(map(1, a, 2, b), (k, v) -> k > 1)", "transform_values(map(1, a), (k, v) -> k)", "array(a) = array(b)", "array(a) < array(b)", "struct(a, b) = struct(b, a)",
    "struct(a) < struct(b)", "named_struct('x', a).x", "array(struct(a)).a", "to_json(array(a, b))", "to_json(map('k', a))", "hash(array(a, b))", "sequence(1, 5, 2)",
    "sequence(DATE'2024-01-31', DATE'2024-05-31', INTERVAL 1 MONTH)", "sequence(5, 1)", "shuffle(array(a)) IS NULL", "CAST(array(a) AS ARRAY<STRING>)", "CAST(array(a) AS STRING)",
    "CAST(map('k', a) AS STRING)", "CAST(struct(a, b) AS STRING)", "map_zip_with(map(1, a), map(1, b), (k, x, y) -> x = y)", "collect_list(a) IS NULL",
    "array_agg(a) IS NULL", "max(struct(a, b))", "min(array(a, b))", "count(DISTINCT array(a, b))", "array(a, 'x')", "array(a, 1)", "array_contains(array(a), '1')",
]

SPECIAL = [
    (["string", "string", "int"], ["to_timestamp(concat('2024-01-', 10 + abs(c % 20)), 'yyyy-MM-dd')", "to_date(concat(10 + abs(c % 20), '/02/99'), 'dd/MM/yy')",
                                    "make_date(2000 + c % 30, 1 + abs(c % 12), 28)", "make_date(2023, c, 1)", "make_timestamp(2024, 2, 29, 12, 30, 59.999999)",
                                    "make_timestamp(2024, 2, 30, 0, 0, 0)", "try_make_timestamp(2024, 13, 1, 0, 0, 0)", "make_timestamp(2024, 1, 1, 0, 0, 60)",
                                    "make_timestamp_ntz(2024, 1, 2, 3, 4, 5.678)", "make_timestamp(2024, 7, 1, 0, 0, 0, 'Europe/Berlin')", "CAST('12:30:45.123456' AS TIME)",
                                    "make_time(1, 2, 3.5)", "TIME'23:59:59' - TIME'01:00:00'", "hour(TIME'11:22:33')", "CAST('2024-02-30' AS DATE)", "CAST('2024-2-3' AS DATE)",
                                    "CAST('2024' AS DATE)", "CAST('2024-02-03T' AS DATE)", "CAST('2024-02-03 25:00:00' AS TIMESTAMP)", "CAST('2024-02-03T01:02:03Z' AS TIMESTAMP)",
                                    "CAST('2024-02-03 01:02:03 Europe/Berlin' AS TIMESTAMP)", "CAST('2024-02-03 01:02:03+02:00' AS TIMESTAMP_NTZ)", "CAST('T12:30' AS TIMESTAMP) IS NULL",
                                    "CAST('1 day 2 hours' AS INTERVAL)", "CAST(INTERVAL '1' MONTH AS STRING)", "INTERVAL '1-2' YEAR TO MONTH / 7", "CAST('epoch' AS TIMESTAMP)",
                                    "CAST(' 2024-02-03 ' AS DATE)", "CAST('+2024-02-03' AS DATE)", "CAST('-0044-03-15' AS DATE)", "CAST('12345-01-01' AS DATE)"]),
    (["decimal(10,2)", "decimal(38,18)", "decimal(5,5)"], ["a * b", "a / b", "b * b", "b / b", "b + b", "b * c", "c / a", "c / b", "a % c", "b % a", "a div c", "a * b * c", "a + b + c",
                                    "(a / 3) * 3", "CAST(a AS DECIMAL(5,1))", "CAST(b AS DECIMAL(20,2))", "CAST(b AS DECIMAL(38,30))", "CAST(c AS DECIMAL(3,2))", "round(b, 17)", "round(a, -3)",
                                    "ceil(b)", "floor(c)", "avg(a)", "avg(b)", "sum(b)", "sum(a * b)", "sum(c)", "avg(a * c)", "a = b", "a < c", "greatest(a, b, c)", "coalesce(c, a, b)",
                                    "a IN (b, c)", "-b", "abs(c)", "b - 1", "b * 10", "b / 10L", "a * 1.5", "a + 0.125", "a / 0.3", "1 / c", "c * 1e2", "a + 1D", "power(a, 2)", "sqrt(c)",
                                    "a BETWEEN c AND b", "CAST(a AS INT)", "CAST(b AS BIGINT)", "CAST(c AS DOUBLE)", "CAST(b AS FLOAT)", "CAST(b AS STRING)", "CAST(a AS BOOLEAN)",
                                    "CAST(a AS TIMESTAMP)", "pmod(a, c)", "try_divide(b, c)", "bround(b, 2)", "sign(b)", "stddev(a)", "median(b)", "percentile(a, 0.5)", "max(b) - min(b)"]),
    (["boolean", "boolean", "int"], ["a AND b", "a OR b", "NOT a", "a AND NULL", "a OR NULL", "a XOR b", "a = b", "a < b", "a > 0", "a = 1", "CAST(a AS INT) + c", "if(a, c, 0)", "CASE WHEN a THEN 1 WHEN b THEN c END",
                                    "a IS TRUE", "a IS NOT FALSE", "a IS UNKNOWN", "bool_and(a)", "some(b)", "count_if(a)", "CAST(a AS STRING)", "CAST(a AS DECIMAL(5,2))", "max(a)", "a AND c > 0",
                                    "assert_true(true)", "nvl(a, b)", "a = 'true'", "a = 't'", "boolean('yes')", "CAST('maybe' AS BOOLEAN)", "CAST('N' AS BOOLEAN)", "CAST('1' AS BOOLEAN)"]),
]
