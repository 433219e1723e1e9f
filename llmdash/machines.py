"""Questions of kubelets, health checks and Prometheus. They come past the proxy: by an address that is in no
ALLOWED_HOSTS, without TLS, and not to be counted among the visitors."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from llmdash.health import healthz, readyz
from llmdash.metrics import holds_token, metrics

HEALTH = {"/healthz": healthz, "/readyz": readyz}


class MachinesMiddleware:
    """Answers before hosts, schemes and sessions are looked at. Whoever reads /metrics by login goes the usual way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in HEALTH:
            return HEALTH[request.path_info](request)
        if request.path_info == "/metrics" and holds_token(request):
            return metrics(request)
        return self.get_response(request)
