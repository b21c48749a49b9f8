"""A site to measure on: broker, endpoint, and the bridge between them."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

LIMIT = 30  # seconds, to start or to come to rest; Node-RED takes its time

ANSWER = (
    '{"execution":{"jobId":"update-1.4.2","thingName":"$thing","status":"IN_PROGRESS",'
    '"queuedAt":1700000000,"startedAt":1700000100,"lastUpdatedAt":1700000100,"versionNumber":2,'
    '"executionNumber":1,"jobDocument":"' + json.dumps(json.dumps({
        "operation": "install", "version": "1.4.2",
        "url": "https://files.example.com/firmware/1.4.2.bin",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }))[1:-1] + '"}}'
)
# As nginx writes it: a backslash within quotes is doubled.
QUOTED = ANSWER.replace("\\", "\\\\")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def name_hash(text):
    """As bridge/flow/partition.h: FNV-1a of 64 bits."""
    value = 0xcbf29ce484222325
    for byte in text:
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return value


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Process:
    """A child in the site's folder. Its output goes to a file there; it ends with the site.
    `environment` is beside the one that this process has."""

    def __init__(self, folder, name, command, port=None, environment=None):
        self.name = name
        self.port = port
        self.log = folder / f"{name}.log"
        self.child = subprocess.Popen(
            [str(part) for part in command],
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **(environment or {})},
        )

    @property
    def pid(self):
        return self.child.pid

    def fail(self, what):
        self.stop()
        raise SystemExit(f"{self.name} {what}:\n{self.log.read_text(errors='replace')[-2000:]}")

    def require_running(self):
        if self.child.poll() is not None:
            self.fail("has ended")

    def wait_until(self, condition, what):
        limit = time.monotonic() + LIMIT
        while not condition():
            self.require_running()
            if time.monotonic() > limit:
                self.fail(what)
            time.sleep(0.02)
        return self

    def once_ready(self):
        """A bridge says so in its output, once its subscriptions stand."""
        return self.wait_until(lambda: b"ready" in self.log.read_bytes(), "did not start")

    def once_it_accepts(self):
        return self.wait_until(lambda: accepts(self.port), "did not start")

    def cpu_seconds(self):
        """User and system time, with its threads."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, name):
        """A number of /proc/PID/status, such as VmRSS in kB."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise KeyError(name)

    def once_idle(self):
        """Waits until it has worked off what the last load left, for the next one to find it so."""
        used = [self.cpu_seconds()]

        def idle():
            time.sleep(0.25)
            used.append(self.cpu_seconds())
            return used[-1] - used[-2] < 0.02

        return self.wait_until(idle, "does not come to rest")

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


def make_certificates(folder):
    """An authority and a certificate for localhost."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=bench authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "endpoint.key", "-out", "endpoint.csr", "-subj", "/CN=localhost")
    (folder / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "endpoint.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out",
            "endpoint.pem", "-days", "2", "-extfile", "extensions")


def start_broker(folder, defaults=False):
    """mosquitto, without limits of its own; `defaults`: with those that it comes with."""
    port = free_port()
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "set_tcp_nodelay true"]
    if not defaults:
        lines += ["max_inflight_messages 0", "max_queued_messages 0"]
    name = f"mosquitto-{port}"
    (folder / f"{name}.conf").write_text("\n".join(lines) + "\n")
    return Process(folder, name, [shutil.which("mosquitto") or "/usr/sbin/mosquitto",
                                  "-c", folder / f"{name}.conf"], port).once_it_accepts()


def start_endpoint(folder, delay=None):
    """nginx with one answer for everything; `delay` in seconds."""
    port = free_port()
    modules = pathlib.Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
    answer = f"return 200 '{QUOTED}\\n';" if delay is None else (
        f"echo_sleep {delay}; echo '{QUOTED}';")
    name = f"nginx-{port}"
    (folder / f"{name}.conf").write_text(f"""
{f'load_module {modules};' if delay is not None else ''}
master_process off;
daemon off;
pid {folder}/{name}.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {folder}/endpoint.pem;
    ssl_certificate_key {folder}/endpoint.key;
    default_type application/json;
    location ~ ^/things/(?<thing>[^/]+)/ {{ {answer} }}
  }}
}}
""")
    return Process(folder, name, [shutil.which("nginx") or "/usr/sbin/nginx",
                                  "-c", folder / f"{name}.conf", "-p", folder],
                   port).once_it_accepts()


def start_jobs_bridge(folder, build, broker, endpoint, connections, extra=()):
    name = f"jobs-bridge-{free_port()}"
    config = folder / f"{name}.toml"
    config.write_text(f"""
[broker]
url = "mqtt://127.0.0.1:{broker.port}"
client_id = "{name}"
[endpoint]
url = "https://localhost:{endpoint.port}"
ca_file = "{folder}/ca.pem"
connections = {connections}
[credentials]
source = "none"
[limits]
queue = 1000000
reads_per_second = 0
writes_per_second = 0
[notify]
enabled = false   # the peers poll for nobody
[admin]
listen = ""
""")
    command = [build / "bin" / "jobs-bridge", "run", "--config", config]
    for setting in extra:
        command += ["--set", setting]
    return Process(folder, name, command).once_ready()
