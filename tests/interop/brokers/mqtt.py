"""An MQTT client that does what a probe tells it to, of 3.1.1 or 5, over TCP or TLS, and no more. It shares
no code with any library that the bridge uses."""
import socket
import ssl
import struct
import time


class Refused(Exception):
    """The broker has refused or closed the connection."""


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(data)) + data


def number(value):
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)


def read_number(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


# How a property's value is read (MQTT 5, section 2.2.2.2): bytes of a number, or a kind.
SIZES = {0x01: 1, 0x02: 4, 0x11: 4, 0x13: 2, 0x17: 1, 0x19: 1, 0x18: 4, 0x21: 2, 0x22: 2, 0x23: 2, 0x24: 1,
         0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}


def read_properties(data, at):
    length, at = read_number(data, at)
    end, found = at + length, {}
    while at < end:
        kind = data[at]
        at += 1
        if kind in SIZES:
            found[kind] = int.from_bytes(data[at:at + SIZES[kind]], "big")
            at += SIZES[kind]
        elif kind == 0x0B:
            found[kind], at = read_number(data, at)
        else:
            for _ in range(2 if kind == 0x26 else 1):
                size = struct.unpack_from(">H", data, at)[0]
                found[kind] = data[at + 2:at + 2 + size]
                at += 2 + size
    return found, end


class Client:
    """Raises Refused where the broker closes, TimeoutError where it says nothing."""

    def __init__(self, port, client_id, version=4, clean=True, expiry=None, tls=None, keep_alive=60,
                 receive_maximum=65535, username=None, password=None, patience=10):
        self.version, self.buffer, self.packets, self.identifier = version, b"", [], 0
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        try:
            if tls:
                context = ssl.create_default_context(cafile=tls["ca"])
                context.load_cert_chain(tls["certificate"], tls["key"])
                self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
            flags = (2 if clean else 0) | (0x80 if username else 0) | (0x40 if password else 0)
            body = text("MQTT") + bytes([version, flags]) + struct.pack(">H", keep_alive)
            if version == 5:
                properties = b"\x21" + struct.pack(">H", receive_maximum)
                if expiry is not None:
                    properties += b"\x11" + struct.pack(">I", expiry)
                body += number(len(properties)) + properties
            body += text(client_id)
            body += text(username) if username else b""
            body += text(password) if password else b""
            self.send(0x10, body)
            connack = self.wait(0x20, patience)
        except BaseException:
            self.socket.close()
            raise
        self.session_present, self.reason = connack[0] & 1, connack[1]
        if self.reason:
            self.socket.close()
            raise Refused(f"CONNACK {self.reason}")
        self.properties = read_properties(connack, 2)[0] if version == 5 else {}

    def send(self, kind, body):
        try:
            self.socket.sendall(bytes([kind]) + number(len(body)) + body)
        except OSError as error:
            raise Refused(str(error)) from error

    def receive(self, patience):
        """The next packet, (type and flags, body)."""
        end = time.monotonic() + patience
        while True:
            if len(self.buffer) > 1:
                try:
                    size, at = read_number(self.buffer, 1)
                    if len(self.buffer) >= at + size:
                        packet = self.buffer[0], self.buffer[at:at + size]
                        self.buffer = self.buffer[at + size:]
                        return packet
                except IndexError:
                    pass
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except ssl.SSLError as error:
                raise Refused(str(error)) from error
            except ConnectionError as error:
                raise Refused(str(error)) from error
            if not data:
                raise Refused("closed")
            self.buffer += data

    def wait(self, kind, patience=10):
        """The body of the next packet of that type; publications that come before it are kept."""
        end = time.monotonic() + patience
        while True:
            got, body = self.receive(max(0, end - time.monotonic()))
            if got & 0xF0 == 0x30:
                self.packets.append(self.publication(got, body))
            if got & 0xF0 == kind:
                return body
            elif got & 0xF0 == 0xE0:
                raise Refused(f"DISCONNECT {body[0] if body else 0}")

    def publication(self, kind, body, acknowledge=True):
        size = struct.unpack_from(">H", body)[0]
        topic, at, qos = body[2:2 + size].decode(), 2 + size, kind >> 1 & 3
        if qos:
            identifier = body[at:at + 2]
            at += 2
            if acknowledge:
                self.send(0x40, identifier)
        if self.version == 5:
            at = read_properties(body, at)[1]
        return topic, body[at:], {"qos": qos, "retained": kind & 1, "dup": kind >> 3 & 1}

    def next(self, patience=3):
        """The next publication, or None."""
        if self.packets:
            return self.packets.pop(0)
        try:
            self.wait(0x30, patience)
        except TimeoutError:
            return None
        return self.packets.pop(0)

    def subscribe(self, topic, qos=1):
        """What the broker grants: a QoS, or a code of 128 and above."""
        self.identifier += 1
        properties = b"\0" if self.version == 5 else b""
        self.send(0x82, struct.pack(">H", self.identifier) + properties + text(topic) + bytes([qos]))
        return self.wait(0x90)[-1]

    def publish(self, topic, payload, qos=1, retained=False, wait=True):
        """The broker's reason, 0 over MQTT 3.1.1."""
        self.identifier = self.identifier % 65535 + 1
        body = text(topic) + (struct.pack(">H", self.identifier) if qos else b"")
        body += (b"\0" if self.version == 5 else b"") + payload
        self.send(0x30 | qos << 1 | retained, body)
        if not qos or not wait:
            return 0
        acknowledgement = self.wait(0x40)
        return acknowledgement[2] if len(acknowledgement) > 2 else 0

    def close(self):
        try:
            self.send(0xE0, b"")
        except Refused:
            pass
        self.socket.close()

    def drop(self):
        """Without DISCONNECT."""
        self.socket.close()
