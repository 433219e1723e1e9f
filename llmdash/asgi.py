"""The ASGI application: event streams run here, everything else on WSGI threads.

Synchronous middleware makes plain Django ASGI several times slower for pages than WSGI threads, while an open
event stream would hold a thread for its whole life.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.core.asgi import get_asgi_application

from llmdash import environment as env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmdash.settings")

sys.setswitchinterval(0.0005)  # seconds; at Python's 0.005 a thread waits long after each read for its next turn
streams = get_asgi_application()

from django.conf import settings  # noqa: E402  (after Django is set up)

from llmdash.crowd import Crowd  # noqa: E402
from llmdash.proxies import Proxies  # noqa: E402
from llmdash.wsgi import application as pages_wsgi  # noqa: E402

threads = WSGIMiddleware(cast("Any", pages_wsgi), workers=env.whole("LLMDASH_WEB_THREADS", 8, low=1, high=256))
pages = Crowd(cast("Any", threads))


async def application(scope: Any, receive: Callable[..., Awaitable[Any]], send: Callable[..., Any]) -> None:
    """Send a request to the part that serves it."""
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    await web(scope, receive, send)


async def by_kind(scope: Any, receive: Callable[..., Awaitable[Any]], send: Callable[..., Any]) -> None:
    """An event stream, or a page."""
    kind: Any = streams if scope["path"].startswith(f"{settings.BASE_PATH}/stream/") else pages
    await kind(scope, receive, send)


web = Proxies(by_kind, settings.TRUSTED_PROXIES, settings.BASE_PATH)


async def lifespan(receive: Callable[..., Awaitable[Any]], send: Callable[..., Any]) -> None:
    """Answer the server's start and stop; nothing needs preparing."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
