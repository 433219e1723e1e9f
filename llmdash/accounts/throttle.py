"""How often the API may be called: counted by token, else by person, else by address."""

import math
import time
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

log = structlog.get_logger(__name__)


class Throttle(BaseThrottle):
    """So many requests in a window that begins with the first of them.

    One row of the cache for each caller, read and written once a request. Requests at the very same time may be counted
    as one: this keeps the server free, it keeps no accounts. A cache that does not answer stops nobody.
    """

    seconds_left = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = settings.LLMDASH["THROTTLE_USER" if request.user else "THROTTLE_ANON"]
        if rate is None:
            return True
        try:
            return self.count(f"llmdash-throttle-{self.who(request)}", *rate)
        except Exception as error:  # whatever the cache is
            log.warning("requests are not counted: the cache cannot be used", exc_info=error)
            return True

    def count(self, key: str, most: int, seconds: int) -> bool:
        """Count one more, unless the window is full."""
        now = time.time()
        began, used = cache.get(key) or (now, 0)
        self.seconds_left = began + seconds - now
        if not 0 < self.seconds_left <= seconds:  # over, or from before the clock was set back
            began, used, self.seconds_left = now, 0, seconds
        if used >= most:
            return False
        cache.set(key, (began, used + 1), math.ceil(self.seconds_left))
        return True

    def who(self, request: Request) -> str:
        """The token, else the person, else the address."""
        if request.auth is not None:
            return f"token-{request.auth.pk}"
        return f"user-{request.user.pk}" if request.user else f"at-{self.get_ident(request)}"

    def wait(self) -> float:
        return max(1, math.ceil(self.seconds_left))
