"""What a proxy in front says of the visitor, believed only of those named; and the path under which all pages live."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

Scope = dict[str, Any]
App = Callable[[Scope, Callable[..., Awaitable[Any]], Callable[..., Any]], Awaitable[None]]
PREFIX = b"x-forwarded-"


class Proxies:
    """ASGI: sets scheme and client by X-Forwarded-Proto and -For of a trusted peer, and takes these headers away.

    With a base path, `path` begins with it and `root_path` is it, whether or not the proxy passed it on.
    """

    def __init__(self, app: App, trusted: Sequence[str], base: str = "") -> None:
        self.app, self.base = app, base
        self.believing = ProxyHeadersMiddleware(cast("Any", self.without_headers), list(trusted))

    async def __call__(self, scope: Scope, receive: Callable[..., Awaitable[Any]], send: Callable[..., Any]) -> None:
        await self.believing(cast("Any", dict(scope)), cast("Any", receive), cast("Any", send))

    async def without_headers(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """What was to be learned from the headers stands in the scope now."""
        headers = [(name, value) for name, value in scope.get("headers", ()) if not name.lower().startswith(PREFIX)]
        await self.app(scope | {"headers": headers} | self.placed(scope.get("path", "/")), receive, send)

    def placed(self, path: str) -> dict[str, str]:
        """Path and root path."""
        if not self.base:
            return {}
        inside = path == self.base or path.startswith(f"{self.base}/")
        path = path if inside else f"{self.base}{path}"
        return {"path": path if path != self.base else f"{path}/", "root_path": self.base}
