"""What one instance takes, in the figures that a plan for a large site is made of."""

import os
import sys

import bench_restart
import bench_site as site
from bench_load import Generator, Subject, running
from bench_table import conditions

MEASUREMENTS = ("passed-over", "connections", "waiting", "refused", "restart")
DEVICES = 1000  # device-1 to device-1000, as jobs-load names them
PARTITIONS = 1000
CONNECTIONS = 1000
WAITING = 50000


def empty_partition():
    """One of many partitions that none of the devices belongs to."""
    names = (f"device-{number}".encode() for number in range(1, DEVICES + 1))
    taken = {site.name_hash(name) % PARTITIONS for name in names}
    return f"{min(set(range(PARTITIONS)) - taken) + 1}/{PARTITIONS}"


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


class Plan:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.generator = Generator(options.build)
        self.figures = Subject("jobs-bridge", None)

    def bridge(self, broker, endpoint, connections, *settings):
        return site.start_jobs_bridge(self.folder, self.options.build, broker, endpoint,
                                      connections, extra=[*self.options.set, *settings])

    def warm_up(self, broker, in_flight=200):
        self.generator.load(broker, "--requests", max(3000, 4 * in_flight), "--in-flight",
                            in_flight, "--things", DEVICES, "--patience", 60)

    def passed_over(self):
        """What a request costs an instance that it does not concern, and the broker for handing it
        to that instance too. One instance serves all; the other one's partition is empty."""
        loads = (("busy", ("--in-flight", 200, "--requests", self.options.requests)),
                 ("steady", ("--rate", 1000, "--duration", self.options.seconds)))
        with running() as run:
            broker = run(site.start_broker(self.folder))
            endpoint = run(site.start_endpoint(self.folder))
            serving = run(self.bridge(broker, endpoint, 64))
            self.warm_up(broker)
            for name, load in loads:
                self.generator.measured(self.figures, f"{name} alone", serving, broker, endpoint,
                                        "--things", DEVICES, *load)
            passing = run(self.bridge(broker, endpoint, 64,
                                      f"broker.partition={empty_partition()}"))
            self.warm_up(broker)
            for name, load in loads:
                used = serving.cpu_seconds()
                result = self.generator.measured(self.figures, f"{name} passed over", passing,
                                                 broker, endpoint, "--things", DEVICES, *load)
                self.figures.note(f"{name} beside cpu",
                                  (serving.cpu_seconds() - used) * 1e6 / result["replies"])

    def connections(self):
        """A handshake's CPU time, and a kept connection's memory."""
        with running() as run:
            broker = run(site.start_broker(self.folder))
            endpoint = run(site.start_endpoint(self.folder, 0.1))
            bridge = run(self.bridge(broker, endpoint, CONNECTIONS + 24))
            load = ("--things", DEVICES, "--in-flight", CONNECTIONS, "--requests", CONNECTIONS * 5)
            self.generator.load(broker, "--things", 1, "--connections", 1, "--in-flight", 1,
                                "--requests", 20)
            before, memory = descriptors(bridge), bridge.status("VmRSS")
            self.generator.measured(self.figures, "cold", bridge, broker, endpoint, *load)
            opened, memory = descriptors(bridge) - before, bridge.status("VmRSS") - memory
            self.generator.measured(self.figures, "warm", bridge, broker, endpoint, *load)
            for whose in ("cpu", "endpoint cpu"):
                more = (self.figures.figures[f"cold {whose}"][-1]
                        - self.figures.figures[f"warm {whose}"][-1]) * CONNECTIONS * 5
                self.figures.note(f"handshake {whose}", more / opened)
            self.figures.note("opened", opened)
            self.figures.note("connection memory", memory / opened)

    def waiting(self):
        """A waiting request's memory: the quota lets next to none through."""
        with running() as run:
            broker = run(site.start_broker(self.folder))
            endpoint = run(site.start_endpoint(self.folder))
            bridge = run(self.bridge(broker, endpoint, 64, "limits.writes_per_second=1",
                                     "limits.deadline=5min"))
            memory, broker_memory = bridge.status("VmRSS"), broker.status("VmRSS")
            self.generator.load(broker, "--things", WAITING, "--in-flight", WAITING, "--requests",
                                WAITING, "--patience", 5)
            self.figures.note("waiting memory", (bridge.status("VmRSS") - memory) / WAITING)
            # The devices' two subscriptions each have come and gone with the generator.
            self.figures.note("filter memory",
                              (broker.status("VmHWM") - broker_memory) / WAITING / 2)

    def refused(self):
        """A request for which there is no room: what a herd costs beyond the quota."""
        with running() as run:
            broker = run(site.start_broker(self.folder))
            endpoint = run(site.start_endpoint(self.folder))
            bridge = run(self.bridge(broker, endpoint, 64, "limits.writes_per_second=1",
                                     "limits.queue=1", "limits.queue_per_thing=1"))
            self.warm_up(broker)
            self.generator.measured(self.figures, "refused", bridge, broker, endpoint, "--things",
                                    DEVICES, "--in-flight", 200, "--requests",
                                    self.options.requests)

    def restart(self):
        bench_restart.measure(self.folder, self.bridge, self.figures)

    def measure(self):
        kinds = {"passed-over": self.passed_over, "connections": self.connections,
                 "waiting": self.waiting, "refused": self.refused, "restart": self.restart}
        for name in self.options.only or MEASUREMENTS:
            kinds[name]()

    def report(self):
        for number in range(self.options.rounds):
            print(f"round {number + 1} of {self.options.rounds}", file=sys.stderr)
            self.measure()
        rows = []
        for title, figure in (
                ("a request served: us CPU of the bridge", "alone cpu"),
                ("of the broker", "alone broker cpu"),
                ("beside an instance that passes it over: us CPU of the bridge", "beside cpu"),
                ("of the broker", "passed over broker cpu"),
                ("of the instance that passes it over", "passed over cpu")):
            if f"busy {figure}" in self.figures.figures:
                rows.append((title, self.shown(f"busy {figure}"), self.shown(f"steady {figure}")))
        if rows:
            rows[:0] = [("figure", "200 in flight", "1,000/s offered"), ("---", "---", "---")]
        rows = ["| " + " | ".join(row) + " |" for row in rows] + [""] * bool(rows)
        rows += [f"{title}: {self.shown(figure, form)}" for title, figure, form in (
            ("handshake (TLS 1.3, ECDSA P-256, not resumed), us CPU of the bridge", "handshake cpu",
             "{:.0f}"),
            ("  of the endpoint", "handshake endpoint cpu", "{:.0f}"),
            ("  counted over so many connections", "opened", "{:.0f}"),
            ("a kept connection, KiB", "connection memory", "{:.1f}"),
            (f"a waiting request ({WAITING:,} of them), KiB", "waiting memory", "{:.2f}"),
            ("  a device's subscription, KiB of the broker", "filter memory", "{:.2f}"),
            ("a request refused for want of room, us CPU of the bridge", "refused cpu", "{:.0f}"),
            ("  of the broker", "refused broker cpu", "{:.0f}"),
            ("  a second", "refused rate", "{:.0f}"),
            (f"a start with {bench_restart.UPDATES:,} updates in the journal, s", "journal start",
             "{:.1f}"),
            ("  for each, bytes of the disk", "journal disk", "{:.0f}"),
            ("  for each, bytes of memory", "journal memory", "{:.0f}"),
            (f"a start with {bench_restart.THINGS:,} watched things, s", "watch start", "{:.1f}"),
            ("  for each, bytes of the disk", "watch disk", "{:.0f}"),
            ("  for each, bytes of memory", "watch memory", "{:.0f}"))
            if figure in self.figures.figures]
        return "\n".join([*rows, "", conditions(self.generator.strangers)])

    def shown(self, figure, form="{:.1f}"):
        return form.format(self.figures.median(figure))
