"""One immutable, numbered spec of a Deployment."""

import uuid
from typing import Self

from django.db import models

from deployments import spec
from deployments.choices import Outcome
from deployments.models.deployment import Deployment
from deployments.models.observed import ServedRevision


class RevisionQuerySet(models.QuerySet["Revision"]):
    def with_served(self) -> Self:
        """With `served_at`, when it was first seen to serve."""
        same = {"deployment": models.OuterRef("deployment"), "number": models.OuterRef("number")}
        served = ServedRevision.objects.filter(**same).values("first_at")
        return self.annotate(served_at=models.Subquery(served[:1]))


class Revision(models.Model):
    """What was wanted, by whom and why. Inserted by the web; the worker writes the `outcome…` columns."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    spec_json = models.JSONField("spec")
    author = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(max_length=150)
    reason = models.CharField(max_length=500, blank=True)
    action = models.CharField(max_length=20)
    created_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=20, choices=Outcome.pairs(), default=Outcome.PENDING)
    outcome_at = models.DateTimeField(null=True, blank=True)
    outcome_detail = models.JSONField(default=dict, blank=True)

    objects = RevisionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["deployment", "number"], name="revision_number_once")]

    def __str__(self) -> str:
        return f"revision {self.number} of {self.deployment_id}"

    @property
    def spec(self) -> spec.Spec:
        """The spec, brought to today's version."""
        return spec.load(self.spec_json)

    def predecessor(self) -> "Revision | None":
        """The one before. Numbers have a gap where the cluster was newer than the database."""
        return Revision.objects.filter(deployment=self.deployment_id, number__lt=self.number).first()

    @property
    def outcome_look(self) -> Outcome:
        """The outcome with its word, colour and icon."""
        return Outcome(self.outcome)
