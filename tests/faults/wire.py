"""A TCP proxy before the web, as a balancer that cuts long connections and goes on with whichever process answers."""

import contextlib
import socket
import threading


class Wire:
    """Forwards to the first port of loopback that takes the connection."""

    def __init__(self, *ports: int) -> None:
        self.ports = ports
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection that is open."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for one in (end for pair in pairs for end in pair):
            close(one)

    def stop(self) -> None:
        close(self._server)
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        for port in self.ports:
            with contextlib.suppress(OSError):
                server = socket.create_connection(("127.0.0.1", port))
                break
        else:
            return close(client)
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        threading.Thread(target=self._pump, args=(pair, client, server), daemon=True).start()
        self._pump(pair, server, client)

    def _pump(self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65_536):
                sink.sendall(piece)
        for end in pair:
            close(end)
        with self._lock:
            self._pairs.discard(pair)


def close(one: socket.socket) -> None:
    """Close a socket that may be closed, so that whoever reads from it wakes up."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
