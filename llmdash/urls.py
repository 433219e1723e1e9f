"""Every address of llmdash."""

from django.contrib import admin
from django.urls import include, path

from llmdash import health
from llmdash.metrics import metrics
from llmdash.openapi import views as openapi
from llmdash.stream import stream
from monitoring.views import overview

urlpatterns = [
    path("", overview, name="home"),
    path("", include("deployments.urls")),
    path("", include("monitoring.urls")),
    path("stream/", stream, name="stream"),
    path("api/v1/", include("llmdash.api")),
    path("api/schema/", openapi.Schema.as_view(), name="schema"),
    path("api/docs/", openapi.Docs.as_view(), name="docs"),
    path("accounts/", include("llmdash.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
handler400 = "llmdash.errors.bad_request"
handler403 = "llmdash.errors.forbidden"
handler404 = "llmdash.errors.not_found"
handler500 = "llmdash.errors.server_error"
