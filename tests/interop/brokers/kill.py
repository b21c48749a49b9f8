"""Clusters of three nodes, of which the one that the bridge is connected to is killed while a device asks at
another: requests that were acknowledged, those of them that nobody heard a reply to, and for how long nothing
was answered. See `run`."""
import json
import os
import pathlib
import shutil
import signal
import time

from mqtt import Client, Refused
from serve import Bridge, Endpoint
from site_of_brokers import Aedes, Missing, Nats, Rabbit, Started, free_port, listening, program, until

BEFORE, AFTER, RATE = 4, 12, 100  # seconds, seconds, requests a second


class NatsCluster:
    name = "NATS"

    def __init__(self, directory):
        self.nodes = [Nats(f"{directory}/{number}") for number in range(3)]

    def start(self):
        program("nats-server")
        first = self.nodes[0]
        first.make_certificates()
        ports = [free_port() for _ in self.nodes]
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
        for number, node in enumerate(self.nodes):
            node.certificates = first.certificates
            node.cluster = (f"node-{number}", f'cluster {{ name: site, listen: "127.0.0.1:{ports[number]}", '
                                              f"routes: [{routes}] }}\n")
            node.prepare()
            node.run()
        # There is no MQTT before a majority has met.
        for node in self.nodes:
            until(lambda node=node: listening(node.port), 60, "nats-server listens")
        until(self.agreed, 60, "the cluster of NATS takes sessions")
        self.version = first.version

    def agreed(self):
        try:
            for node in self.nodes:
                client = Client(node.port, "lamp", clean=False, tls=node.tls("lamp"), patience=5)
                client.subscribe("$aws/things/lamp/jobs/notify")
                client.close()
            return True
        except Exception:  # noqa: whatever it is, it is not there yet
            return False


class RabbitCluster:
    name = "RabbitMQ"

    def __init__(self, directory):
        self.nodes = [Rabbit(f"{directory}/{number}") for number in range(3)]

    def start(self):
        first = self.nodes[0]
        first.start("node0")
        for number, node in enumerate(self.nodes[1:], 1):
            shutil.copytree(first.certificates, node.certificates)
            shutil.copy2(first.directory / ".erlang.cookie", node.directory / ".erlang.cookie")
            node.join(first, f"node{number}")
        self.version = first.version


class AedesCluster:
    name = "aedes with redis"

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.nodes = [Aedes(f"{directory}/{number}") for number in range(3)]

    def start(self):
        self.redis_port = free_port()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.redis = Started([program("redis-server"), "--port", str(self.redis_port), "--bind", "127.0.0.1", "--dir",
                              str(self.directory), "--save", ""], self.directory / "redis.log")
        until(lambda: listening(self.redis_port), 10, "redis listens")
        first = self.nodes[0]
        first.make_certificates()
        for node in self.nodes:
            node.certificates = first.certificates
            node.redis_port = self.redis_port
            node.start()
        self.version = first.version

    def stop(self):
        if hasattr(self, "redis"):
            self.redis.stop()


def connect(node):
    """With a session, so that it misses nothing; as long as it takes, a minute at most."""
    end = time.monotonic() + 60
    while True:
        try:
            return Client(node.port, "lamp", clean=False, tls=node.tls("lamp"), patience=10)
        except (Refused, TimeoutError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def kill_one(cluster, directory):
    cluster.start()
    endpoint = Endpoint(directory)
    bridge = None
    try:
        settings = cluster.nodes[0].bridge_settings()
        settings["broker.url"] = ",".join(node.bridge_settings()["broker.url"] for node in cluster.nodes)
        settings |= {"limits.deadline": "60s", "limits.queue_per_thing": "10000"}
        bridge = Bridge(directory, endpoint, settings)
        bridge.until_ready()
        there = f"connected to the broker broker=localhost:{cluster.nodes[0].port}"
        if there not in bridge.text():
            raise RuntimeError(f"the bridge is not at the first node\n{bridge.text()}")
        node = cluster.nodes[1]
        lamp = connect(node)
        lamp.subscribe("$aws/things/lamp/jobs/get/+")
        sent, heard, acknowledged, reconnects = {}, {}, 0, 0

        def listen(patience):
            publication = lamp.next(patience)
            while publication:
                heard.setdefault(json.loads(publication[1])["clientToken"], time.monotonic())
                publication = lamp.packets.pop(0) if lamp.packets else None

        began, killed = time.monotonic(), None
        while time.monotonic() - began < BEFORE + AFTER:
            if killed is None and time.monotonic() - began > BEFORE:
                killed = time.monotonic()
                cluster.nodes[0].node.signal(signal.SIGKILL)
            token = str(len(sent))
            sent[token] = time.monotonic()
            # As a device does: what was not acknowledged is published again over the next connection.
            while True:
                try:
                    lamp.publish("$aws/things/lamp/jobs/get", json.dumps({"clientToken": token}).encode())
                    acknowledged += 1
                    listen(1 / RATE)
                    break
                except (Refused, TimeoutError):
                    reconnects += 1
                    lamp.drop()
                    lamp = connect(node)
        end = time.monotonic() + 30
        while len(heard) < acknowledged and time.monotonic() < end:
            listen(1)
        after = [when for token, when in heard.items() if sent[token] > killed]
        seconds = f"{min(after) - killed:.1f}" if after else "never"
        return (f"| {cluster.name} {cluster.version} | {acknowledged} | {acknowledged - len(heard)} | {seconds} | "
                f"{reconnects} |")
    finally:
        if os.environ.get("SHOW_LOG") and bridge:
            print(bridge.text())
        if bridge:
            bridge.process.stop()
        endpoint.process.stop()


def kill(directory, wanted, say):
    lines, missing = [], []
    for kind in (RabbitCluster, NatsCluster, AedesCluster):
        if wanted and not any(name in kind.name.lower() for name in wanted):
            continue
        path = pathlib.Path(directory) / kind.__name__
        path.mkdir()
        cluster = kind(path)
        try:
            lines.append(kill_one(cluster, path))
            say(lines[-1])
        except Missing as error:
            missing.append(f"{kind.name}: {error}")
        finally:
            for node in cluster.nodes:
                node.stop()
            if hasattr(cluster, "stop"):
                cluster.stop()
    if lines:
        lines = ["| cluster of three | acknowledged requests | without a reply | seconds until one asked after the kill "
                 "is answered | reconnections of the device, whose own node lives |", "| --- | --- | --- | --- | --- |"] + lines
    return lines, missing
