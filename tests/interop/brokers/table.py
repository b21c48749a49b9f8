"""What each broker does of what the bridge and its devices need, as configured in deploy/brokers: a table in
Markdown, each cell from a run. See `run`."""
import signal
import time

from mqtt import Client, Refused
from site_of_brokers import BRIDGE, BROKERS, Missing, listening, until

BASE = "$aws/things/lamp/jobs/"


class Probe:
    def __init__(self, broker, version):
        self.broker, self.version = broker, version

    def client(self, name, client_id=None, **options):
        return Client(self.broker.port, client_id or name, version=self.version, tls=self.broker.tls(name), **options)

    def bridge(self, **options):
        return self.client(BRIDGE, **options)


def yes(value):
    return "yes" if value else "no"


def dollar(probe):
    """Requests below $aws reach the bridge."""
    bridge, lamp = probe.bridge(), probe.client("lamp")
    bridge.subscribe("$aws/things/+/jobs/start-next")
    lamp.publish(BASE + "start-next", b"{}")
    arrived = bridge.next()
    bridge.publish(BASE + "start-next/accepted", b"{}", wait=False)
    bridge.close()
    lamp.close()
    return yes(arrived)


def replies(probe):
    """A device hears its reply."""
    bridge, lamp = probe.bridge(), probe.client("lamp")
    lamp.subscribe(BASE + "start-next/+")
    bridge.publish(BASE + "start-next/accepted", b"{}")
    heard = lamp.next()
    bridge.close()
    lamp.close()
    return yes(heard)


def refused_publication(probe):
    """What happens to a device that asks as another."""
    bridge, lamp = probe.bridge(), probe.client("lamp")
    bridge.subscribe("$aws/things/+/jobs/start-next")
    try:
        reason = lamp.publish("$aws/things/door/jobs/start-next", b"{}")
        what = f"refused, 0x{reason:02X}" if reason >= 128 else "acknowledged and dropped"
    except Refused:
        what = "disconnected"
    except TimeoutError:
        what = "no answer"
    if bridge.next(2):
        what = "**passes**"
    bridge.close()
    lamp.drop()
    return what


def foreign_replies(probe):
    """Whether a device hears replies for another."""
    bridge, lamp = probe.bridge(), probe.client("lamp")
    try:
        lamp.subscribe("$aws/things/door/jobs/start-next/+")
        bridge.publish("$aws/things/door/jobs/start-next/accepted", b"{}")
        heard = lamp.next(2)
    except (Refused, TimeoutError):
        heard = None
    bridge.close()
    lamp.drop()
    return "**yes**" if heard else "no"


def takes_place(probe):
    """Whether a device that says to have the bridge's client id throws it out."""
    bridge = probe.bridge()
    try:
        lamp = probe.client("lamp", client_id=BRIDGE)
        time.sleep(0.5)
        lamp.drop()
    except (Refused, TimeoutError):
        pass
    try:
        bridge.subscribe("jobs-bridge/canary/jobs-bridge")
        thrown = False
    except (Refused, TimeoutError):
        thrown = True
    bridge.drop()
    return "**yes**" if thrown else "no"


def shared(probe):
    """$share over topics with $."""
    bridge, lamp = probe.bridge(), probe.client("lamp")
    try:
        granted = bridge.subscribe("$share/g/$aws/things/+/jobs/start-next")
    except Refused:
        bridge.drop()
        lamp.drop()
        return "disconnected"
    except TimeoutError:
        granted = 0
    if granted >= 128:
        return "refused"
    lamp.publish(BASE + "start-next", b"{}", wait=False)
    arrived = bridge.next(2)
    bridge.close()
    lamp.drop()
    return "yes" if arrived else "granted, delivers nothing"


def absent(probe):
    """Of 3,000 requests that were acknowledged while the bridge was away, how many it is given."""
    options = {"expiry": 3600} if probe.version == 5 else {}
    bridge = probe.bridge(clean=False, **options)
    bridge.subscribe("$aws/things/+/jobs/start-next")
    bridge.drop()
    time.sleep(0.5)
    lamp = probe.client("lamp")
    acknowledged = 0
    for number in range(3000):
        acknowledged += lamp.publish(BASE + "start-next", b"%d" % number) < 128
    lamp.close()
    bridge = probe.bridge(clean=False, **options)
    got = set()
    while (publication := bridge.next(3)) is not None:
        got.add(publication[1])
    present = bridge.session_present
    bridge.close()
    probe.bridge(clean=True).close()
    return f"{len(got)} of {acknowledged}" + ("" if present else ", no session")


