"""The other bridges that can be measured beside ours, in tests/bench/peers."""

import pathlib
import subprocess

import bench_site as site

PEERS = pathlib.Path(__file__).resolve().parent / "peers"


def where(folder, broker, endpoint, connections):
    return ["--broker", f"mqtt://127.0.0.1:{broker.port}",
            "--endpoint", f"https://localhost:{endpoint.port}",
            "--ca", folder / "ca.pem", "--connections", connections]


def npm_install(peer):
    if not (peer / "node_modules").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                       cwd=peer, check=True)


class Floor:
    title = "floor (one thread, happy path only)"

    def __init__(self, build):
        self.program = build / "bin" / "floor_bridge"

    def start(self, folder, *place):
        return site.Process(folder, f"floor-{site.free_port()}",
                            [self.program, *where(folder, *place)]).once_ready()


class Node:
    title = "Node (mqtt.js + undici)"
    lone_requests = 200  # each waits 40 ms for Nagle's algorithm
    options = ()

    def __init__(self, _build):
        npm_install(PEERS / "node-bridge")

    def start(self, folder, *place):
        return site.Process(folder, f"node-{site.free_port()}",
                            ["node", PEERS / "node-bridge" / "bridge.mjs", *where(folder, *place),
                             *self.options]).once_ready()


class NodeWithoutNagle(Node):
    title = "Node, Nagle's algorithm off"
    lone_requests = 1000
    options = ("--no-delay",)


class NodeRed:
    title = "Node-RED flow"
    # Less than 1,000 requests a second: what takes the others a second takes it half a minute.
    share = 0.2
    lone_requests = 200

    def __init__(self, _build):
        npm_install(PEERS / "node-red")

    def start(self, folder, *place):
        name = f"node-red-{site.free_port()}"
        own = folder / name
        own.mkdir()
        return site.Process(folder, f"{name}-process",
                            ["node", PEERS / "node-red" / "start.mjs", *where(folder, *place),
                             "--directory", own]).once_ready()


BY_NAME = {"floor": Floor, "node": Node, "node-nodelay": NodeWithoutNagle, "node-red": NodeRed}
