"""What is kept for a time and then forgotten."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from deployments.models import Deployment, IdempotencyKey

KEY_HOURS = 24


def forget() -> None:
    """Remove tombstones that no late writer can need any more, and idempotency keys of yesterday."""
    now = timezone.now()
    Deployment.objects.filter(gone_at__lt=now - timedelta(days=settings.LLMDASH["TOMBSTONE_DAYS"])).delete()
    IdempotencyKey.objects.filter(created_at__lt=now - timedelta(hours=KEY_HOURS)).delete()