def restarted(probe):
    """Of 500 acknowledged requests that wait for the bridge, how many outlive a kill -9 of the broker."""
    options = {"expiry": 3600} if probe.version == 5 else {}
    bridge = probe.bridge(clean=False, **options)
    bridge.subscribe("$aws/things/+/jobs/start-next")
    bridge.drop()
    lamp = probe.client("lamp")
    for number in range(500):
        lamp.publish(BASE + "start-next", b"%d" % number)
    lamp.drop()
    probe.broker.restart(signal.SIGKILL)
    bridge = probe.bridge(clean=False, **options)
    got = set()
    while (publication := bridge.next(3)) is not None:
        got.add(publication[1])
    bridge.close()
    return f"{len(got)} of 500"


def retained(probe):
    """Retained messages."""
    bridge = probe.bridge()
    topic = "jobs-bridge/canary/jobs-bridge"
    bridge.publish(topic, b"kept", retained=True)
    time.sleep(0.5)
    bridge.subscribe(topic)
    kept = bridge.next(2)
    bridge.publish(topic, b"", retained=True)
    bridge.close()
    return yes(kept and kept[2]["retained"])


def largest(probe):
    """The largest payload that a device's publication may have, of 128 KiB, 240 KiB and 1 MiB."""
    best = "none"
    for label, size in (("128 KiB", 128 << 10), ("240 KiB", 240 << 10), ("1 MiB", 1 << 20)):
        bridge, lamp = probe.bridge(), probe.client("lamp")
        bridge.subscribe("$aws/things/+/jobs/start-next")
        try:
            lamp.publish(BASE + "start-next", b"x" * size, wait=False)
            if (arrived := bridge.next(5)) and len(arrived[1]) == size:
                best = label
        except (Refused, TimeoutError):
            pass
        bridge.drop()
        lamp.drop()
    return best


def connack(probe):
    """What CONNACK says (MQTT 5)."""
    if probe.version != 5:
        return "-"
    bridge = probe.bridge(clean=False, expiry=3600)
    names = {0x11: "session expiry", 0x13: "keep alive", 0x21: "Receive Maximum", 0x24: "QoS", 0x25: "retain",
             0x27: "packet", 0x28: "wildcards", 0x2A: "shared"}
    said = ", ".join(f"{names[code]} {value}" for code, value in sorted(bridge.properties.items()) if code in names)
    bridge.close()
    return said or "nothing"


ROWS = (("requests below `$aws`", dollar), ("replies to the device", replies),
        ("a request for another thing", refused_publication), ("hears replies to another thing", foreign_replies),
        ("a device can take the bridge's client id", takes_place), ("`$share/g/$aws/...`", shared),
        ("retained messages", retained), ("largest of 128 KiB, 240 KiB, 1 MiB", largest), ("CONNACK", connack),
        ("kept for an absent bridge, of 3,000", absent), ("of 500 after kill -9 of the broker", restarted))


def column(broker, say):
    cells = []
    version = max(broker.versions)
    for label, probe in ROWS:
        try:
            cell = probe(Probe(broker, version))
        except (Refused, TimeoutError, RuntimeError, OSError) as error:
            cell = f"failed: {type(error).__name__} {error}"
            if not listening(broker.port):
                broker.restart(signal.SIGKILL)
        say(f"{broker.name}: {label}: {cell}")
        cells.append(cell)
        until(lambda: listening(broker.port), 60, f"{broker.name} listens")
    return [f"{broker.name} {broker.version}", "5 and 3.1.1" if version == 5 else "3.1.1"] + cells


def table(directory, wanted, say):
    """The lines of the table, and what is missing."""
    columns, missing = [["", "MQTT"] + [label for label, _ in ROWS]], []
    for kind in BROKERS:
        if wanted and kind.name.lower() not in wanted:
            continue
        broker = kind(f"{directory}/{kind.name}")
        try:
            broker.start()
            columns.append(column(broker, say))
        except Missing as error:
            missing.append(f"{kind.name}: {error}")
        finally:
            broker.stop()
    lines = ["| " + " | ".join(cells) + " |" for cells in zip(*columns)]
    lines.insert(1, "|" + " --- |" * len(columns))
    return lines, missing
