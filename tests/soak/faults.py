"""What goes wrong, one at a time: each is begun, lasts a while, and is ended."""

import contextlib
import random
import signal
import time

# Which answers are faulty: all of them, or some.
SHARES = (1, 0.3, 0.05)
STATUSES = (429, 500, 503)


class Faults:
    """Draws faults from a seed. What it did is in `windows`: name, begin, end, in monotonic time;
    a window ends when the bridge says that it is ready again."""

    # While these last, or soon after, a request or reply under way may be lost, see verdict.py.
    BROKER_KILLED = "broker killed"
    BROKER_FAILED_OVER = "broker failed over"
    BROKER_RESTARTED = "broker restarted"
    BRIDGE_KILLED = "bridge killed"
    JOURNAL_DAMAGED = "journal damaged"

    def __init__(self, site, seed, only=()):
        self.site = site
        self.random = random.Random(seed)
        self.windows = []
        self.not_ready = []  # windows after which the bridge was not ready within a minute
        self.failed = []  # faults that could not be played to their end
        self.bag = []
        self.kinds = [
            self.status, self.status, self.hang, self.delay, self.reset, self.truncate,
            self.trickle, self.garbage, self.close_idle, self.extra_bytes, self.endpoint_killed,
            self.broker_restarted, self.broker_killed, self.broker_failed_over,
            self.broker_paused, self.link_cut,
            self.link_silent, self.credentials_revoked, self.credentials_short, self.endpoint_clock,
            self.gateway_clock, self.reload, self.certificates_replaced, self.properties_flooded,
            self.bridge_killed, self.bridge_killed, self.bit_flipped, self.journal_damaged,
        ]
        if site.disk:
            self.kinds += [self.disk_filled, self.disk_filled_and_bridge_killed] * 2
        if only:
            self.kinds = [kind for kind in self.kinds if kind.__name__ in only]

    def strike(self, with_kills):
        """One fault. Every kind comes before any comes again."""
        if not self.bag:
            self.bag = list(self.kinds)
            self.random.shuffle(self.bag)
        kind = self.bag.pop()
        kills = (self.bridge_killed, self.bit_flipped, self.journal_damaged,
                 self.disk_filled_and_bridge_killed)
        if kind in kills and not with_kills:
            return
        begin = time.monotonic()
        name = kind.__name__.replace("_", " ")
        try:
            name = kind() or name
        except OSError as error:  # the emulator did not take what it was told
            self.failed.append(f"{name}: {error}")
        ready = self.site.wait_until_ready(60)
        window = (name, begin, time.monotonic())
        self.windows.append(window)
        if not ready:
            self.not_ready.append(window)

    def last(self, least=3, most=15):
        time.sleep(self.random.uniform(least, most))

    def endpoint_fault(self, **fault):
        fault["probability"] = self.random.choice(SHARES)
        self.site.tell_endpoint("/_faults", fault)
        self.last()
        self.site.tell_endpoint("/_faults")
        return f"{fault.get('status', fault['kind'])} x {fault['probability']}"

    def status(self):
        return self.endpoint_fault(kind="status", status=self.random.choice(STATUSES))

    def hang(self):
        return self.endpoint_fault(kind="hang")

    def delay(self):
        return "delay: " + self.endpoint_fault(kind="none", delay_ms=500, jitter_ms=1500)

    def reset(self):
        return self.endpoint_fault(kind="reset", carried_out=True)

    def truncate(self):
        return self.endpoint_fault(kind="truncate")

    def trickle(self):
        return self.endpoint_fault(kind="trickle", interval_ms=20)

    def garbage(self):
        return self.endpoint_fault(kind="garbage")

    def close_idle(self):
        return self.endpoint_fault(kind="close_idle")

    def extra_bytes(self):
        return self.endpoint_fault(kind="extra_bytes")

    def endpoint_killed(self):
        self.site.endpoint.child.kill()
        self.site.endpoint.child.wait()
        self.last()
        self.site.start_endpoint()

    def endpoint_clock(self):
        """Its clock jumps by hours, and back."""
        hours = self.random.choice((-26, -3, 2, 30))
        for extra in (("--clock-offset", hours * 3600), ()):
            self.site.endpoint.stop()
            self.site.start_endpoint(*extra)
            if extra:
                self.last(10, 20)
        return f"endpoint's clock off by {hours} h"

    def gateway_clock(self):
        """The clock of the day that the bridge sees jumps ahead by hours, and back."""
        hours = self.random.choice((2, 12, 30))
        for ahead in (hours, 0):
            self.site.set_gateway_clock(ahead)
            self.last(10, 20)
        return f"gateway's clock ahead by {hours} h, and back"

    def restart_broker(self, number):
        self.site.broker.child.send_signal(number)
        self.site.broker.child.wait()
        self.last(0.5, 12)
        self.site.start_broker()

    def broker_restarted(self):
        self.restart_broker(signal.SIGTERM)
        return self.BROKER_RESTARTED

    def broker_killed(self):
        self.restart_broker(signal.SIGKILL)
        return self.BROKER_KILLED

    def broker_failed_over(self):
        """Its address moves to another broker, which knows none of the sessions, or those that it
        had when it was in charge last."""
        self.site.broker.child.kill()
        self.site.broker.child.wait()
        self.last(0.5, 12)
        self.site.swap_broker_store()
        self.site.start_broker()
        return self.BROKER_FAILED_OVER

    def pause(self, process):
        process.child.send_signal(signal.SIGSTOP)
        self.last(2, 14)
        process.child.send_signal(signal.SIGCONT)

    def broker_paused(self):
        self.pause(self.site.broker)

    def link_silent(self):
        self.pause(self.site.wire)

    def link_cut(self):
        self.site.wire.child.kill()
        self.site.wire.child.wait()
        self.last(0.1, 10)
        self.site.start_wire()

    def credentials_revoked(self):
        self.site.tell_endpoint("/_credentials", {"revoke": "all"})

    def credentials_short(self):
        """Those that are issued for a while live five seconds."""
        self.site.tell_endpoint("/_credentials", {"lifetime": 5, "revoke": "all"})
        self.last(10, 20)
        self.site.tell_endpoint("/_credentials", {"lifetime": 60})

    def reload(self):
        self.site.writes = self.random.choice((100, 250, 400))
        for _ in range(2):
            self.site.configure_bridge()
            self.site.bridge.child.send_signal(signal.SIGHUP)
            self.last()
            self.site.writes = 400
        return "limits changed by SIGHUP"

    def properties_flooded(self):
        """A device outside the load asks with up to 270 KB of MQTT 5 user properties each time."""
        a_property = ["-D", "publish", "user-property", "name", "v" * 16]
        for _ in range(self.random.randint(1, 20)):
            self.site.publish("$aws/things/noisy/jobs/get", "{}",
                              a_property * self.random.randint(1000, 10000))

    def certificates_replaced(self):
        self.site.issue_certificate()
        self.site.tell_endpoint("/_credentials", {"revoke": "all"})

    @contextlib.contextmanager
    def full_disk(self):
        """Something else takes all that is free where the journal is, and later lets it go."""
        filler = self.site.disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1024))
        yield
        filler.unlink()

    def disk_filled(self):
        with self.full_disk():
            self.last()

    def disk_filled_and_bridge_killed(self):
        with self.full_disk():
            self.last(0.5, 5)
            self.bridge_killed()
            self.last(0.5, 5)
        return self.BRIDGE_KILLED

    def bridge_killed(self, meanwhile=lambda: None):
        self.site.bridge.child.kill()
        self.site.bridge.child.wait()
        meanwhile()
        self.last(0.1, 5)
        self.site.start_bridge()
        return self.BRIDGE_KILLED

    @contextlib.contextmanager
    def updates_held(self):
        """The endpoint refuses everything for a while, so that there are updates in the journal."""
        self.site.tell_endpoint("/_faults", {"kind": "status", "status": 503})
        self.last(2, 6)
        yield
        self.site.tell_endpoint("/_faults")

    def overwrite(self, file, change):
        """Changes some bytes of a file at a random place; `change` gets the bytes from there on."""
        with file.open("r+b") as opened:
            size = opened.seek(0, 2)
            if not size:
                return
            place = self.random.randrange(size)
            opened.seek(place)
            changed = change(opened.read(64))
            opened.seek(place)
            opened.write(changed)

    def bit_flipped(self):
        """One bit of the journal's write-ahead log. Most are corrected; if one is not, the bridge says
        what it costs."""
        bit = 1 << self.random.randrange(8)
        log = self.site.journal.with_name("journal-wal")
        with self.updates_held():
            self.bridge_killed(lambda: log.exists() and self.overwrite(
                log, lambda old: bytes((old[0] ^ bit,)) + old[1:]))
        return self.JOURNAL_DAMAGED

    def journal_damaged(self):
        """Up to 64 bytes of the journal or its log; the bridge says how many updates that costs."""
        journal = self.site.journal
        files = [journal, journal.with_name("journal-wal")]
        with self.updates_held():
            self.bridge_killed(lambda: self.overwrite(
                self.random.choice(files), lambda old: self.random.randbytes(len(old))))
        return self.JOURNAL_DAMAGED
