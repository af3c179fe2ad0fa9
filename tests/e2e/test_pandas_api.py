"""The pandas API on Spark: what it answers is what pandas itself answers; nested windows and frames of `lag`, which it is made of."""
import warnings

import pandas as pd
import pytest

ROWS = {"a": [1, 2, 3, 4, 7], "b": ["x", "y", "x", None, "y"], "c": [1.5, 2.5, None, 4.0, 0.25]}

QUESTIONS = {
    "numbered": lambda frame: frame,
    "computed": lambda frame: frame.assign(d=frame.a * 2 + frame.c)[frame.a > 1],
    "grouped": lambda frame: frame.groupby("b")[["a", "c"]].sum().sort_index(),
    "merged": lambda frame: frame.merge(frame[["a", "c"]], on="a", how="left").sort_values("a").reset_index(drop=True),
    "std": lambda frame: frame[["a", "c"]].std(),
    "std of all": lambda frame: frame[["a", "c"]].std(ddof=0),
    "var": lambda frame: frame[["a", "c"]].var(ddof=2),
    "skew": lambda frame: frame[["a", "c"]].skew(),
    "kurt": lambda frame: frame[["a", "c"]].kurt(),
    "product": lambda frame: frame[["a", "c"]].prod(),
    "covariance": lambda frame: frame[["a", "c"]].cov(),
    "shifted": lambda frame: frame.a.shift(1),
    "shifted back": lambda frame: frame.a.shift(-2),
    "differences": lambda frame: frame.a.diff(),
    "ranked": lambda frame: frame.a.rank(ascending=False),
    "running": lambda frame: frame.a.cumsum(),
    "rolling": lambda frame: frame.a.rolling(2).sum(),
    "upper": lambda frame: frame.b.str.upper(),
    "filled": lambda frame: frame.fillna({"b": "?", "c": 0.0}),
    "counted": lambda frame: frame.b.value_counts().sort_index(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_answers_as_pandas_does(spark, question):
    with warnings.catch_warnings():
        # What it warns of is its own speed.
        warnings.simplefilter("ignore")
        import pyspark.pandas as ps

        ours = QUESTIONS[question](ps.DataFrame(ROWS)).to_pandas()
    # It promises no order of rows but by their index.
    ours = ours.sort_index()
    theirs = QUESTIONS[question](pd.DataFrame(ROWS))
    check = pd.testing.assert_frame_equal if isinstance(theirs, pd.DataFrame) else pd.testing.assert_series_equal
    check(ours, theirs, check_dtype=False)


@pytest.mark.parametrize("text, rows", [
    ("SELECT id, avg(row_number() OVER (ORDER BY id)) OVER (PARTITION BY id % 2) FROM range(4)",
     [(0, 2.0), (1, 3.0), (2, 2.0), (3, 3.0)]),
    ("SELECT id, rank() OVER (ORDER BY sum(id) OVER (PARTITION BY id % 2)) FROM range(4)",
     [(0, 1), (1, 3), (2, 1), (3, 3)]),
    ("SELECT id, sum(id) OVER (PARTITION BY row_number() OVER (ORDER BY id DESC) % 2) FROM range(4)",
     [(0, 2), (1, 4), (2, 2), (3, 4)]),
    ("SELECT id, lead(id, 2) OVER (ORDER BY id ROWS BETWEEN 2 FOLLOWING AND 2 FOLLOWING) FROM range(4)",
     [(0, 2), (1, 3), (2, None), (3, None)]),
])
def test_windows_over_windows(spark, text, rows):
    assert sorted(tuple(row) for row in spark.sql(text).collect()) == rows


def test_lag_has_one_frame_only(spark):
    from pyspark.errors import AnalysisException

    with pytest.raises(AnalysisException, match="Cannot specify window frame for lag function"):
        spark.sql("SELECT lag(id, 1) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM range(3)").collect()
