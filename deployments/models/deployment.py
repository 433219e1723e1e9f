"""One LLM that a project asked for, and the objects that stand for it in the cluster."""

import uuid
from typing import TYPE_CHECKING, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now

from deployments.choices import BY_OTHERS, DriftPolicy, Problem
from deployments.models.project import Project
from deployments.spec import NAME

if TYPE_CHECKING:
    from llmdash.accounts.models import User

deployment_name = RegexValidator(
    NAME.replace("^", r"\A").replace("$", r"\Z"),
    "Begin with a letter; lower-case letters, digits and dashes, at most 50 of them.",
)


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def visible_to(self, user: "User") -> Self:
        """Deployments of the person's projects that are not gone: the queryset that every door starts from."""
        return self.filter(gone_at__isnull=True, project__in=Project.objects.visible_to(user))

    def held(self) -> Self:
        """Those that some worker holds now."""
        return self.exclude(lease_owner="").filter(lease_expires_at__gt=Now())


class Deployment(models.Model):
    """The row. The web writes the first group of columns, the worker the second; nobody writes the other's.

    `desired` counts Revisions and `attempted` is the newest that was tried; `asked` counts the acts that are no
    Revision (taking over, another drift policy) and `answered` is the newest that was heeded.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="deployments")
    name = models.CharField(max_length=50, validators=[deployment_name])
    desired = models.PositiveIntegerField(default=0)
    asked = models.PositiveIntegerField(default=0, db_default=0)
    drift_policy = models.CharField(max_length=10, choices=DriftPolicy.pairs(), default=DriftPolicy.HEAL)
    taken_over_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    applied = models.PositiveIntegerField(default=0)
    attempted = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0, db_default=0)
    attempts = models.PositiveIntegerField(default=0)
    deaths = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=20, choices=Problem.pairs(), blank=True)
    last_error = models.JSONField(default=dict, blank=True)
    heals = models.JSONField(default=list, blank=True)
    deletion_started_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"],
                condition=Q(gone_at__isnull=True),
                name="name_free_again_when_gone",
                violation_error_code="unique",
                violation_error_message="A deployment of this name stands in the project already.",
            ),
            models.CheckConstraint(condition=Q(applied__lte=F("desired")), name="applied_not_beyond_desired"),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(gone_at__isnull=True), name="due"),
            models.Index(fields=["lease_expires_at"], condition=~Q(lease_owner=""), name="leased"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_settled(self) -> bool:
        """The newest revision is applied and nothing is being deleted."""
        return self.applied == self.desired and self.deleted_at is None

    @property
    def hindrance(self) -> str:
        """The problem of what is wanted now: one from before a deletion says nothing of it until its first try, and
        what others changed is none where it is to be left."""
        begun = self.deleted_at is None or self.deletion_started_at
        return self.problem if begun and not self.is_left else ""

    @property
    def is_left(self) -> bool:
        """Others' changes stand in what was applied, as the drift policy has it."""
        by_others = self.problem == Problem.WAIT and self.last_error.get("reason") in BY_OTHERS
        return by_others and self.drift_policy == DriftPolicy.LEAVE and self.is_settled


class AppliedObject(models.Model):
    """The inventory: one object that we applied for a Deployment. Written by the worker.

    It is written before the object is: `uid` is "" and `revision` 0 while nobody knows whether the write arrived.
    `manifest` is what was sent, Secret values left out, and `rewritten` where the API server's answer to it differed,
    in the shape of `comparison.differences`: a policy of the cluster changed it. `created_by_us` is false for an object
    that was adopted, which is never deleted.
    """

    id = models.BigAutoField(primary_key=True)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="inventory")
    api_version = models.CharField(max_length=100)
    kind = models.CharField(max_length=63)
    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=253)
    uid = models.CharField(max_length=64)
    resource_version = models.CharField(max_length=64)
    created_by_us = models.BooleanField(default=True)
    revision = models.PositiveIntegerField()
    manifest = models.JSONField(default=dict, blank=True)
    rewritten = models.JSONField(default=list, db_default=Value([], models.JSONField()), blank=True)
    applied_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["deployment", "kind", "namespace", "name"], name="object_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"
