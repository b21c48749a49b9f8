"""The other bridges that can be measured beside ours, in tests/bench/peers."""

import hashlib
import pathlib
import re
import subprocess
import sys

import bench_site as site

PEERS = pathlib.Path(__file__).resolve().parent / "peers"


def where(folder, broker, endpoint, connections):
    return ["--broker", f"mqtt://127.0.0.1:{broker.port}",
            "--endpoint", f"https://localhost:{endpoint.port}",
            "--ca", folder / "ca.pem", "--connections", connections]


OLDEST_NODE = (20, 18, 1)  # what undici and Node-RED take


def printed(*command, **more):
    """What a program says, or an end with what it complains of."""
    try:
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, **more).stdout
    except FileNotFoundError:
        sys.exit(f"tests/bench/run: there is no {command[0]}, which a peer needs")
    except subprocess.CalledProcessError as error:
        sys.exit(f"tests/bench/run: {' '.join(command)} failed:\n{error.stdout}")


def npm_install(peer):
    version = printed("node", "--version").strip()
    if tuple(map(int, re.findall(r"\d+", version)[:3])) < OLDEST_NODE:
        oldest = ".".join(map(str, OLDEST_NODE))
        sys.exit(f"tests/bench/run: node, node-nodelay and node-red need Node {oldest} or newer; "
                 f"this is {version}. Without them: --peers floor")
    # Only a finished installation has the mark, and of this very lock file.
    mark = peer / "node_modules" / ".complete"
    wanted = hashlib.sha256((peer / "package-lock.json").read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return
    printed("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error",
            cwd=peer)
    mark.write_text(wanted)


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
