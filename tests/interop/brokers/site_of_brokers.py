"""Brokers as deploy/brokers and deploy/mosquitto configure them, on loopback ports of their own."""
import ctypes
import os
import pathlib
import re
import shutil
import signal as signals
import socket
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().parents[3]
DEPLOY = SOURCE / "deploy"
BRIDGE, DEVICES = "jobs-bridge", ("lamp", "door")


class Missing(Exception):
    """What is needed is not installed."""


def free_port():
    """Below the range from which the kernel gives ports to outgoing connections."""
    for port in range(20000 + os.getpid() % 9000, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in free_port.given:
                free_port.given.add(port)
                return port
    raise Missing("a free port")


free_port.given = set()


def program(*names):
    for name in names:
        path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/lib/rabbitmq/bin")
        if path:
            return path
    raise Missing(f"{names[0]} is not installed")


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signals.SIGKILL)  # PR_SET_PDEATHSIG


class Started:
    """A program that ends with this process at the latest."""

    def __init__(self, command, log, environment=None):
        with open(log, "ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                            env={**os.environ, **(environment or {})}, start_new_session=True,
                                            preexec_fn=die_with_parent)

    def signal(self, number):
        """To it and its children."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def stop(self, number=signals.SIGKILL):
        self.signal(number)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.signal(signals.SIGKILL)
            self.process.wait()


class Broker:
    """One node. `tls`: the files of a client, by its name; nothing where it takes all over TCP."""
    versions = (4, 5)

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.node = None
        self.certificates = self.directory / "certs"

    def make_certificates(self):
        make = DEPLOY / "mosquitto" / "make-certificates"
        for kind, *names in (("broker", "localhost", "127.0.0.1"), ("device", *DEVICES), ("bridge", BRIDGE)):
            subprocess.run([make, self.certificates, kind, *names], check=True, capture_output=True)

    def tls(self, name):
        return {"ca": str(self.certificates / "ca.pem"), "certificate": str(self.certificates / f"{name}.pem"),
                "key": str(self.certificates / f"{name}.key")}

    def adapted(self, source, changes):
        """Of a shipped file, with what is of this machine changed. Each change must be one."""
        content = (DEPLOY / source).read_text()
        for old, new in changes.items():
            content, count = re.subn(old, new.replace("\\", "\\\\"), content)
            if not count:
                raise RuntimeError(f"{source} has no {old}")
        target = self.directory / pathlib.Path(source).name
        target.write_text(content)
        return target

    def stop(self):
        if self.node:
            self.node.stop()

    def restart(self, number):
        """Ends it by that signal and starts it again with what it has on its disk."""
        self.node.stop(number)
        self.launch()

    def bridge_settings(self):
        tls = self.tls(BRIDGE)
        return {"broker.url": f"mqtts://localhost:{self.port}", "broker.ca_file": tls["ca"],
                "broker.certificate_file": tls["certificate"], "broker.private_key_file": tls["key"],
                "broker.protocol": "5" if 5 in self.versions else "3.1.1"}


class Mosquitto(Broker):
    """Its devices' listener; the bridge's is tried by broker_access_test."""
    name = "mosquitto"

    def start(self):
        mosquitto = program("mosquitto")
        said = subprocess.run([mosquitto, "-h"], capture_output=True, text=True, check=False).stdout
        self.version = re.search(r"version ([0-9.]+)", said)[1]
        self.make_certificates()
        content = (DEPLOY / "mosquitto/jobs-bridge.conf").read_text()
        shared = content[content.index("# --- All"):]
        shared += f"persistence_location {self.directory}/\n"
        (self.directory / "acl").write_text(
            (DEPLOY / "mosquitto/jobs-bridge.acl").read_text() +
            (DEPLOY / "mosquitto/jobs-bridge-devices.acl").read_text())
        tls = self.tls("broker")
        (self.directory / "mosquitto.conf").write_text(
            f"user root\nlistener {self.port} 127.0.0.1\ncafile {tls['ca']}\ncertfile {tls['certificate']}\n"
            f"keyfile {tls['key']}\nrequire_certificate true\nuse_identity_as_username true\n"
            f"use_username_as_clientid true\nacl_file {self.directory}/acl\n" + shared)
        self.command = [mosquitto, "-c", self.directory / "mosquitto.conf"]
        self.launch()

    def launch(self):
        self.node = Started(self.command, self.directory / "log")
        until(lambda: listening(self.port), 10, "mosquitto listens")


class Nats(Broker):
    name, versions = "NATS", (4,)

    def __init__(self, directory):
        super().__init__(directory)
        self.cluster = None  # or a name of this node, and lines for the file

    def prepare(self):
        server = program("nats-server")
        said = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
        self.version = said.split()[-1].lstrip("v")
        if not self.certificates.exists():
            self.make_certificates()
        self.configuration = self.adapted("brokers/nats/nats-server.conf", {
            "/etc/nats/certs": str(self.certificates), "/var/lib/nats": str(self.directory / "store"),
            r"0\.0\.0\.0:8883": f"127.0.0.1:{self.port}", r"127\.0\.0\.1:4222": f"127.0.0.1:{free_port()}"})
        if self.cluster:
            name, lines = self.cluster
            content = self.configuration.read_text().replace("server_name: gateway", f"server_name: {name}")
            # On each node: what is acknowledged is on two of them.
            content = content.replace("mqtt {", "mqtt {\n  stream_replicas: 3\n  consumer_replicas: 3", 1)
            self.configuration.write_text(content + lines)
        self.command = [server, "-c", self.configuration]

    def start(self):
        self.prepare()
        self.launch()

    def launch(self):
        self.run()
        until(lambda: listening(self.port), 20, "nats-server listens")

    def run(self):
        self.node = Started(self.command, self.directory / "log")


class Rabbit(Broker):
    name, versions = "RabbitMQ", (4,)

    def start(self, node="jobs"):
        self.make_certificates()
        self.epmd = str(free_port())
        self.prepare(node)
        self.launch()
        add = DEPLOY / "brokers/rabbitmq/add-client"
        for name, kind in ((BRIDGE, "bridge"), *((device, "device") for device in DEVICES)):
            subprocess.run([add, name, kind], check=True, capture_output=True,
                           env={**os.environ, "RABBITMQCTL": self.control})

    def join(self, first, node):
        """Becomes a further node of that one's cluster; certificates and cookie are there."""
        self.epmd = first.epmd
        self.prepare(node)
        self.launch()
        for command in (["stop_app"], ["reset"], ["join_cluster", first.environment["RABBITMQ_NODENAME"]],
                        ["start_app"]):
            subprocess.run([self.control, *command], check=True, capture_output=True)
        until(lambda: listening(self.port), 60, "RabbitMQ listens")

    def prepare(self, node):
        server = program("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
        control = program("/usr/lib/rabbitmq/bin/rabbitmqctl", "rabbitmqctl")
        self.adapted("brokers/rabbitmq/rabbitmq.conf", {
            "/etc/rabbitmq/certs": str(self.certificates), r"0\.0\.0\.0:8883": f"127.0.0.1:{self.port}",
            r"127\.0\.0\.1:5672": f"127.0.0.1:{free_port()}"})
        self.adapted("brokers/rabbitmq/advanced.config", {})
        (self.directory / "enabled_plugins").write_text("[rabbitmq_mqtt,rabbitmq_auth_mechanism_ssl].\n")
        self.environment = {
            "RABBITMQ_NODENAME": f"{node}@localhost", "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "logs"), "HOME": str(self.directory),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.directory / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": self.epmd, "ERL_EPMD_ADDRESS": "127.0.0.1"}
        wrapper = self.directory / "rabbitmqctl"
        lines = "".join(f"export {name}='{value}'\n" for name, value in self.environment.items())
        wrapper.write_text(f'#!/bin/sh\n{lines}exec {control} -n {node}@localhost -q "$@"\n')
        wrapper.chmod(0o755)
        self.control, self.command = str(wrapper), [server]

    def launch(self):
        self.node = Started(self.command, self.directory / "log", self.environment)
        until(lambda: subprocess.run([self.control, "await_startup"], capture_output=True,
                                     check=False).returncode == 0, 120, "RabbitMQ starts")
        until(lambda: listening(self.port), 60, "RabbitMQ listens")
        self.version = subprocess.run([self.control, "version"], capture_output=True, text=True,
                                      check=True).stdout.split()[-1]

    def stop(self):
        super().stop()
        if not hasattr(self, "environment"):
            return
        # It does not end while it knows of a node, and hears of a node's end a moment later.
        name = self.environment["RABBITMQ_NODENAME"].split("@")[0]
        epmd = lambda command: subprocess.run(["epmd", "-port", self.epmd, command], capture_output=True, text=True,
                                              check=False, env={**os.environ, "ERL_EPMD_ADDRESS": "127.0.0.1"}).stdout
        until(lambda: f"name {name} " not in epmd("-names"), 20, "epmd has forgotten the node")
        epmd("-kill")


class Aedes(Broker):
    """In Node.js, as sites embed it: aedes.mjs beside this file has a device's rules in code."""
    name, versions, redis_port = "aedes", (4,), None

    def start(self):
        clients = pathlib.Path(os.environ.get("AEDES_DIRECTORY", "/nonexistent"))
        if not (clients / "node_modules/aedes").exists():
            raise Missing("aedes is not installed: npm ci in tests/interop/brokers, and AEDES_DIRECTORY naming "
                          "the directory")
        self.version = re.search(r'"version": "([^"]+)"', (clients / "node_modules/aedes/package.json").read_text())[1]
        if not self.certificates.exists():
            self.make_certificates()
        shutil.copy(pathlib.Path(__file__).with_name("aedes.mjs"), clients / "aedes.mjs")
        self.command = [program("node"), clients / "aedes.mjs", str(self.port), str(self.certificates)]
        if self.redis_port:
            self.command.append(str(self.redis_port))
        self.launch()

    def launch(self):
        self.node = Started(self.command, self.directory / "log")
        until(lambda: listening(self.port), 20, "aedes listens")


BROKERS = (Mosquitto, Rabbit, Nats, Aedes)
