"""What the operator does by the clock: clusters that go to sleep and wake at a minute."""
import calendar
import time

from operators import cluster_spec, job_spec
from test_operator import space  # noqa: F401: a fixture


def minute(ahead):
    """A cron expression, in UTC, of the next begin of a minute that is at least some seconds away, once a year, and when that is."""
    at = (int(time.time()) + ahead + 59) // 60 * 60
    return date(at), at


def date(at):
    moment = time.gmtime(at)
    return f"{moment.tm_min} {moment.tm_hour} {moment.tm_mday} {moment.tm_mon} *"


def test_clusters_go_to_sleep_and_wake_at_their_minute_and_a_job_waits_for_it(kube, space, tmp_path):  # noqa: F811
    day, now = 86400, time.time()
    night = {"start": date(now - 600), "end": date(now + 10 * day)}
    kube.create("cluster", space, "wakes", cluster_spec(tmp_path / "w", hibernation={"schedules": [night]}))
    kube.create("cluster", space, "sleeps", cluster_spec(tmp_path / "w"))
    kube.create("job", space, "waits", job_spec("wakes", "SELECT 1"))
    kube.wait_phase("cluster", space, "wakes", "Hibernated", seconds=20)
    kube.wait("the job says why it waits", lambda: kube.status("job", space, "waits").get("reason") == "ClusterAsleep", 10)
    kube.wait_phase("cluster", space, "sleeps", "Ready")
    this, at = minute(3)
    kube.patch("cluster", space, "sleeps", {"hibernation": {"schedules": [{"start": this, "end": date(now + 10 * day)}]}})
    kube.patch("cluster", space, "wakes", {"hibernation": {"schedules": [{**night, "end": this}]}})
    status = kube.wait_phase("cluster", space, "sleeps", "Hibernated", seconds=80)
    assert time.time() >= at, status
    reason = next(c["reason"] for c in status["conditions"] if c["type"] == "Hibernated")
    assert reason == "Scheduled", status
    done = kube.wait_phase("job", space, "waits", "Succeeded", "Failed")
    # The operator woke it in the minute that was said, not at some later look.
    began = calendar.timegm(time.strptime(done["submittedAt"], "%Y-%m-%dT%H:%M:%SZ"))
    assert done["phase"] == "Succeeded" and at <= began < at + 30, done
    kube.wait("the other one has no pods", lambda: "sleeps-scheduler" not in kube.pods(space), 20)
