"""Comparing answers of two engines row by row, and making a query's order total so that they can be compared."""
import datetime
import decimal
import math
import re


def same(got, want):
    """Equal values: texts but for trailing spaces, decimals to the last digit that both have, doubles to nine digits."""
    if isinstance(want, bool) or got is None or want is None:
        return got == want
    if isinstance(want, (float, decimal.Decimal)) or isinstance(got, (float, decimal.Decimal)):
        if isinstance(got, decimal.Decimal) and isinstance(want, decimal.Decimal) and got == want:
            return True
        digit = max((10.0 ** v.as_tuple().exponent for v in (got, want) if isinstance(v, decimal.Decimal)), default=0.0)
        left, right = float(got), float(want)
        return (math.isnan(left) and math.isnan(right)) or math.isclose(left, right, rel_tol=1e-9, abs_tol=digit)
    if isinstance(got, datetime.datetime) and isinstance(want, datetime.datetime):
        return got.replace(tzinfo=None) == want.replace(tzinfo=None)
    return (got.rstrip() if isinstance(got, str) else got) == (want.rstrip() if isinstance(want, str) else want)


def check_rows(got, want):
    """The same rows in the same order; says which row differs first."""
    for number, (left, right) in enumerate(zip(got, want)):
        left, right = tuple(left), tuple(right)
        assert len(left) == len(right) and all(map(same, left, right)), f"row {number}: {left} != {right}"
    assert len(got) == len(want), f"{len(got)} rows instead of {len(want)}"


def outermost(sql, pattern):
    """The place of the last match of `pattern` outside all parentheses and quotes, or None."""
    depth, place, quote = 0, None, None
    for at, letter in enumerate(sql):
        if quote:
            quote = None if letter == quote else quote
        elif letter in "'\"`":
            quote = letter
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif depth == 0 and re.match(pattern, sql[at:], re.I) and not re.match(r"\w", sql[at - 1:at]):
            place = at
    return place


def totally_ordered(sql, width):
    """The query with every column as a further sort key, so that ties, and what a LIMIT cuts, come in one order only."""
    sql = sql.strip().rstrip(";")
    cut = outermost(sql, r"limit\s+\d+")
    body, tail = (sql, "") if cut is None else (sql[:cut].rstrip(), sql[cut:])
    keys = ", ".join(str(column + 1) for column in range(width))
    ordered = outermost(body, r"order\s+by\b")
    return f"{body}{', ' if ordered is not None else ' ORDER BY '}{keys} {tail}".rstrip()
