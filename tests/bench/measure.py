"""The table: what a request costs, how many a second, how long they take, and what stays in memory.

In a round every bridge has every load once, right after one another, with a broker and an endpoint
of its own; so a machine that is slower for a while is so for all of them. The table shows the
medians of the rounds, the lines below it the rounds' ratios.
"""

import argparse
import pathlib
import shutil
import signal
import sys
import tempfile

import bench_peers
import bench_plan
import bench_site as site
import bench_table
from bench_load import Generator, Subject, running

BUILD = pathlib.Path("build-bench")  # where tests/bench/run builds the bridge
LIBRARIES = ("paho", "mosquitto")
LOADS = ("busy", "steady", "single", "slow", "burst")
WARM_UP = 10000  # requests; Node takes a third more CPU after 3,000


def above_zero(kind):
    def take(text):
        value = kind(text)
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError(f"{text} is not above 0 and below 1,000,000,000")
        return value
    take.__name__ = kind.__name__  # for the complaint about what is no number at all
    return take


def parse():
    parser = argparse.ArgumentParser(
        prog="tests/bench/run", description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--library", default="paho", metavar="NAME,...",
                        help="which MQTT libraries to measure the bridge with: "
                             f"{', '.join(LIBRARIES)}")
    parser.add_argument("--build", type=pathlib.Path, metavar="BUILD", default=BUILD,
                        help="measure the bridge of this build")
    parser.add_argument("--only-parse", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--baseline", action="append", default=[], metavar="NAME=BUILD",
                        help="another build of the bridge to put beside it")
    parser.add_argument("--peers", default="", metavar="NAME,...",
                        help=f"other bridges to put beside it: {', '.join(bench_peers.BY_NAME)}")
    parser.add_argument("--rounds", type=above_zero(int), default=3, help="how often everything is measured")
    parser.add_argument("--requests", type=above_zero(int), default=30000,
                        help="requests a measurement with 200 in flight")
    parser.add_argument("--seconds", type=above_zero(float), default=8, help="of a measurement at 1,000/s")
    parser.add_argument("--only", default="", metavar="NAME,...",
                        help=f"some of: {', '.join(LOADS)}; with --plan: "
                             f"{', '.join(bench_plan.MEASUREMENTS)}")
    parser.add_argument("--plan", action="store_true",
                        help="in place of the table, the figures that deploy/SITE_PLAN.md rests on")
    parser.add_argument("--set", action="append", default=[], metavar="section.key=value",
                        help="for the bridge")
    options = parser.parse_args()
    options.library = list(filter(None, options.library.split(",")))
    for name in options.library:
        if name not in LIBRARIES:
            parser.error(f"--library {name}: not one of {', '.join(LIBRARIES)}")
    if not options.library:
        parser.error("--library: names none")
    if options.plan:
        options.set.append(f"broker.library={options.library[0]}")
    for baseline in options.baseline:
        name, equals, build = baseline.partition("=")
        if not (name and equals and build):
            parser.error(f"--baseline {baseline}: not of the form NAME=BUILD")
    options.build = options.build.resolve()
    options.only = list(filter(None, options.only.split(",")))
    known = bench_plan.MEASUREMENTS if options.plan else LOADS
    for name in options.only:
        if name not in known:
            parser.error(f"--only {name}: not one of {', '.join(known)}")
    options.peers = list(filter(None, options.peers.split(",")))
    if options.plan and (options.peers or options.baseline or len(options.library) > 1):
        parser.error("--plan measures one bridge alone: no --peers, --baseline or second --library")
    for name in options.peers:
        if name not in bench_peers.BY_NAME:
            parser.error(f"--peers {name}: not one of {', '.join(bench_peers.BY_NAME)}")
    return options


