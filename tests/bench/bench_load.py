"""One load on one bridge, and what it shows."""

import contextlib
import json
import os
import pathlib
import resource
import statistics
import subprocess
import time


class Subject:
    """A bridge that is measured, with its figures: a value for each round."""

    def __init__(self, title, start, share=1, lone_requests=1000):
        self.title = title
        self.start = start
        self.share = share  # of the requests that the others get, where it would take too long
        self.lone_requests = lone_requests  # one after another
        self.figures = {}

    def note(self, figure, value):
        self.figures.setdefault(figure, []).append(value)

    def median(self, figure):
        values = self.figures.get(figure)
        return statistics.median(values) if values else None


@contextlib.contextmanager
def running():
    """Gives a function that takes processes, all of which are stopped in the end."""
    processes = []

    def keep(process):
        processes.append(process)
        return process

    try:
        yield keep
    finally:
        for process in reversed(processes):
            process.stop()


def machine_seconds():
    """What all processors have spent on anything, the hypervisor's share included."""
    fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _io, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    """What this program and the load generators that have ended took."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


class Generator:
    """Runs jobs-load, and watches how much of the machine went to others meanwhile."""

    def __init__(self, build):
        self.program = build / "bin" / "jobs-load"
        self.strangers = []  # for each load: their share of the machine, 0 to 1

    def load(self, broker, *arguments):
        done = subprocess.run(
            [str(self.program), "--json", "--broker", f"mqtt://127.0.0.1:{broker.port}",
             "--warm-up", "0", *map(str, arguments)], capture_output=True, text=True)
        if not done.stdout:
            raise SystemExit(f"jobs-load: {done.stderr}")
        return json.loads(done.stdout)

    def measured(self, subject, figure, bridge, broker, endpoint, *arguments):
        """Notes what a load shows, with the CPU time that each process took per request."""
        processes = {"cpu": bridge, "broker cpu": broker, "endpoint cpu": endpoint}
        before = {name: process.cpu_seconds() for name, process in processes.items()}
        began, machine, own = time.monotonic(), machine_seconds(), own_seconds()
        result = self.load(broker, *arguments)
        machine, own = machine_seconds() - machine, own_seconds() - own
        for process in processes.values():
            process.require_running()
        spent = {name: process.cpu_seconds() - before[name] for name, process in processes.items()}
        others = max(0, machine - own - sum(spent.values()))
        self.strangers.append(others / (time.monotonic() - began) / os.cpu_count())
        for name, seconds in spent.items():
            subject.note(f"{figure} {name}", seconds * 1e6 / max(result["replies"], 1))
        subject.note(f"{figure} rate", result["replies_per_second"])
        subject.note(f"{figure} p50", result["latency_ms"]["p50"])
        subject.note(f"{figure} p99", result["latency_ms"]["p99"])
        subject.note(f"{figure} lost", result["lost"] + sum(result["rejections"].values()))
        return result
