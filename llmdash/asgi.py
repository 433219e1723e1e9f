"""The ASGI application: event streams run here, everything else on WSGI threads.

Synchronous middleware makes plain Django ASGI several times slower for pages than WSGI threads, while an open
event stream would hold a thread for its whole life.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.core.asgi import get_asgi_application

from llmdash import environment as env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmdash.settings")

streams = get_asgi_application()

from llmdash.wsgi import application as pages_wsgi  # noqa: E402  (after Django is set up)

pages = WSGIMiddleware(cast("Any", pages_wsgi), workers=env.whole("LLMDASH_WEB_THREADS", 8, low=1, high=256))


async def application(scope: Any, receive: Callable[..., Awaitable[Any]], send: Callable[..., Any]) -> None:
    """Send a request to the part that serves it."""
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] == "http" and scope["path"].startswith("/stream/"):
        return await streams(scope, receive, send)
    await pages(scope, receive, send)


async def lifespan(receive: Callable[..., Awaitable[Any]], send: Callable[..., Any]) -> None:
    """Answer the server's start and stop; nothing needs preparing."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
