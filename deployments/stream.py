"""Signals that something changed: (topic, key, seq), sent after commit by web, worker and watcher.

With REDIS_URL they travel by Redis pub/sub; without it they are rows that each web process reads four times a
second. Nobody replays: a page that missed some asks for everything again.
"""

import functools
import json
from collections.abc import Iterable
from datetime import timedelta

import redis
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deployments.models import Signal

log = structlog.get_logger(__name__)
CHANNEL = "llmdash.stream"
SEQUENCE = "llmdash.stream.seq"
KEEP = timedelta(minutes=5)
PRUNE_EVERY = 500

DEPLOYMENT = "deployment"
CLUSTER = "cluster"
PROJECT = "project"


@functools.lru_cache(maxsize=1)
def client() -> redis.Redis:
    """The connection pool to Redis; time-outs keep a dead Redis from holding a writer."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1)


def publish(topic: str, keys: Iterable[object]) -> None:
    """After the commit, tell every open page that these changed."""
    wanted = [str(key) for key in keys]
    if wanted:
        transaction.on_commit(lambda: _send(topic, wanted), robust=True)


def _send(topic: str, keys: list[str]) -> None:
    if settings.REDIS_URL:
        return _send_by_redis(topic, keys)
    rows = Signal.objects.bulk_create(Signal(topic=topic, key=key) for key in keys)
    if rows and rows[-1].seq % PRUNE_EVERY < len(rows):
        Signal.objects.filter(at__lt=timezone.now() - KEEP).delete()


def _send_by_redis(topic: str, keys: list[str]) -> None:
    try:
        last = int(client().incrby(SEQUENCE, len(keys)))
        pipe = client().pipeline(transaction=False)
        for seq, key in enumerate(keys, last - len(keys) + 1):
            pipe.publish(CHANNEL, json.dumps({"topic": topic, "id": key, "seq": seq}))
        pipe.execute()
    except redis.RedisError as error:
        log.warning("signals not sent; open pages poll", topic=topic, error=str(error))
