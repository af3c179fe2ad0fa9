"""What the operator does by the clock: clusters that go to sleep and wake at a minute."""
import calendar
import time

from operators import cluster_spec, job_spec
from test_operator import space  # noqa: F401: a fixture


def minute(ahead):
    """A cron expression, in UTC, of the next begin of a minute that is at least some seconds away, and when that is."""
    at = (int(time.time()) + ahead + 59) // 60 * 60
    moment = time.gmtime(at)
    return f"{moment.tm_min} {moment.tm_hour} * * *", at


def test_a_cluster_goes_to_sleep_at_its_minute(kube, space, tmp_path):  # noqa: F811
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w"))
    kube.wait_phase("cluster", space, "c", "Ready")
    start, at = minute(5)
    kube.patch("cluster", space, "c", {"hibernation": {"schedules": [{"start": start, "end": "0 0 1 1 *"}]}})
    status = kube.wait_phase("cluster", space, "c", "Hibernated", seconds=80)
    assert time.time() >= at and kube.pods(space) == []
    reason = next(c["reason"] for c in status["conditions"] if c["type"] == "Hibernated")
    assert reason == "Scheduled", status


def test_a_cluster_wakes_at_its_minute_and_a_job_waits_for_it(kube, space, tmp_path):  # noqa: F811
    end, at = minute(10)
    early = time.gmtime(at - 600)
    spec = cluster_spec(tmp_path / "w", hibernation={"schedules": [
        {"start": f"{early.tm_min} {early.tm_hour} * * *", "end": end}]})
    kube.create("cluster", space, "c", spec)
    kube.create("job", space, "waits", job_spec("c", "SELECT 1"))
    kube.wait_phase("cluster", space, "c", "Hibernated", seconds=10)
    kube.wait("the job says why it waits", lambda: kube.status("job", space, "waits").get("reason") == "ClusterAsleep", 10)
    done = kube.wait_phase("job", space, "waits", "Succeeded", "Failed", seconds=100)
    assert done["phase"] == "Succeeded" and time.time() >= at, done
    # The operator woke it in the minute that was said, not at some later look.
    began = calendar.timegm(time.strptime(done["submittedAt"], "%Y-%m-%dT%H:%M:%SZ"))
    assert began - at < 30, done
