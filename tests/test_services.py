"""The servers that other tests borrow are real and answer."""

import httpx
import psycopg
import pytest
import redis

from tests.services import (  # noqa: F401  (fixtures)
    Postgres,
    Redis,
    StartPrometheus,
    postgres,
    postgres_server,
    prometheus,
    redis_instance,
    redis_server,
)


@pytest.mark.postgres
def test_postgres_has_an_empty_database_and_refuses_other_passwords(postgres: str) -> None:  # noqa: F811
    with psycopg.connect(postgres) as connection:
        row = connection.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
        assert row.fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.replace("tests", "others"))


@pytest.mark.postgres
def test_postgres_comes_back_with_its_data_after_a_stop(postgres_server: Postgres) -> None:  # noqa: F811
    with psycopg.connect(postgres_server.url) as connection:
        connection.execute("CREATE TABLE kept_once ()")
    postgres_server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_server.url, connect_timeout=2)
    postgres_server.start()
    with psycopg.connect(postgres_server.url) as connection:
        connection.execute("DROP TABLE kept_once")


def test_redis_answers_and_comes_back_empty_after_a_crash(redis_server: str, redis_instance: Redis) -> None:  # noqa: F811
    with redis.Redis.from_url(redis_server) as client:
        client.set("a", "b")
        redis_instance.part.kill()
        redis_instance.start()
        assert client.get("a") is None


def test_prometheus_runs_the_configuration_that_it_is_given(prometheus: StartPrometheus) -> None:  # noqa: F811
    url = prometheus({"global": {"external_labels": {"of": "a test"}}})
    shown = httpx.get(f"{url}/api/v1/status/config", trust_env=False).json()["data"]["yaml"]
    assert "of: a test" in shown
