"""Wishes that the spec takes, made at random."""

import string
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

NAMES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=50)
QUANTITIES = st.sampled_from(["", "1", "500m", "2Gi", "1e3", "7Ei", ".5", "100n"])
LABELS = st.from_regex(r"\A[a-z0-9]([-a-z0-9.]{0,5}[a-z0-9])?(/[A-Z0-9]([-a-z0-9._]{0,9}[a-z0-9])?)?\Z").filter(
    lambda key: not {"..", ".-", "-."} & {key[at : at + 2] for at in range(len(key))}
)


def unique(items: st.SearchStrategy[dict[str, str]], key: str) -> st.SearchStrategy[list[dict[str, str]]]:
    return st.lists(items, max_size=4, unique_by=lambda item: item[key])


FILES = unique(st.builds(lambda name, text: {"path": f"/f{name}", "content": text}, NAMES, TEXTS), "path")
VARIABLES = st.builds(lambda name, value: {"name": f"_{name}", "value": value}, NAMES, TEXTS)
SECRETS = st.builds(lambda name, secret: {"name": f"S{name}", "secret": str(secret)}, NAMES, st.uuids())

WISHES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"llm": st.builds("{}/{}".format, NAMES, NAMES)},
    optional={
        "context_length": st.none() | st.integers(1, 10_000_000),
        "args": st.lists(TEXTS.filter(bool), max_size=4),
        "command": st.lists(TEXTS.filter(bool), max_size=4),
        "gpus": st.integers(0, 1024),
        "gpu_type": st.from_regex(r"\A([A-Z0-9]([-A-Za-z0-9_.]{0,9}[A-Za-z0-9])?)?\Z"),
        "cpu_request": QUANTITIES,
        "memory_limit": QUANTITIES,
        "shared_memory": QUANTITIES,
        "node_selector": st.dictionaries(LABELS, NAMES, max_size=3),
        "replicas": st.integers(0, 100_000),
        "running": st.booleans(),
        "restarted_at": st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
        "startup_seconds": st.none() | st.integers(30, 86_400),
        "port": st.integers(1, 65_535),
        "health_path": st.from_regex(r"\A(/[!-~]{0,20})?\Z"),
        "service_type": st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"]),
        "service_port": st.integers(1, 65_535),
        "env": unique(VARIABLES | SECRETS, "name"),
        "files": FILES,
    },
)
