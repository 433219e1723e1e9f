"""The API of what was asked for."""

from django.urls import URLPattern

from deployments.api.acts import Restart, RollBack, Scale, SetPolicy, Start, Stop, TakeOver, TryAgain
from deployments.api.base import route
from deployments.api.clusters import AcceptIdentity, Clusters, Forget, OneCluster, Settings
from deployments.api.deployments import Deployments, OneDeployment
from deployments.api.history import AllAudit, Audit, OneRevision, Revisions
from deployments.api.logs import Logs
from deployments.api.members import Members, OneMember
from deployments.api.newer import Choose
from deployments.api.projects import OneProject, Projects, Use
from deployments.api.search import Search
from deployments.api.secrets import OneSecret, Secrets

ONE = "deployments/<uuid:pk>"

urlpatterns: list[URLPattern] = [
    *route("deployments", Deployments, "deployments"),
    *route(ONE, OneDeployment, "deployment"),
    *route(f"{ONE}/scale", Scale, "scale"),
    *route(f"{ONE}/stop", Stop, "stop"),
    *route(f"{ONE}/start", Start, "start"),
    *route(f"{ONE}/restart", Restart, "restart"),
    *route(f"{ONE}/rollback", RollBack, "rollback"),
    *route(f"{ONE}/take-over", TakeOver, "take-over"),
    *route(f"{ONE}/try-again", TryAgain, "try-again"),
    *route(f"{ONE}/newer", Choose, "newer"),
    *route(f"{ONE}/drift-policy", SetPolicy, "drift-policy"),
    *route(f"{ONE}/revisions", Revisions, "revisions"),
    *route(f"{ONE}/revisions/<int:number>", OneRevision, "revision"),
    *route(f"{ONE}/pods/<slug:pod>/logs", Logs, "logs"),
    *route(f"{ONE}/audit", Audit, "audit"),
    *route("projects", Projects, "projects"),
    *route("projects/<uuid:pk>", OneProject, "project"),
    *route("projects/<uuid:pk>/use", Use, "project-use"),
    *route("projects/<uuid:pk>/secrets", Secrets, "secrets"),
    *route("projects/<uuid:pk>/secrets/<kept:secret>", OneSecret, "secret"),
    *route("projects/<uuid:pk>/members", Members, "members"),
    *route("projects/<uuid:pk>/members/<uuid:member>", OneMember, "member"),
    *route("audit", AllAudit, "all-audit"),
    *route("search", Search, "search"),
    *route("clusters", Clusters, "clusters"),
    *route("clusters/<uuid:pk>", OneCluster, "cluster"),
    *route("clusters/<uuid:pk>/settings", Settings, "cluster-settings"),
    *route("clusters/<uuid:pk>/accept-identity", AcceptIdentity, "accept-identity"),
    *route("clusters/<uuid:pk>/forget", Forget, "cluster-forget"),
]
