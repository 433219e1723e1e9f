"""The servers of production."""

from tests.services import postgres, postgres_server, redis_instance, redis_server

__all__ = ["postgres", "postgres_server", "redis_instance", "redis_server"]
