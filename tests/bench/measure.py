"""The table: what a request costs, how many a second, how long they take, and what stays in memory.

Every figure of a round is taken right after the other bridges' of the same round, so that a machine
that is slower for a while is so for all of them; the table shows the medians of the rounds.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import bench_site as site

BRIDGES = {
    "node": ("Node (mqtt.js + undici)", site.start_node),
    "node-red": ("Node-RED flow", site.start_node_red),
}


def parse():
    parser = argparse.ArgumentParser(
        prog="tests/bench/run", description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build-bench"),
                        help="where bin/jobs-bridge and bin/jobs-load are")
    parser.add_argument("--baseline", action="append", default=[], metavar="NAME=BUILD",
                        help="another build of the bridge to put beside it")
    parser.add_argument("--peers", default="", metavar="NAME,...",
                        help=f"other bridges to put beside it: {', '.join(BRIDGES)}")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--requests", type=int, default=30000,
                        help="requests a measurement with 200 in flight")
    parser.add_argument("--seconds", type=float, default=8, help="of a measurement at 1,000/s")
    parser.add_argument("--only", default="", metavar="NAME,...",
                        help="some of: busy, steady, single, slow, burst")
    parser.add_argument("--set", action="append", default=[], metavar="section.key=value",
                        help="for the bridge")
    return parser.parse_args()


class Subject:
    def __init__(self, name, start):
        self.name = name
        self.start = start
        self.figures = {}

    def note(self, figure, value):
        self.figures.setdefault(figure, []).append(value)

    def median(self, figure):
        values = self.figures.get(figure)
        return statistics.median(values) if values else None


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        build = options.build.resolve()
        self.jobs_load = build / "bin" / "jobs-load"
        site.make_certificates(folder)
        self.subjects = [Subject("jobs-bridge", self.ours(build))]
        for baseline in options.baseline:
            name, _, path = baseline.partition("=")
            self.subjects.append(Subject(name, self.ours(pathlib.Path(path).resolve())))
        for peer in filter(None, options.peers.split(",")):
            name, start = BRIDGES[peer]
            self.subjects.append(
                Subject(name, lambda *where, start=start: start(self.folder, *where)))

    def ours(self, build):
        return lambda *where: site.start_jobs_bridge(self.folder, build, *where,
                                                     extra=self.options.set)

    def load(self, broker, *arguments):
        done = subprocess.run(
            [str(self.jobs_load), "--json", "--broker", f"mqtt://127.0.0.1:{broker}",
             *map(str, arguments)], capture_output=True, text=True)
        if not done.stdout:
            raise SystemExit(f"jobs-load: {done.stderr}")
        return json.loads(done.stdout)

    def wanted(self, name):
        return not self.options.only or name in self.options.only.split(",")

    def measured(self, subject, figure, bridge, broker, *arguments):
        """One load; notes its figures, with the CPU per request, which the warm-up is no part of."""
        self.load(broker, "--warm-up", 0, "--requests", 3000, "--in-flight", 100, "--things", 1000,
                  "--patience", 30)
        before = site.cpu_seconds(bridge.pid)
        result = self.load(broker, "--warm-up", 0, *arguments)
        spent = site.cpu_seconds(bridge.pid) - before
        if result["replies"]:
            subject.note(f"{figure} cpu", spent * 1e6 / result["replies"])
        subject.note(f"{figure} rate", result["replies_per_second"])
        subject.note(f"{figure} p50", result["latency_ms"]["p50"])
        subject.note(f"{figure} p99", result["latency_ms"]["p99"])
        subject.note(f"{figure} lost", result["lost"] + sum(result["rejections"].values()))

    def fast_endpoint(self, broker, endpoint):
        for subject in self.subjects:
            bridge = subject.start(broker, endpoint, 64)
            try:
                if self.wanted("busy"):
                    self.measured(subject, "busy", bridge, broker, "--things", 1000, "--in-flight",
                                  200, "--requests", self.options.requests, "--patience", 30)
                if self.wanted("steady"):
                    self.measured(subject, "steady", bridge, broker, "--things", 1000, "--rate",
                                  1000, "--duration", self.options.seconds)
                if self.wanted("single"):
                    self.measured(subject, "single", bridge, broker, "--things", 1,
                                  "--connections", 1, "--in-flight", 1, "--requests", 1000)
                subject.note("rss", site.status_number(bridge.pid, "VmHWM") / 1024)
                subject.note("threads", site.status_number(bridge.pid, "Threads"))
            finally:
                bridge.stop()

    def slow_endpoint(self, broker, endpoint):
        for subject in self.subjects:
            bridge = subject.start(broker, endpoint, 1024)
            try:
                self.measured(subject, "slow", bridge, broker, "--things", 1000, "--in-flight",
                              1000, "--requests", self.options.requests, "--patience", 30)
                subject.note("slow rss", site.status_number(bridge.pid, "VmHWM") / 1024)
            finally:
                bridge.stop()

    def burst(self, broker, endpoint):
        for subject in self.subjects:
            bridge = subject.start(broker, endpoint, 64)
            try:
                self.measured(subject, "burst", bridge, broker, "--things", 3000, "--connections",
                              4, "--in-flight", 3000, "--requests", 15000, "--patience", 30)
            finally:
                bridge.stop()

    def round(self):
        processes = []

        def started(process_and_port):
            processes.append(process_and_port[0])
            return process_and_port[1]

        try:
            broker = started(site.start_broker(self.folder))
            endpoint = started(site.start_endpoint(self.folder))
            if any(map(self.wanted, ("busy", "steady", "single"))):
                self.fast_endpoint(broker, endpoint)
            if self.wanted("slow"):
                self.slow_endpoint(broker, started(site.start_endpoint(self.folder, delay=0.1)))
            if self.wanted("burst"):
                self.burst(started(site.start_broker(self.folder, defaults=True)), endpoint)
        finally:
            for process in reversed(processes):
                process.stop()
        # A new round's bridges must find nothing of the last one's in the way.
        for left in self.folder.glob("node-red-*"):
            if left.is_dir():
                shutil.rmtree(left)

    def table(self):
        columns = [
            ("200 in flight: us CPU/request", "busy cpu", "{:.0f}"),
            ("requests/s", "busy rate", "{:.0f}"),
            ("1,000/s offered: us CPU/request", "steady cpu", "{:.0f}"),
            ("p50 ms", "steady p50", "{:.2f}"),
            ("p99 ms", "steady p99", "{:.2f}"),
            ("one in flight: p50 ms", "single p50", "{:.2f}"),
            ("peak RSS MB", "rss", "{:.0f}"),
            ("threads", "threads", "{:.0f}"),
            ("100 ms endpoint, 1,000 devices, 1,024 connections: requests/s", "slow rate", "{:.0f}"),
            ("us CPU/request", "slow cpu", "{:.0f}"),
            ("peak RSS MB", "slow rss", "{:.0f}"),
            ("3,000 in flight, broker with default limits: requests/s", "burst rate", "{:.0f}"),
        ]
        lost = ("lost or rejected", None, "{:.0f}")
        shown = [column for column in columns if self.subjects[0].median(column[1]) is not None]
        rows = [["bridge"] + [title for title, _, _ in shown] + [lost[0]], None]
        for subject in self.subjects:
            cells = []
            for _, figure, form in shown:
                value = subject.median(figure)
                cells.append("-" if value is None else form.format(value))
            total = sum(sum(values) for figure, values in subject.figures.items()
                        if figure.endswith(" lost"))
            rows.append([subject.name] + cells + [lost[2].format(total)])
        rows[1] = ["---"] * len(rows[0])
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)

    def ratios(self):
        ours = self.subjects[0]
        lines = []
        for other in self.subjects[1:]:
            parts = []
            for title, figure in (("CPU busy", "busy cpu"), ("requests/s", "busy rate"),
                                  ("CPU at 1,000/s", "steady cpu"),
                                  ("single p50", "single p50"), ("slow rate", "slow rate")):
                mine, theirs = ours.figures.get(figure), other.figures.get(figure)
                if mine and theirs:
                    ratio = statistics.median(a / b for a, b in zip(mine, theirs) if b)
                    parts.append(f"{title} {ratio:.2f}")
            lines.append(f"{ours.name} / {other.name}: " + ", ".join(parts))
        return "\n".join(lines)


def main():
    options = parse()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="jobs-bridge-bench-"))
    folder.chmod(0o755)  # as root mosquitto and nginx drop to users of their own
    try:
        bench = Bench(options, folder)
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            bench.round()
        print(bench.table())
        if len(bench.subjects) > 1:
            print("\n" + bench.ratios())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
