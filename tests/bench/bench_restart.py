"""What a start takes that has much to take over: the files are filled as their journal.md and watched_things.md in adapters/store say."""

import contextlib
import json
import sqlite3
import time

import bench_site as site
from bench_load import running

UPDATES = 100_000
THINGS = 1_000_000
PAYLOAD = (b'{"status":"IN_PROGRESS","expectedVersion":3,"clientToken":"0123456789abcdef",'
           b'"statusDetails":{"progress":"50%"}}')
TOLD = json.dumps({"head": "update-1.4.2", "listed_first": "update-1.4.2",
                   "executions": ["update-1.4.2"]}).encode()


def checksum(text):
    value = site.name_hash(text)
    return value - 2**64 if value >= 2**63 else value


def update(number, now):
    topic = f"$aws/things/device-{number}/jobs/a-job-of-some-length/update".encode()
    text = f"{number} {now} ".encode()
    for blob in (topic, PAYLOAD, b"", b"", b""):
        text += b" %d:%b" % (len(blob), blob)
    return number, now, None, topic, PAYLOAD, b"", b"", b"", checksum(text)


def watched(number, now):
    name = f"device-{number:07}"  # in the order of the names, as SQLite likes it
    return name, now, TOLD, checksum(b"%b\0%d\0%b" % (name.encode(), now, TOLD))


def fill(path, table, row, count):
    now = int(time.time())
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        places = ",".join("?" * len(row(1, now)))
        database.executemany(f"INSERT INTO {table} VALUES({places})",
                             (row(number, now) for number in range(1, count + 1)))
    return path.stat().st_size


def measure(folder, start, figures):
    """`start`: starts a bridge between a broker and an endpoint, with settings."""
    kinds = (("journal", "updates", update, UPDATES,
              ("journal.max_size=4GiB", "limits.writes_per_second=1")),
             ("watch", "watched", watched, THINGS,
              ("notify.enabled=true", f"notify.max_things={THINGS}",
               "limits.reads_per_second=1")))
    for kind, table, row, count, settings in kinds:
        key = "journal.path" if kind == "journal" else "notify.path"
        path = folder / f"{kind}-{site.free_port()}"
        with running() as run:
            broker = run(site.start_broker(folder))
            endpoint = run(site.start_endpoint(folder))
            settings = (f"{key}={path}", *settings)
            empty = start(broker, endpoint, 64, *settings)
            before = empty.status("VmRSS")
            empty.stop()
            figures.note(f"{kind} disk", fill(path, table, row, count) / count)
            began = time.monotonic()
            bridge = run(start(broker, endpoint, 64, *settings))
            figures.note(f"{kind} start", time.monotonic() - began)
            if b"damaged" in bridge.log.read_bytes():
                bridge.fail("finds its file damaged")
            figures.note(f"{kind} memory", (bridge.status("VmRSS") - before) * 1024 / count)
        for left in folder.glob(f"{path.name}*"):
            left.unlink()
