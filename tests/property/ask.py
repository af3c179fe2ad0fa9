"""Asks a Spark session, real or ours, for the types and values of expressions over a table of values."""
from pyspark.errors import PySparkException

BATCH = 30


def table(rows):
    """The rows as SQL, with the columns `a`, `b`, ..."""
    names = ", ".join("abcdefg"[: len(rows[0])])
    return "VALUES " + ", ".join(f"({', '.join(row)})" for row in rows) + f" AS t({names})"


class Asker:
    """Asks for many expressions in one query; where that fails, for each by itself."""

    def __init__(self, spark):
        self.spark = spark

    def ansi(self, on):
        self.spark.conf.set("spark.sql.ansi.enabled", "true" if on else "false")

    def ask(self, values, expressions, failing=()):
        """A list of [expression, type, [text or null of each row]] or [expression, condition of its error], in no order. Those that are
        known to be `failing` are asked for alone from the start, and so are ordered aggregates, beside which constants are one row."""
        alone = [expression for expression in expressions if expression in failing or "WITHIN GROUP" in expression]
        answers = [self._one(values, expression) for expression in alone]
        rest = [expression for expression in expressions if expression not in alone]
        for start in range(0, len(rest), BATCH):
            answers += self._some(values, rest[start : start + BATCH])
        return answers

    def _some(self, values, expressions):
        if len(expressions) == 1:
            return [self._one(values, expressions[0])]
        try:
            answers = self._query(values, expressions)
            # Beside aggregates a constant is one row.
            if len(answers[0][2]) != 1:
                return answers
        except Exception:
            pass
        half = len(expressions) // 2
        return self._some(values, expressions[:half]) + self._some(values, expressions[half:])

    def _one(self, values, expression):
        try:
            return self._query(values, [expression])[0]
        except PySparkException as error:
            condition = getattr(error, "getCondition", None) or error.getErrorClass
            return [expression, condition() or type(error).__name__]

    def _query(self, values, expressions):
        columns = ", ".join(f"typeof({e}), CAST({e} AS STRING)" for e in expressions)
        rows = self.spark.sql(f"SELECT {columns} FROM {values}").collect()
        return [[e, rows[0][2 * n] if rows else "", [row[2 * n + 1] for row in rows]] for n, e in enumerate(expressions)]
