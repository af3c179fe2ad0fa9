"""Flight SQL through the ADBC driver: the same sessions' tables and dialect."""
import pytest

dbapi = pytest.importorskip("adbc_driver_flightsql.dbapi")


@pytest.fixture
def connection(server):
    with dbapi.connect(f"grpc://127.0.0.1:{server.flight_port}", autocommit=True) as connection:
        yield connection


def test_query(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, concat('n', id) AS name FROM range(3) ORDER BY id")
        table = cursor.fetch_arrow_table()
    assert table.column_names == ["id", "name"] and table["name"].to_pylist() == ["n0", "n1", "n2"]


def test_many_rows(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM range(500000)")
        assert cursor.fetch_arrow_table().num_rows == 500_000


def test_tables_are_listed(server, spark, connection):
    spark.sql("CREATE OR REPLACE VIEW flight_seen AS SELECT 1 AS one")
    names = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
    tables = [t["table_name"] for c in names for s in c["catalog_db_schemas"] or [] for t in s["db_schema_tables"] or []]
    spark.sql("DROP VIEW flight_seen")
    assert "flight_seen" in tables


def test_errors_have_their_class(connection):
    with connection.cursor() as cursor, pytest.raises(Exception) as error:
        cursor.execute("SELECT nope")
        cursor.fetch_arrow_table()
    assert "UNRESOLVED_COLUMN" in str(error.value)
