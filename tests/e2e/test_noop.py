"""`format("noop")`, by which queries are run to their last row for the time that takes."""
import pytest
from pyspark.errors import AnalysisException, PySparkException


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_every_row_is_made_and_none_kept(spark, path, mode):
    spark.range(0, 1000, 1, 4).write.parquet(f"{path}/rows")
    rows = spark.read.parquet(f"{path}/rows")
    rows.selectExpr("id AS a", "id AS a").write.format("noop").mode(mode).save()
    with pytest.raises(PySparkException, match="DIVIDE_BY_ZERO"):
        rows.selectExpr("1 / (id - 999)").write.format("NoOp").mode(mode).save()


@pytest.mark.parametrize("mode", ["error", "ignore"])
def test_other_modes_are_refused(spark, mode):
    with pytest.raises(AnalysisException) as error:
        spark.range(3).write.format("noop").mode(mode).save()
    assert error.value.getCondition() == "UNSUPPORTED_DATA_SOURCE_SAVE_MODE"
