"""A table like the `hits` of ClickBench, the same for the same number of rows: skewed keys, mostly empty phrases, values the queries ask for."""
import pathlib
import sys

import numpy
import pyarrow
import pyarrow.parquet

SEED = 20130715
ASKED_USER, ASKED_URL_HASH, ASKED_REFERER_HASH = 435090932899640449, 2868770270353813622, 3594120000172545465
SMALL = ["JavaEnable", "GoodEvent", "CounterClass", "OS", "UserAgent", "RefererCategoryID", "URLCategoryID", "UserAgentMajor", "NetMajor", "FlashMajor",
         "CookieEnable", "JavascriptEnable", "IsMobile", "Age", "Sex", "Income", "Interests", "Robotness", "HasGCLID", "ParamPrice"]


def skewed(dice, count, most, share):
    """Numbers below `count`, small ones often; `share` of the rows have number 0."""
    numbers = numpy.minimum(dice.zipf(1.3, most) - 1, count - 1)
    return numpy.where(dice.random(most) < share, 0, numbers)


def words(dice, prefix, count):
    letters = numpy.array(list("abcdefghijklmnopqrstuvwxyz éя"))
    return numpy.array([prefix + "".join(dice.choice(letters, 8)) + str(n) for n in range(count)], dtype=object)


def hits(rows):
    dice = numpy.random.Generator(numpy.random.PCG64(SEED))
    hosts = numpy.array(["http://www.example.com/", "https://mail.google.com/", "http://news.test/", "https://www.google.ru/search/", "ftp://odd/"], dtype=object)
    paths = words(dice, "page/", 5000)
    host = skewed(dice, len(hosts), rows, 0.65)
    url = hosts[host] + paths[skewed(dice, len(paths), rows, 0.02)]
    referer = numpy.where(dice.random(rows) < 0.1, "", hosts[skewed(dice, len(hosts), rows, 0.65)] + paths[skewed(dice, len(paths), rows, 0.1)])
    phrase = numpy.where(dice.random(rows) < 0.7, "", words(dice, "", 3000)[skewed(dice, 3000, rows, 0.0)])
    title = numpy.where(dice.random(rows) < 0.1, "", words(dice, "Title ", 2000)[skewed(dice, 2000, rows, 0.1)])
    title = numpy.where(dice.random(rows) < 0.05, "Google " + title, title)
    model = numpy.where(dice.random(rows) < 0.9, "", words(dice, "phone ", 40)[skewed(dice, 40, rows, 0.1)])
    seconds = numpy.datetime64("2013-07-01T00:00:00", "us").astype("int64") + dice.integers(0, 31 * 86400, rows) * 1_000_000
    users = dice.integers(-2 ** 62, 2 ** 62, max(rows // 12, 1))
    users[0] = ASKED_USER
    hashes = dice.integers(-2 ** 62, 2 ** 62, 20000)
    hashes[0] = ASKED_URL_HASH
    referer_hashes = numpy.roll(hashes, 7)
    referer_hashes[0] = ASKED_REFERER_HASH
    tiny = lambda count, share: skewed(dice, count, rows, share).astype("int16")  # noqa: E731
    columns = {
        "WatchID": dice.integers(-2 ** 62, 2 ** 62, rows),
        "Title": title,
        "EventTime": pyarrow.array(seconds, pyarrow.timestamp("us")),
        "EventDate": pyarrow.array((seconds // 86_400_000_000).astype("int32"), pyarrow.date32()),
        "CounterID": numpy.array([62, *range(1000, 4000)], dtype="int32")[skewed(dice, 3001, rows, 0.65)],
        "ClientIP": dice.integers(-2 ** 31, 2 ** 31, 8000).astype("int32")[skewed(dice, 8000, rows, 0.0)],
        "RegionID": skewed(dice, 900, rows, 0.1).astype("int32"),
        "UserID": users[skewed(dice, len(users), rows, 0.001)],
        "URL": url,
        "Referer": referer,
        "IsRefresh": tiny(2, 0.9),
        "ResolutionWidth": dice.choice(numpy.array([0, 1024, 1280, 1366, 1638, 1920], dtype="int16"), rows),
        "ResolutionHeight": dice.choice(numpy.array([0, 768, 900, 1080], dtype="int16"), rows),
        "WindowClientWidth": dice.integers(0, 1920, rows).astype("int16"),
        "WindowClientHeight": dice.integers(0, 1080, rows).astype("int16"),
        "MobilePhone": tiny(50, 0.9),
        "MobilePhoneModel": model,
        "TraficSourceID": (tiny(10, 0.3) - 1).astype("int16"),
        "SearchEngineID": tiny(60, 0.7),
        "SearchPhrase": phrase,
        "AdvEngineID": tiny(30, 0.97),
        "IsLink": tiny(2, 0.5),
        "IsDownload": tiny(2, 0.95),
        "DontCountHits": tiny(2, 0.9),
        "URLHash": hashes[skewed(dice, len(hashes), rows, 0.2)],
        "RefererHash": referer_hashes[skewed(dice, len(hashes), rows, 0.2)],
        **{name: tiny(5, 0.4) for name in SMALL},
    }
    return pyarrow.table(columns)


def write(rows, folder, files=4):
    """Writes the table as parquet files of equal size."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table = hits(rows)
    size = -(-rows // files)
    for number in range(files):
        pyarrow.parquet.write_table(table.slice(number * size, size), folder / f"hits-{number}.parquet")


if __name__ == "__main__":
    write(int(sys.argv[1]), sys.argv[2])
