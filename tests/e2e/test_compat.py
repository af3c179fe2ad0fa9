"""Scores against real Spark's recorded answers, where those are at hand (FIRESTEEL_COMPAT); floors keep a score from falling unseen."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

COMPAT = pathlib.Path(os.environ.get("FIRESTEEL_COMPAT", pathlib.Path(__file__).parents[3] / "shared" / "compat"))
# Percent exact; raise them as the score rises.
FLOORS = {"functions": 93.0, "golden": 96.0}


@pytest.mark.parametrize("cases", sorted(FLOORS))
def test_score(server, cases, folder):
    if not (COMPAT / "check.py").exists():
        pytest.skip("compat scoring: recorded answers are not here (FIRESTEEL_COMPAT)")
    failures = folder / f"compat-{server.kind}-{cases}.jsonl"
    result = subprocess.run(
        [sys.executable, COMPAT / "check.py", server.remote, COMPAT / "cases" / f"{cases}.jsonl", "--quiet", "--failures", failures],
        capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr[-2000:]
    print(server.kind, cases, result.stdout.strip())
    exact = float(re.search(r"exact \d+ \(([\d.]+) %\)", result.stdout).group(1))
    assert exact >= FLOORS[cases], result.stdout
    assert server.alive()
