"""`python -m tests.bench.crowd URL SESSION CLIENTS FRAGMENT`: pages that follow the event stream, as `live.js` does.

Prints "ready" when all of them follow it, and at the end of its input a JSON object: when each deployment's signals
came, as [id, [seconds since the epoch, one of each client …]] in order. With a FRAGMENT, "-" for none, each client
fetches that again after a signal as the page's script does.
"""

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit

BURST, GAP, SHARE = 0.03, 0.1, 1  # as in live.js, in seconds


class Client:
    """One page: a connection for its stream, and one for what it fetches again."""

    def __init__(self, url: str, session: str, fragment: str) -> None:
        parts = urlsplit(url)
        self.address, self.session, self.fragment = (parts.hostname, parts.port), session, fragment
        self.heard: list[tuple[float, str]] = []
        self.ready, self.wanted = asyncio.Event(), asyncio.Event()
        self.fetched = 0

    def request(self, path: str, more: str = "") -> bytes:
        host = "{}:{}".format(*self.address)
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: sessionid={self.session}\r\n{more}\r\n".encode()

    async def follow(self) -> None:
        """The stream, until it is cancelled."""
        reader, writer = await asyncio.open_connection(*self.address, limit=2**20)
        writer.write(self.request("/stream/"))
        while line := await reader.readline():
            if line.startswith(b"event: "):
                self.ready.set()
            at = line.find(b'"id": "')
            if line.startswith(b"data:") and at > 0 and b'"seq"' in line:
                self.heard.append((time.time(), line[at + 7 : at + 43].decode()))
                self.wanted.set()

    async def fetch(self) -> None:
        """The fragment, again and again when something changed."""
        reader, writer = await asyncio.open_connection(*self.address, limit=2**20)
        last = gap = 0.0
        while True:
            await self.wanted.wait()
            await asyncio.sleep(max(BURST, last + gap - time.time()))
            self.wanted.clear()
            began = time.time()
            writer.write(self.request(self.fragment, "HX-Request: true\r\nAccept: text/html\r\n"))
            await answer(reader)
            last = time.time()
            gap = max(GAP, SHARE * (last - began))
            self.fetched += 1


async def answer(reader: asyncio.StreamReader) -> None:
    """Read one answer to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0], head[:200]
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    await reader.readexactly(int(lengths[0].partition(b":")[2]))


async def main(url: str, session: str, count: int, fragment: str) -> None:
    clients = [Client(url, session, fragment) for _ in range(count)]
    tasks = [asyncio.create_task(one.follow()) for one in clients]
    await asyncio.gather(*(asyncio.wait_for(one.ready.wait(), 60) for one in clients))
    if fragment != "-":
        tasks += [asyncio.create_task(one.fetch()) for one in clients]
    print("ready", flush=True)
    end = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    done, _ = await asyncio.wait([end, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in done - {end}:
        task.result()
        raise SystemExit("a client broke off")
    print(
        json.dumps(
            {
                "heard": [one.heard for one in clients],
                "fetched": sum(one.fetched for one in clients),
            }
        )
    )
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
