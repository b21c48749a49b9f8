"""The site that is soaked: broker, wire, endpoint with credential provider, and the bridge."""

import http.client
import json
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bench"))

import bench_site as bench  # noqa: E402

PREFIX = "soak"
JOB = f"{PREFIX}-job-1"
CREDENTIAL_SECONDS = 60
FAKE_CLOCK = next((str(path) for path in sorted(pathlib.Path("/usr/lib").glob(
    "*/faketime/libfaketimeMT.so.1"))), None)


class Site:
    def __init__(self, folder, build, things, disk_kib=None):
        self.folder = folder
        self.things = things
        self.disk = None  # where the journal is, if on a file system of its own
        if disk_kib is not None:
            self.mount(folder / "disk", disk_kib)
        self.journal = (self.disk or folder) / "journal"
        self.programs = build.resolve() / "bin"
        self.started = {}  # how often each was started, for its log's name
        self.broker_stores = [folder / "broker", folder / "other-broker"]
        for store in self.broker_stores:
            store.mkdir()
        self.broker_port = bench.free_port()
        self.wire_port = bench.free_port()
        self.endpoint_port = bench.free_port()
        self.admin_port = bench.free_port()
        self.broker = self.wire = self.endpoint = self.bridge = None
        self.writes = 400
        if FAKE_CLOCK is None:
            raise SystemExit("libfaketime is missing: deploy/dependencies soak installs it")
        self.set_gateway_clock(0)
        bench.make_certificates(folder)
        self.issue_certificate()
        self.tls = ssl.create_default_context(cafile=str(folder / "ca.pem"))

    def mount(self, disk, kib):
        disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", disk],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"--disk: {done.stderr.strip()}")
        self.disk = disk

    def start(self):
        self.start_broker()
        self.start_wire()
        self.start_endpoint()
        self.start_bridge()

    def stop(self):
        for process in (self.bridge, self.wire, self.endpoint, self.broker):
            if process:
                if process.child.poll() is None:
                    process.child.send_signal(signal.SIGCONT)
                process.stop()
        if self.disk:
            subprocess.run(["umount", "--lazy", self.disk], check=False)

    def process(self, name, port, command, environment=None):
        self.started[name] = self.started.get(name, 0) + 1
        return bench.Process(self.folder, f"{name}-{self.started[name]}", command, port,
                             environment).once_it_accepts()

    def start_broker(self):
        """With a store, so that what it had acknowledged outlives SIGTERM, and all but the last
        seconds of it outlive SIGKILL."""
        config = self.folder / "mosquitto.conf"
        config.write_text(f"""
listener {self.broker_port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 0
persistence true
persistence_location {self.broker_stores[0]}/
autosave_interval 5
user root
""")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.broker = self.process("mosquitto", self.broker_port, [program, "-c", config])

    def swap_broker_store(self):
        """What starts next at the broker's address is another broker, with what it stored."""
        self.broker_stores.reverse()

    def start_wire(self):
        self.wire = self.process("wire", self.wire_port, [
            sys.executable, HERE / "relay.py", self.wire_port, self.broker_port])

    def start_endpoint(self, *extra):
        self.endpoint = self.process("endpoint", self.endpoint_port, [
            self.programs / "jobs-endpoint", "--listen", f"127.0.0.1:{self.endpoint_port}",
            "--tls-cert", self.folder / "endpoint.pem", "--tls-key", self.folder / "endpoint.key",
            "--client-ca", self.folder / "ca.pem", "--credentials", CREDENTIAL_SECONDS,
            "--things", f"{PREFIX}:{self.things}:1", *extra])

    def configure_bridge(self):
        config = self.folder / "bridge.toml"
        config.write_text(f"""
[broker]
url = "mqtt://127.0.0.1:{self.wire_port}"
keep_alive = "5s"
[endpoint]
url = "https://localhost:{self.endpoint_port}"
region = "eu-central-1"
ca_file = "{self.folder}/ca.pem"
[credentials]
source = "iot"
iot_endpoint = "localhost:{self.endpoint_port}"
iot_role_alias = "gateway"
iot_certificate_file = "{self.folder}/gateway.pem"
iot_private_key_file = "{self.folder}/gateway.key"
[limits]
reads_per_second = 400
writes_per_second = {self.writes}
[journal]
path = "{self.journal}"
[notify]
enabled = true
interval = "60s"
path = "{self.folder}/notify"
[admin]
listen = "127.0.0.1:{self.admin_port}"
""")
        return config

    def set_gateway_clock(self, hours):
        """How far the bridge's clock is ahead. Never behind: the certificates begin today."""
        new = self.folder / "clock.new"
        new.write_text(f"+{hours}h\n")
        new.replace(self.folder / "clock")

    def start_bridge(self):
        # Only the clock of the day is shifted, as when somebody sets it: the other runs on.
        shifted = {"LD_PRELOAD": FAKE_CLOCK, "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock"),
                   "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                   "NO_FAKE_STAT": "1"}
        self.bridge = self.process("jobs-bridge", self.admin_port, [
            self.programs / "jobs-bridge", "run", "--config", self.configure_bridge()], shifted)

    def issue_certificate(self):
        """A new one for the gateway; it takes the old one's place in one step each."""
        new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
               "gateway.key.new", "-out", "gateway.csr", "-subj", "/CN=gateway"]
        sign = ["x509", "-req", "-in", "gateway.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", "gateway.pem.new", "-days", "2"]
        for arguments in (new, sign):
            subprocess.run(["openssl", *arguments], cwd=self.folder, check=True,
                           capture_output=True)
        (self.folder / "gateway.key.new").chmod(0o600)
        for name in ("gateway.key", "gateway.pem"):
            (self.folder / f"{name}.new").replace(self.folder / name)

    def tell_endpoint(self, path, content=None):
        """PUTs the content; without one it DELETEs."""
        request = urllib.request.Request(
            f"https://localhost:{self.endpoint_port}{path}",
            data=None if content is None else json.dumps(content).encode(),
            method="DELETE" if content is None else "PUT",
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=self.tls, timeout=10) as answer:
            answer.read()

    def status(self):
        """What the bridge says of itself; None: nothing, it is away."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/api/status",
                                        timeout=5) as answer:
                return json.load(answer)
        except (OSError, ValueError, http.client.HTTPException):
            return None

    def wait_until_ready(self, limit):
        """Whether messages flow, the endpoint is there and something to sign with is too."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            status = self.status()
            if status and status["ready"]:
                return True
            time.sleep(0.5)
        return False

    def updates_said_to_be_lost(self):
        """The most that the bridge, in all of its lives, says a damaged journal has cost."""
        said = re.compile(rb"\bupdates_(?:lost_at_most|damaged)=(\d+)")
        return sum(int(count) for log in self.folder.glob("jobs-bridge-*.log")
                   for count in said.findall(log.read_bytes()))

    def publish(self, topic, payload, options=()):
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.broker_port), "-V",
                        "mqttv5", "-q", "1", "-t", topic, "-m", payload, *options],
                       timeout=60, check=False, capture_output=True)

    def start_load(self, output, rate, duration, seed):
        return subprocess.Popen(
            [str(self.programs / "jobs-load"), "--broker", f"mqtt://127.0.0.1:{self.broker_port}",
             "--things", str(self.things), "--prefix", f"{PREFIX}-", "--rate", str(rate), "--warm-up",
             "0", "--duration", str(duration), "--seed", str(seed), "--operation",
             "start-next,get,describe,describe-next,update", "--job", JOB, "--patience", "12",
             "--reconnect", "--progress", "5", "--json"],
            stdout=output, stderr=(self.folder / "jobs-load.log").open("wb"))
