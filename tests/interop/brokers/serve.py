"""A bridge, the emulator and a device at each broker, by the shipped rules. See `run`."""
import json
import os
import pathlib
import re
import time
import urllib.request

from mqtt import Client
from site_of_brokers import BROKERS, SOURCE, Missing, Started, until

BUILD = pathlib.Path(os.environ.get("BUILD_DIRECTORY", SOURCE / "build"))


class Endpoint:
    def __init__(self, directory, *options):
        program = BUILD / "bin/jobs-endpoint"
        if not program.exists():
            raise Missing(f"{program} is not built")
        log = pathlib.Path(directory) / "endpoint.log"
        self.process = Started([program, "--listen", "127.0.0.1:0", *options], log)
        until(lambda: "http://" in log.read_text(), 10, "the emulator listens")
        self.url = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())[0]

    def create_job(self, job, thing):
        body = {"targets": [f"arn:aws:iot:eu-central-1:123456789012:thing/{thing}"], "document": "{}"}
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/jobs/{job}", json.dumps(body).encode(),
                                                      method="PUT"), timeout=10).close()


class Bridge:
    def __init__(self, directory, endpoint, settings):
        program = BUILD / "bin/jobs-bridge"
        if not program.exists():
            raise Missing(f"{program} is not built")
        self.log = pathlib.Path(directory) / "bridge.log"
        empty = pathlib.Path(directory) / "bridge.toml"
        empty.write_text("[log]\n")
        everything = {"endpoint.url": endpoint.url, "credentials.source": "none", "admin.listen": "",
                      "notify.enabled": "false", "limits.reads_per_second": "0", **settings}
        options = [part for key, value in everything.items() for part in ("--set", f"{key}={value}")]
        self.process = Started([program, "run", "--config", empty, *options], self.log)

    def text(self):
        return self.log.read_text()

    def until_ready(self):
        """Whether it judges itself to be ready is another matter: brokers differ in what they let it see."""
        try:
            until(lambda: "subscribed to the request topics" in self.text(), 60, "the bridge has subscribed")
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{self.text()}") from error


def serve_one(broker, directory):
    broker.start()
    endpoint = Endpoint(directory)
    bridge = None
    try:
        endpoint.create_job("job-1", "lamp")
        bridge = Bridge(directory, endpoint, broker.bridge_settings())
        bridge.until_ready()
        lamp = Client(broker.port, "lamp", version=max(broker.versions), tls=broker.tls("lamp"))
        lamp.subscribe("$aws/things/lamp/jobs/start-next/+")
        began = time.monotonic()
        lamp.publish("$aws/things/lamp/jobs/start-next", b'{"clientToken":"one"}')
        reply = lamp.next(10)
        took = time.monotonic() - began
        lamp.close()
        if reply is None or not reply[0].endswith("/accepted") or b'"jobId":"job-1"' not in reply[1]:
            raise RuntimeError(f"{broker.name}: the device was given {reply}\n{bridge.text()}")
        if "refuses a subscription" in bridge.text():
            raise RuntimeError(f"{broker.name}: {bridge.text()}")
        return f"{broker.name} {broker.version}: a device was given its job in {took * 1000:.0f} ms"
    finally:
        if bridge:
            bridge.process.stop()
        endpoint.process.stop()


def serve(directory, wanted, say):
    lines, missing = [], []
    for kind in BROKERS:
        if wanted and kind.name.lower() not in wanted:
            continue
        broker = kind(f"{directory}/{kind.name}")
        try:
            lines.append(serve_one(broker, broker.directory))
            say(lines[-1])
        except Missing as error:
            missing.append(f"{kind.name}: {error}")
        finally:
            broker.stop()
    return lines, missing
