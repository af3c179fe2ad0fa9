"""Thousands of expressions over generated values through PySpark: types, values and error conditions equal to recorded ones of real Spark.

`tests/property/record.py` records the answers. On a cluster one group of values in four is asked for: what has no files is planned and run alike.
What is known to differ is listed with its cause in `tests/property/differences.txt`.
"""
import gzip
import json
import math
import pathlib
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent.parent / "property"
sys.path.insert(0, str(FOLDER))
from ask import Asker, table  # noqa: E402

FAMILIES = ["arithmetic", "pairs", "casts", "type", "aggregates", "numeric", "dates", "intervals", "strings", "arrays", "special"]


@pytest.fixture(scope="module")
def recorded():
    with gzip.open(FOLDER / "answers.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def known():
    """Differences that are known: (group, mode, expression), with `*` for any group or mode."""
    lines = [line.split("\t") for line in (FOLDER / "differences.txt").read_text().splitlines() if line and not line.startswith("#")]
    return {tuple(line[:3]) for line in lines}


def same_text(kind, got, want):
    """Doubles to the last digits that libraries of mathematics agree on, everything else to the letter."""
    if kind in ("double", "float") and got is not None and want is not None:
        left, right = float(got), float(want)
        return left == right or math.isnan(left) and math.isnan(right) or math.isclose(left, right, rel_tol=1e-13 if kind == "double" else 1e-6)
    return got == want


def nameless(condition):
    """Whether an error of Spark's is an exception of Java's that has no condition: then only that it fails counts."""
    return condition != condition.upper()


def same(got, want):
    if len(want) == 2 and nameless(want[1]):
        return len(got) == 2
    if len(got) != len(want) or len(want) == 2:
        return got == want
    return got[1] == want[1] and len(got[2]) == len(want[2]) and all(same_text(want[1], a, b) for a, b in zip(got[2], want[2]))


def differences(spark, lines):
    """Yields (group, mode, expression, got, want) for each answer that differs."""
    asker = Asker(spark)
    for line in lines:
        asker.ansi(line["ansi"])
        want = {answer[0]: answer for answer in line["answers"]}
        failing = {expression for expression, answer in want.items() if len(answer) == 2}
        for got in asker.ask(table(line["rows"]), list(want), failing):
            if not same(got, want[got[0]]):
                yield line["group"], "ansi" if line["ansi"] else "legacy", got[0], got[1:], want[got[0]][1:]


def is_known(known, group, mode, expression):
    return any((g, m, expression) in known for g in (group, group.split()[0], "*") for m in (mode, "*"))


@pytest.mark.parametrize("family", FAMILIES)
def test_score_of_property(server, recorded, known, family):
    lines = [line for line in recorded if line["group"].split()[0] == family]
    assert lines
    if server.kind == "cluster":
        lines = lines[::4]
    spark = server.session()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        found = [d for d in differences(spark, lines) if not is_known(known, *d[:3])]
    finally:
        spark.stop()
    assert not found, f"{len(found)} differ; group, mode, expression, ours, Spark's:\n" + "\n".join(map(str, found[:40]))
