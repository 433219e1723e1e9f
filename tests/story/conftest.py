"""The servers of production, and a second cluster."""

from tests.controlplane.fixtures import plane
from tests.llmdash.sandbox.hollow.fixtures import hollow_nodes
from tests.services import postgres, postgres_server, redis_instance, redis_server

__all__ = ["hollow_nodes", "plane", "postgres", "postgres_server", "redis_instance", "redis_server"]
