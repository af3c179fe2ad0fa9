"""Values of each type as SQL literals: the edges of the type and, by a fixed seed, values between them."""
import random

ROWS = 10

EDGES = {
    "tinyint": ["0Y", "1Y", "-1Y", "127Y", "-128Y"],
    "smallint": ["0S", "7S", "-3S", "32767S", "-32768S"],
    "int": ["0", "1", "-7", "2147483647", "-2147483648"],
    "bigint": ["0L", "1L", "-9L", "9223372036854775807L", "-9223372036854775808L"],
    "float": ["0.0F", "-0.0F", "1.5F", "-2.25F", "CAST('NaN' AS FLOAT)", "CAST('Infinity' AS FLOAT)", "3.4E38F", "1.0E-3F"],
    "double": ["0.0D", "-0.0D", "2.5D", "-1234.5678D", "CAST('NaN' AS DOUBLE)", "CAST('-Infinity' AS DOUBLE)", "1.0E300D",
               "9007199254740993D"],
    "decimal(10,2)": ["CAST(0 AS DECIMAL(10,2))", "CAST(12.35 AS DECIMAL(10,2))", "CAST(-0.05 AS DECIMAL(10,2))",
                      "CAST(99999999.99 AS DECIMAL(10,2))", "CAST(-99999999.99 AS DECIMAL(10,2))"],
    "decimal(38,18)": ["CAST(0 AS DECIMAL(38,18))", "CAST('1.000000000000000001' AS DECIMAL(38,18))",
                       "CAST('-99999999999999999999.999999999999999999' AS DECIMAL(38,18))",
                       "CAST('0.000000000000000005' AS DECIMAL(38,18))"],
    "decimal(38,0)": ["CAST(0 AS DECIMAL(38,0))", "CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0))",
                      "CAST(-3 AS DECIMAL(38,0))", "CAST(2147483648 AS DECIMAL(38,0))"],
    "decimal(5,5)": ["CAST('0.00001' AS DECIMAL(5,5))", "CAST('-0.99999' AS DECIMAL(5,5))", "CAST('0.5' AS DECIMAL(5,5))"],
    "boolean": ["true", "false"],
    "string": ["''", "' '", "'abc'", "'Straße €'", "'12'", "' -7 '", "'3.75'", "'1e3'", "'true'", "'2024-02-29'",
               "'2024-02-29 23:59:59.5'", "'NaN'", "'a,b,,c'", "'ÀÉ日本𝄞'"],
    "date": ["DATE'1970-01-01'", "DATE'2024-02-29'", "DATE'0001-01-01'", "DATE'9999-12-31'", "DATE'1582-10-04'", "DATE'1999-12-31'"],
    "timestamp": ["TIMESTAMP'1970-01-01 00:00:00'", "TIMESTAMP'2024-02-29 23:59:59.999999'", "TIMESTAMP'1969-12-31 23:59:59.5'",
                  "TIMESTAMP'0001-01-01 00:00:00'", "TIMESTAMP'9999-12-31 23:59:59.999999'"],
    "timestamp_ntz": ["TIMESTAMP_NTZ'1970-01-01 00:00:00'", "TIMESTAMP_NTZ'2023-03-31 12:30:45.123456'",
                      "TIMESTAMP_NTZ'1600-02-29 06:00:00'"],
    "interval day to second": ["INTERVAL '0 00:00:00' DAY TO SECOND", "INTERVAL '1 02:03:04.567' DAY TO SECOND",
                               "INTERVAL '-3 00:00:01' DAY TO SECOND", "INTERVAL '106751991 04:00:54.775807' DAY TO SECOND"],
    "interval year to month": ["INTERVAL '0-0' YEAR TO MONTH", "INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '-10-11' YEAR TO MONTH",
                               "INTERVAL '178956970-7' YEAR TO MONTH"],
    "binary": ["X''", "X'00FF'", "X'616263'", "X'E282AC'"],
}
TYPES = list(EDGES)
NUMBERS = TYPES[:10]


def between(kind, dice):
    """A random value of a type, most of them small enough for sums and products to stay in range."""
    if kind in ("tinyint", "smallint", "int", "bigint"):
        suffix = {"tinyint": "Y", "smallint": "S", "int": "", "bigint": "L"}[kind]
        bits = dice.choice({"tinyint": [3, 6], "smallint": [6, 12], "int": [8, 20, 30], "bigint": [10, 33, 60]}[kind])
        return f"{dice.randint(-2 ** bits, 2 ** bits - 1)}{suffix}"
    if kind in ("float", "double"):
        number = dice.uniform(-1, 1) * 10 ** dice.choice([0, 1, 3, 6, 9 if kind == "float" else 15])
        return f"{number:.4f}F" if kind == "float" else f"{number!r}D"
    if kind.startswith("decimal"):
        precision, scale = map(int, kind[8:-1].split(","))
        digits = dice.randint(1, precision)
        number = dice.randint(-10 ** digits + 1, 10 ** digits - 1)
        text = f"{abs(number):0{scale + 1}d}"
        whole, part = (text[:-scale], text[-scale:]) if scale else (text, "")
        return f"CAST('{'-' if number < 0 else ''}{whole}{'.' + part if scale else ''}' AS {kind.upper()})"
    if kind == "boolean":
        return dice.choice(["true", "false"])
    if kind == "string":
        letters = "aAbB zZ09.-_%/éß€日"
        return "'" + "".join(dice.choice(letters) for _ in range(dice.randint(1, 12))) + "'"
    day = f"{dice.choice([1500, 1899, 1970, 2000, 2023, 2038]) + dice.randint(0, 9)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
    time = f"{dice.randint(0, 23):02d}:{dice.randint(0, 59):02d}:{dice.randint(0, 59):02d}.{dice.randint(0, 999999):06d}"
    if kind == "date":
        return f"DATE'{day}'"
    if kind in ("timestamp", "timestamp_ntz"):
        return f"{kind.upper()}'{day} {time}'"
    sign = dice.choice(["", "-"])
    if kind == "interval day to second":
        return f"INTERVAL '{sign}{dice.randint(0, 2000)} {time}' DAY TO SECOND"
    if kind == "interval year to month":
        return f"INTERVAL '{sign}{dice.randint(0, 200)}-{dice.randint(0, 11)}' YEAR TO MONTH"
    return "X'" + "".join(f"{dice.randint(0, 255):02X}" for _ in range(dice.randint(1, 6))) + "'"


def column(kind, dice, rows=ROWS):
    """`rows` values of a type: edges first, then random ones, a null among them, shuffled."""
    edges = EDGES[kind][:]
    dice.shuffle(edges)
    values = edges[: rows - 2]
    while len(values) < rows - 1:
        values.append(between(kind, dice))
    values.append(f"CAST(NULL AS {kind.upper()})")
    dice.shuffle(values)
    return values


def seeded(name):
    """A generator of its own for each group of cases, so that adding a group leaves the others as they were."""
    return random.Random(f"firesteel {name}")
