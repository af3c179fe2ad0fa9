"""What the benchmarks of stores have in common: times, services of the tests, and executors in a bound of memory."""
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parent.parent
# The services of the tests are the services of the benchmarks.
sys.path.insert(0, str(ROOT / "tests" / "e2e"))


def tpch(factor):
    """The folder of TPC-H's tables of a scale, made once."""
    import services

    target = services.CACHE / "data" / f"tpch-sf{factor}"
    if not (target / "done").exists():
        tool = pathlib.Path(sys.executable).parent / "tpchgen-cli"
        subprocess.run([tool, "parquet", "-s", str(factor), "--output-dir", target, "--overwrite"], check=True)
        (target / "done").touch()
    return target


def timed(runs, work, before=lambda: None, choose=statistics.median):
    """Seconds of `work`, the `choose` of so many runs; `before` each of them is not counted."""
    times = []
    for _ in range(runs):
        before()
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return choose(times)


def bound_memory(process, size):
    """Puts a process into a memory cgroup of `size` bytes, beyond which the kernel ends it. False where that cannot be done."""
    name = f"firesteel-bench-{process.popen.pid}"
    for parent, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = pathlib.Path(parent) / name
        try:
            group.mkdir()
            (group / limit).write_text(str(size))
            (group / "cgroup.procs").write_text(str(process.popen.pid))
            return True
        except OSError:
            if group.exists():
                group.rmdir()
    return False


def unbound_memory(process):
    """Takes away the cgroup of a process that has ended."""
    for parent in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
        group = pathlib.Path(parent) / f"firesteel-bench-{process.popen.pid}"
        if group.exists():
            group.rmdir()


def free_gb(path):
    """Room on the disk of a folder."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize / 1e9
