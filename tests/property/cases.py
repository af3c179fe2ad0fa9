"""The expressions of the property suite: templates over typed columns `a`, `b`, ... Every group is one table of values."""
from templates import AGGREGATES, ARRAYS, BY_TYPE, DATES, INTERVALS, NUMERIC, SPECIAL, STRINGS
from values import NUMBERS, TYPES, column, seeded

PAIR_TYPES = ["int", "bigint", "double", "decimal(10,2)", "string", "boolean", "date", "timestamp", "timestamp_ntz",
              "interval day to second", "interval year to month", "binary"]
TARGETS = ["tinyint", "smallint", "int", "bigint", "float", "double", "decimal(10,2)", "decimal(38,18)", "decimal(5,0)", "boolean",
           "string", "date", "timestamp", "timestamp_ntz", "interval day to second", "interval hour", "interval year to month",
           "interval month", "binary"]
ARITHMETIC = ["a + b", "a - b", "a * b", "a / b", "a % b", "pmod(a, b)", "a div b", "try_add(a, b)", "try_subtract(a, b)",
              "try_multiply(a, b)", "try_divide(a, b)", "try_mod(a, b)"]
COMPARE = ["a = b", "a < b", "a <=> b", "a IN (b)"]
CHOICES = ["coalesce(a, b)", "CASE WHEN a IS NULL THEN a ELSE b END", "nullif(a, b)", "greatest(a, b)", "array(a, b)", "map(1, a, 2, b)"]


def groups():
    """Yields (name, types of the columns, rows as SQL literals, expressions)."""

    def group(name, kinds, expressions):
        dice = seeded(name)
        columns = [column(kind, dice) for kind in kinds]
        return name, kinds, [list(row) for row in zip(*columns)], list(dict.fromkeys(expressions))

    for left in NUMBERS:
        for right in NUMBERS:
            yield group(f"arithmetic {left} {right}", [left, right], ARITHMETIC)
    for left in PAIR_TYPES:
        for right in PAIR_TYPES:
            yield group(f"pairs {left} {right}", [left, right], COMPARE + CHOICES + ["a + b", "a - b", "a * b", "a / b"])
    for source in TYPES:
        casts = [f"{form}(a AS {target})" for target in TARGETS for form in ("CAST", "TRY_CAST")]
        yield group(f"casts {source}", [source], casts)
    for kind in TYPES:
        yield group(f"type {kind}", [kind], BY_TYPE)
        yield group(f"aggregates {kind}", [kind], AGGREGATES)
    for kind in NUMBERS:
        yield group(f"numeric {kind}", [kind, "int"], NUMERIC)
    for kind in ("date", "timestamp", "timestamp_ntz", "string"):
        yield group(f"dates {kind}", [kind, "int"], DATES)
    yield group("intervals", ["interval day to second", "interval year to month", "int", "double", "decimal(10,2)", "date", "timestamp"],
                INTERVALS)
    for kind in ("string", "string 2", "binary", "int"):
        yield group(f"strings {kind}", [kind.split()[0], "string", "int"], STRINGS)
    for kind in ("int", "string", "double", "decimal(10,2)", "date"):
        yield group(f"arrays {kind}", [kind, kind, "int"], ARRAYS)
    for number, (kinds, expressions) in enumerate(SPECIAL):
        yield group(f"special {number}", kinds, expressions)
