"""The binary as a person uses it."""
import json
import os
import subprocess

import services


def firesteel(*arguments, cwd=None, text=None, env=None):
    return subprocess.run([str(services.BINARY), *map(str, arguments)], capture_output=True, text=True, cwd=cwd, input=text,
                          env={**os.environ, **(env or {})}, timeout=120)


def test_help_names_every_command():
    out = firesteel("--help").stdout
    for word in ["server", "scheduler", "executor", "sql", "submit", "Examples:", "sc://"]:
        assert word in out


def test_sql_in_process(tmp_path):
    result = firesteel("sql", "-e", "SELECT 1 AS one, 'x' AS x; SELECT 2", "--format", "csv", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "one,x\n1,x\n2\n2\n"), result.stderr


def test_sql_file_and_standard_input(tmp_path):
    (tmp_path / "q.sql").write_text("CREATE TABLE t AS SELECT id FROM range(3);\nSELECT sum(id) AS s FROM t; -- end\n")
    assert "3" in firesteel("sql", "-f", "q.sql", cwd=tmp_path).stdout
    piped = firesteel("sql", "--format", "json", cwd=tmp_path, text="SELECT count(*) AS n FROM t")
    assert json.loads(piped.stdout) == {"n": 3}


def test_errors_go_to_stderr_with_status(tmp_path):
    result = firesteel("sql", "-e", "SELECT nope", cwd=tmp_path)
    assert result.returncode == 1 and result.stdout == "" and "UNRESOLVED_COLUMN" in result.stderr


def test_sql_against_a_server(server):
    result = firesteel("sql", "--remote", server.remote, "-e", "SELECT max(id) AS m FROM range(1000)", "--format", "csv")
    assert result.stdout == "m\n999\n", result.stderr


def test_submit_substitutes_parameters_and_tells_progress(server, tmp_path):
    job = tmp_path / "job.sql"
    job.write_text("SELECT count(*) AS n FROM range(${rows});")
    result = firesteel("submit", job, "--remote", server.remote, "--param", "rows=10", "--progress", "always")
    assert result.returncode == 0 and "10" in result.stdout and "1 row in" in result.stderr, result.stderr
    missing = firesteel("submit", job, "--remote", server.remote, "--param", "other=1")
    assert missing.returncode == 1 and "other" in missing.stderr


def test_settings_file_flags_and_environment(tmp_path):
    (tmp_path / "f.toml").write_text("[sql]\nformat = 'json'\n")
    assert firesteel("sql", "--config", "f.toml", "-e", "SELECT 1 AS a", cwd=tmp_path).stdout == '{"a":1}\n'
    assert firesteel("sql", "--config", "f.toml", "--format", "csv", "-e", "SELECT 1 AS a", cwd=tmp_path).stdout == "a\n1\n"
    (tmp_path / "bad.toml").write_text("[sql]\nfromat = 'json'\n")
    result = firesteel("sql", "--config", "bad.toml", "-e", "SELECT 1", cwd=tmp_path)
    assert result.returncode == 1 and "did you mean 'format'" in result.stderr


def test_a_public_address_needs_a_word(tmp_path):
    result = firesteel("server", "--bind", "0.0.0.0", "--connect-port", services.free_port(), cwd=tmp_path)
    assert result.returncode == 1 and "--insecure" in result.stderr


def test_shell_on_a_terminal(tmp_path):
    import pty
    import select
    import signal
    import time

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(str(services.BINARY), ["firesteel", "sql"], {**os.environ, "HOME": str(tmp_path), "TERM": "xterm"})
    seen, typed, deadline = b"", 0, time.time() + 30
    lines = [(b"sql> ", b"SELECT 6 *\r"), (b"  -> ", b"7 AS answer;\r")]
    while time.time() < deadline and b"| 42" not in seen:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536)
        elif typed < len(lines) and lines[typed][0] in seen:  # the prompt is there and the terminal is quiet
            os.write(terminal, lines[typed][1])
            typed += 1
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"answer" in seen and b"| 42" in seen, seen
