"""Pods as plain dicts, for the tests of the pure modules."""

from typing import Any

from llmdash.sandbox.hollow.catalog import H100, NVIDIA
from llmdash.sandbox.hollow.plan import Devices, PodPlan, build
from tests.llmdash.sandbox.hollow.fixtures import pod, vllm_container

Json = dict[str, Any]
H100_DEVICES: Devices = {NVIDIA: (H100, 8)}
UID = "11111111-2222-3333-4444-555555555555"


def bound(container: Json | None = None, *, annotations: dict[str, str] | None = None, **spec: Any) -> Json:
    """A pod that the scheduler has put on the first H100 node."""
    found = pod("qwen-0", container or vllm_container(), annotations=annotations, **spec)
    found["metadata"] |= {"namespace": "team", "uid": UID, "generation": 1}
    found["spec"]["nodeName"] = "hollow-h100-0"
    return found


def planned(container: Json | None = None, *, speed: float = 1.0, **options: Any) -> PodPlan:
    """The plan of such a pod; durations in real seconds."""
    return build(bound(container, **options), H100_DEVICES, speed=speed)
