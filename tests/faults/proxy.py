"""A TCP proxy that a test makes slow, silent, or cuts."""

import contextlib
import socket
import threading
import time


class Proxy:
    """Forwards to an address on loopback. `delay` is seconds that each piece waits on its way there; `is_silent` keeps
    what comes, as a half-open connection does; `cut` ends every connection, `refuse` takes no new one."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.delay, self.is_silent, self.is_refusing = 0.0, False, False
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

    def refuse(self, *, refusing: bool = True) -> None:
        """Let nobody through, as when the server is gone; or again."""
        self.is_refusing = refusing
        if refusing:
            self.cut()

    def stop(self) -> None:
        close(self._server)
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if self.is_refusing:
                    close(client)
                else:
                    self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            return close(client)
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        for source, sink, is_request in ((client, server, True), (server, client, False)):
            threading.Thread(target=self._pump, args=(pair, source, sink, is_request), daemon=True).start()

    def _pump(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket, is_request: bool
    ) -> None:  # fmt: skip
        with contextlib.suppress(OSError):
            while piece := source.recv(65_536):
                while self.is_silent:
                    time.sleep(0.05)
                if is_request and self.delay:
                    time.sleep(self.delay)
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
