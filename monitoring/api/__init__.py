"""The API of what is really happening."""

from django.urls import URLPattern

from deployments.api.base import route
from monitoring.api.clusters import Conditions, Nodes, Test, Unknown
from monitoring.api.observed import Events, Metrics, Pods, Status
from monitoring.api.overview import Overview

ONE, CLUSTER = "deployments/<uuid:pk>", "clusters/<uuid:pk>"

urlpatterns: list[URLPattern] = [
    *route("overview", Overview, "overview"),
    *route(f"{CLUSTER}/unknown", Unknown, "cluster-unknown"),
    *route(f"{CLUSTER}/nodes", Nodes, "cluster-nodes"),
    *route(f"{CLUSTER}/conditions", Conditions, "conditions"),
    *route(f"{CLUSTER}/test", Test, "cluster-test"),
    *route(f"{ONE}/metrics", Metrics, "metrics"),
    *route(f"{ONE}/status", Status, "status"),
    *route(f"{ONE}/pods", Pods, "pods"),
    *route(f"{ONE}/events", Events, "events"),
]
