"""What a page weighs as it travels."""

from typing import Any

from playwright.sync_api import Page


class Scale:
    """Weighs what comes over the wire for a page, headers included, as Chromium counts it."""

    def __init__(self, page: Page) -> None:
        self.bytes, self.parts = 0.0, list[tuple[str, float]]()
        self.urls: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on(
            "Network.responseReceived", lambda said: self.urls.update({said["requestId"]: said["response"]["url"]})
        )
        session.on("Network.loadingFinished", self.add)

    def add(self, said: dict[str, Any]) -> None:
        size = float(said["encodedDataLength"])
        self.bytes += size
        self.parts.append((self.urls.get(said["requestId"], "?"), size))

    def empty(self) -> None:
        self.bytes, self.parts = 0.0, []

    def heaviest(self) -> str:
        """For the message of a failure."""
        return ", ".join(f"{url} {size:.0f}" for url, size in sorted(self.parts, key=lambda part: -part[1])[:6])