def check_builds(options):
    builds = [options.build] + [pathlib.Path(text.partition("=")[2]) for text in options.baseline]
    for build in builds:
        if not (build / "bin" / "jobs-bridge").exists():
            sys.exit(f"measure.py: there is no {build}/bin/jobs-bridge; tests/bench/run makes "
                     "build-bench")


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.generator = Generator(options.build)
        self.subjects = [Subject(f"jobs-bridge with {library}", self.ours(options.build, library))
                         for library in options.library]
        for baseline in options.baseline:
            name, _, path = baseline.partition("=")
            self.subjects.append(Subject(name, self.ours(pathlib.Path(path).resolve(),
                                                         options.library[0])))
        for name in options.peers:
            peer = bench_peers.BY_NAME[name](options.build)
            self.subjects.append(Subject(peer.title, peer.start, getattr(peer, "share", 1),
                                         getattr(peer, "lone_requests", 1000)))

    def ours(self, build, library):
        settings = [f"broker.library={library}", *self.options.set]
        return lambda folder, *place: site.start_jobs_bridge(folder, build, *place, extra=settings)

    def wanted(self, *names):
        return not self.options.only or any(name in self.options.only for name in names)

    def measured(self, subject, figure, place, in_flight, *arguments):
        """One load after a warm-up that is no part of what is measured: it opens every connection
        that the load will use, and lets a compiler of hot code, such as Node's, do its work."""
        bridge, broker, _ = place
        self.generator.load(broker, "--requests", int(WARM_UP * subject.share), "--in-flight",
                            in_flight, "--things", 1000, "--patience", 60)
        bridge.once_idle()
        self.generator.measured(subject, figure, *place, *arguments)
        bridge.once_idle()

    def placed(self, subject, run, connections, delay=None, defaults=False):
        broker = run(site.start_broker(self.folder, defaults))
        endpoint = run(site.start_endpoint(self.folder, delay))
        bridge = run(subject.start(self.folder, broker, endpoint, connections))
        return bridge, broker, endpoint

    def fast_endpoint(self, subject):
        requests = int(self.options.requests * subject.share)
        with running() as run:
            place = self.placed(subject, run, 64)
            if self.wanted("busy"):
                self.measured(subject, "busy", place, 200, "--things", 1000, "--in-flight", 200,
                              "--requests", requests, "--patience", 60)
            if self.wanted("steady"):
                self.measured(subject, "steady", place, 200, "--things", 1000, "--rate",
                              bench_table.STEADY_RATE, "--duration", self.options.seconds)
            if self.wanted("single"):
                self.measured(subject, "single", place, 200, "--things", 1, "--connections", 1,
                              "--in-flight", 1, "--requests", subject.lone_requests)
            subject.note("rss", place[0].status("VmHWM") / 1024)
            subject.note("threads", place[0].status("Threads"))

    def slow_endpoint(self, subject):
        with running() as run:
            place = self.placed(subject, run, 1024, delay=0.1)
            self.measured(subject, "slow", place, 1000, "--things", 1000, "--in-flight", 1000,
                          "--requests", int(self.options.requests * subject.share),
                          "--patience", 60)
            subject.note("slow rss", place[0].status("VmHWM") / 1024)

    def burst(self, subject):
        with running() as run:
            place = self.placed(subject, run, 64, defaults=True)
            self.measured(subject, "burst", place, 200, "--things", 3000, "--connections", 4,
                          "--in-flight", 3000, "--requests", int(15000 * subject.share),
                          "--patience", 60)

    def round(self):
        for subject in self.subjects:
            if self.wanted("busy", "steady", "single"):
                self.fast_endpoint(subject)
        for subject in self.subjects:
            if self.wanted("slow"):
                self.slow_endpoint(subject)
        for subject in self.subjects:
            if self.wanted("burst"):
                self.burst(subject)

    def report(self):
        lines = [bench_table.table(self.subjects)]
        if len(self.subjects) > 1:
            lines.append(bench_table.ratios(self.subjects))
        lines.append(bench_table.conditions(self.generator.strangers))
        return "\n\n".join(lines)


def main():
    options = parse()
    if options.only_parse:
        return
    check_builds(options)
    # As Ctrl-C does: through the finally blocks, so that nothing that was started is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="jobs-bridge-bench-"))
    folder.chmod(0o755)  # as root mosquitto and nginx drop to users of their own
    try:
        site.make_certificates(folder)
        if options.plan:
            print(bench_plan.Plan(options, folder).report())
            return
        bench = Bench(options, folder)
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            bench.round()
        print(bench.report())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
