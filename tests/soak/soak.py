"""A soak: load and random faults for hours; every request must have its reply, and nothing may grow."""

import argparse
import contextlib
import csv
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import graph
import verdict
from faults import Faults
from soak_site import Site

SAMPLE_EVERY = 5
CALM = 60  # seconds at the end without faults, so that what was held is delivered
COLUMNS = ("at", "pid", "quiet", "ready", "rss_kib", "descriptors", "threads", "cpu_percent",
           "journal_entries", "held", "waiting", "calls_in_flight", "replies_waiting",
           "updates_lost", "renewals", "clock_skew")


def parse():
    parser = argparse.ArgumentParser(
        prog="tests/soak/run", description=__doc__,
        epilog="Exit status: 0 nothing lost and nothing grown, 1 something was; the verdict says what.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--duration", type=float, default=7200, help="in seconds")
    parser.add_argument("--rate", type=float, default=300, help="requests a second")
    parser.add_argument("--pause", type=float, nargs=2, default=(15, 45), metavar=("LEAST", "MOST"),
                        help="seconds between two faults")
    parser.add_argument("--things", type=int, default=1000, help="that ask")
    parser.add_argument("--kills", type=float, default=0.15, metavar="SHARE",
                        help="of the time, from the beginning, in which the bridge is killed too; then "
                             "it lives, so that growth can be seen")
    parser.add_argument("--disk", type=int, metavar="KIB",
                        help="puts the journal on a file system of its own (tmpfs; takes root) of this "
                             "size, which is filled up now and then (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of faults and load")
    parser.add_argument("--only", nargs="+", default=(), metavar="FAULT",
                        help="the names of functions in faults.py (default: all of them)")
    parser.add_argument("--bridge", type=pathlib.Path, default=pathlib.Path("build"),
                        metavar="BUILD", help="where bin/jobs-bridge and the others are")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/soak"),
                        help="gets verdict.txt, samples.csv, load.jsonl, faults.json, soak.svg, and "
                             "the logs if something was lost or has grown")
    return parser.parse_args()


class Sampler:
    """Looks at the bridge every few seconds, on a thread of its own."""

    def __init__(self, site):
        self.site = site
        self.samples = []
        self.fault = False  # whether one is in force
        self.stopping = threading.Event()
        self.last_cpu = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping.wait(SAMPLE_EVERY):
            # The bridge may be killed in the midst of this.
            with contextlib.suppress(OSError, KeyError):
                self.sample()

    def sample(self):
        bridge = self.site.bridge
        pid = bridge.pid
        quiet = not self.fault
        status = self.site.status()
        if status is None:
            return
        now, cpu = time.monotonic(), bridge.cpu_seconds()
        percent = 0.0
        if self.last_cpu and self.last_cpu[0] == pid:
            percent = 100 * (cpu - self.last_cpu[2]) / (now - self.last_cpu[1])
        self.last_cpu = (pid, now, cpu)
        self.samples.append({
            "at": round(now, 3), "pid": pid, "quiet": int(quiet and not self.fault),
            "ready": int(status["ready"]),
            "rss_kib": bridge.status("VmRSS"),
            "descriptors": len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())),
            "threads": bridge.status("Threads"), "cpu_percent": round(percent, 1),
            "journal_entries": status["journal"]["entries"], "held": status["requests"]["held"],
            "waiting": status["requests"]["waiting"],
            "calls_in_flight": status["endpoint"]["calls_in_flight"],
            "replies_waiting": status["broker"]["replies_waiting"],
            "updates_lost": status["requests"]["updates_lost"],
            "renewals": status["credentials"]["renewals"],
            "clock_skew": status["credentials"]["clock_skew_seconds"],
        })

    def stop(self):
        self.stopping.set()
        self.thread.join(30)


