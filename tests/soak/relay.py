"""The wire between bridge and broker: passes bytes on. Killing it cuts the link, SIGSTOP silences it."""

import contextlib
import selectors
import socket
import sys


def main(listen_port, broker_port):
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", listen_port), reuse_port=False)
    selector.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                near, _ = listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", broker_port))
                except OSError:
                    near.close()
                    continue
                for end, other in ((near, far), (far, near)):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(end, selectors.EVENT_READ, other)
                continue
            end, other = key.fileobj, key.data
            if end.fileno() < 0:
                continue
            try:
                received = end.recv(65536)
                if received:
                    other.sendall(received)
                    continue
            except OSError:
                pass
            for each in (end, other):
                with contextlib.suppress(KeyError, ValueError):
                    selector.unregister(each)
                each.close()


main(int(sys.argv[1]), int(sys.argv[2]))
