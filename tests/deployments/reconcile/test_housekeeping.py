"""Tombstones and idempotency keys are kept for a time, living rows for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments import reconcile, services
from deployments.choices import Role
from deployments.models import AuditEntry, Deployment, IdempotencyKey
from tests import stage

pytestmark = pytest.mark.django_db


def test_a_tombstone_goes_after_thirty_days_and_its_audit_stays() -> None:
    project = stage.project()
    by = stage.member(project, "maria", Role.OPERATOR)
    old, young, living = (stage.deployment(project, by, name) for name in ("old", "young", "living"))
    now = timezone.now()
    Deployment.objects.filter(pk=old.pk).update(gone_at=now - timedelta(days=31))
    Deployment.objects.filter(pk=young.pk).update(gone_at=now - timedelta(days=29))
    reconcile.forget()
    assert set(Deployment.objects.values_list("pk", flat=True)) == {young.pk, living.pk}
    assert AuditEntry.objects.filter(target_id=str(old.pk)).exists()


def test_an_idempotency_key_goes_after_a_day() -> None:
    project = stage.project()
    by = stage.member(project, "maria", Role.OPERATOR)
    services.create(project=project, name="qwen", spec=stage.spec(), by=by, key="first")
    services.create(project=project, name="other", spec=stage.spec(), by=by, key="second")
    IdempotencyKey.objects.filter(key="first").update(created_at=timezone.now() - timedelta(hours=25))
    reconcile.forget()
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["second"]