def soak(site, options, load_file):
    """Runs it all; the sampler and the faults, with what they saw and did."""
    sampler = Sampler(site)
    faults = Faults(site, options.seed, options.only)
    pauses = random.Random(options.seed + 1)
    load = site.start_load(load_file, options.rate, options.duration, options.seed)
    begin = time.monotonic()
    end = begin + options.duration
    try:
        while load.poll() is None:
            pause = pauses.uniform(*options.pause)
            if time.monotonic() + pause > end - CALM - 40:
                break
            time.sleep(pause)
            if site.bridge.child.poll() is not None:
                break
            sampler.fault = True
            faults.strike(time.monotonic() < begin + options.kills * options.duration)
            sampler.fault = False
            print(f"{(time.monotonic() - begin) / 60:6.1f} min  {faults.windows[-1:]}", flush=True)
        load.wait(max(0, end - time.monotonic()) + 60)
        bridge_lives = site.bridge.child.poll() is None
    finally:
        sampler.stop()
        if load.poll() is None:
            load.kill()
            load.wait()
    return sampler.samples, faults, begin, bridge_lives


def strips(samples, events):
    figures = [event for event in events if event["event"] == "progress"]
    rates = {"answered": [], "rejected": []}
    for before, after in zip(figures, figures[1:]):
        spent = after["at"] - before["at"]
        if spent <= 0:
            continue
        rates["answered"].append((after["at"], (after["answered"] - before["answered"]) / spent))
        rejected = sum(after["rejections"].values()) - sum(before["rejections"].values())
        rates["rejected"].append((after["at"], rejected / spent))
    of = lambda column, scale=1: [(each["at"], each[column] / scale) for each in samples]
    return [
        ("RSS, MiB", of("rss_kib", 1024)), ("descriptors", of("descriptors")),
        ("threads", of("threads")), ("CPU, % of one core", of("cpu_percent")),
        ("replies/s", rates["answered"]), ("rejections/s", rates["rejected"]),
        ("latency p99, ms", [(event["at"], event["p99_ms"]) for event in figures]),
        ("updates in the journal", of("journal_entries")),
    ]


def write(options, samples, faults, events, begin, lines, complaints):
    output = options.output
    with (output / "samples.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows({**each, "at": round(each["at"] - begin, 1)} for each in samples)
    (output / "faults.json").write_text(json.dumps({
        "began": begin,
        "faults": [{"fault": name, "begin": round(start - begin, 1), "end": round(stop - begin, 1)}
                   for name, start, stop in faults.windows]}, indent=1) + "\n")
    title = (f"{options.rate:.0f} requests/s for {options.duration / 60:.0f} minutes, "
             f"{len(faults.windows)} faults, seed {options.seed}")
    (output / "soak.svg").write_text(graph.draw(title, strips(samples, events), faults.windows,
                                                begin, begin + options.duration))
    text = "\n".join([title, *lines, "", *(f"FAULT: {each}" for each in complaints),
                      "FAILED" if complaints else "PASSED"]) + "\n"
    (output / "verdict.txt").write_text(text)
    print(text)


def main():
    options = parse()
    options.output.mkdir(parents=True, exist_ok=True)
    options.output = options.output.resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="jobs-bridge-soak-"))
    site = Site(folder, options.bridge, options.things, options.disk)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    failed = True
    try:
        site.start()
        if not site.wait_until_ready(60):
            raise SystemExit(f"the bridge is not ready: {json.dumps(site.status())}")
        with (options.output / "load.jsonl").open("w") as load_file:
            samples, faults, begin, lives = soak(site, options, load_file)
        text = (options.output / "load.jsonl").read_text()
        events = [event for event in map(json.loads, text.splitlines()) if "event" in event]
        lines, complaints = verdict.judge(events, faults.windows, samples, faults.not_ready,
                                           site.updates_said_to_be_lost())
        complaints += [f"could not be played: {each}" for each in faults.failed]
        if not lives:
            complaints.append("the bridge ended by itself")
        write(options, samples, faults, events, begin, lines, complaints)
        failed = bool(complaints)
    finally:
        site.stop()
        if failed:
            for log in folder.glob("*.log"):
                shutil.copy(log, options.output)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


main()
