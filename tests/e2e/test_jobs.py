"""`firesteel jobs`: what a person and a script see."""
import json
import subprocess
import uuid

import pytest

import services


@pytest.fixture
def jobs(server):
    def run(*arguments, text=None):
        command = [services.BINARY, "jobs", "--rest", f"http://127.0.0.1:{server.rest_port}", *arguments]
        return subprocess.run([str(a) for a in command], capture_output=True, text=True, input=text, timeout=100)

    return run


def fresh():
    return f"t-{uuid.uuid4()}"


def test_a_job_is_submitted_waited_for_and_logged(jobs):
    name = fresh()
    done = jobs("submit", "-", "--id", name, "--wait", "-p", "n=3", text="SELECT 1; SELECT * FROM range(CAST(:n AS INT));")
    assert done.returncode == 0, done.stderr
    header, row = done.stdout.splitlines()
    assert header.split() == ["ID", "STATE", "STATEMENTS", "ROWS", "OWNER", "DURATION", "AGE"]
    assert row.split()[:5] == [name, "succeeded", "2/2", "4", "<none>"]
    log = jobs("log", name).stdout.splitlines()
    assert [line.split(" ", 1)[1].split(" in ")[0] for line in log] == [
        f"submitted as {name}", "statement 1 of 2 done", "statement 2 of 2 done", "succeeded"]
    assert "3 rows" in log[2]
    got = json.loads(jobs("get", name, "-o", "json").stdout)
    assert (got["id"], got["state"], got["rows"]) == (name, "succeeded", 4)
    assert name in [job["id"] for job in json.loads(jobs("list", "-o", "json").stdout)]
    assert name in jobs("list", "-o", "name").stdout.split()
    again = jobs("submit", "-", "--id", name, text="SELECT 2")
    assert again.returncode == 1 and "another job" in again.stderr


def test_a_job_that_fails_says_why_by_status_and_text(jobs):
    name = fresh()
    assert jobs("submit", "-", "--id", name, "-o", "name", text="SELECT 1; SELECT nope").stdout == name + "\n"
    waited = jobs("wait", name)
    assert waited.returncode == 1 and "UNRESOLVED_COLUMN" in waited.stderr and "failed" in waited.stdout
    assert "failed in statement 2: [UNRESOLVED_COLUMN" in jobs("log", "-f", name).stdout


def test_a_job_that_runs_for_ever_is_waited_for_so_long_and_cancelled(jobs):
    name = fresh()
    text = "SELECT count(*) FROM range(100000000) a CROSS JOIN range(100000000) b WHERE a.id + b.id = -1"
    assert jobs("submit", "-", "--id", name, text=text).returncode == 0
    late = jobs("wait", name, "--timeout", 1)
    assert late.returncode == 124 and "still running" in late.stderr
    assert jobs("cancel", name).returncode == 0
    ended = jobs("wait", name, "--timeout", 60)
    assert ended.returncode == 1 and "cancelled" in ended.stdout
    assert jobs("log", name).stdout.splitlines()[-1].endswith("cancelled")


def test_what_cannot_be_is_refused(jobs):
    for arguments, status, word in [
        (["get", "nobody"], 1, "no such job"), (["cancel", "nobody"], 1, "no such job"), (["log", "nobody"], 1, "no such job"),
        (["submit", "--uri", "s3a://b/k", "--id", "a b"], 1, "an id is"), (["submit"], 2, "required"),
        (["submit", "-", "-p", "x"], 1, "NAME=VALUE"), (["list", "--rest", "ftp://x"], 1, "bad address"),
        (["list", "--rest", "http://127.0.0.1:1"], 1, "cannot reach"),
    ]:
        result = jobs(*arguments, text="SELECT 1")
        assert result.returncode == status and word in result.stderr, (arguments, result)
