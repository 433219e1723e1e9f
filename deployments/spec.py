"""The spec of a Deployment: the one place of every parameter. Pure.

A parameter's type, bounds, section, label and help stand here; forms, REST, YAML and JSON Schema come from it.
Old Revisions stay readable for ever: `load` upgrades what an older llmdash wrote.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from deployments import quantity
from deployments.rules import Moment, Quantity, Text, Written, sentence
from deployments.runtimes import RUNTIMES

Fault = tuple[str, str]  # a field, and what is wrong with it
Problem = tuple[tuple[str | int, ...], str]  # a path into the spec, and a sentence

MAX_FILE_CHARS = 64_000
MAX_FILES_BYTES = 900_000  # a ConfigMap holds 1 MiB with its keys
MAX_ENV_BYTES = 500_000  # etcd takes objects of 1.5 MiB, and the Deployment's holds the arguments, too
SHARED_MEMORY_PATH = "/dev/shm"  # noqa: S108  (the container's, not ours)
NAME = r"^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$"  # a DNS-1035 label, short enough for the suffixes of its objects
LABEL_RULE = "at most 63 letters, digits, dots, dashes and underscores, the first and last a letter or digit"
LABEL_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"
SUBDOMAIN = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*"
QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
RESOURCE = rf"^{SUBDOMAIN}/{QUALIFIED}$"
LABEL_KEY = rf"^({SUBDOMAIN}/)?{QUALIFIED}$"
# https://github.com/distribution/reference: [host[:port]/]path[:tag][@digest]
IMAGE = (
    r"^(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$"
)


def parameter(default: Any, label: str, section: str, help: str = "", **more: Any) -> Any:
    """A field of the spec with what people see of it."""
    unit = more.pop("unit", "")
    extra = {"section": section, "unit": unit}
    return Field(default=default, title=label, description=help, json_schema_extra=extra, **more)


class Strict(BaseModel):
    """Unknown keys are refused, values do not change type, instances do not change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EnvVar(Strict):
    """One environment variable: a plain value, or a stored secret by its id."""

    name: Annotated[
        str,
        Written(
            r"^[A-Za-z_][A-Za-z0-9_]{0,254}$",
            "a variable's name has letters, digits and underscores, a digit never first, such as HF_HOME",
        ),
    ]
    value: Annotated[Text, StringConstraints(max_length=8192)] | None = None
    secret: Annotated[UUID, Field(strict=False)] | None = None

    @model_validator(mode="after")
    def one_source(self) -> Self:
        if (self.value is None) == (self.secret is None):
            raise ValueError("give either a value or a secret")
        return self


class ConfigFile(Strict):
    """A small text file, placed into the container through a ConfigMap."""

    path: Annotated[
        Text,
        Written(
            r"^(/[A-Za-z0-9._-]{1,100}){1,10}$",
            "a file's path begins with a slash and has at most 10 parts of letters, digits, dots, dashes and "
            "underscores, such as /etc/vllm/chat.jinja",
        ),
    ]
    content: Annotated[Text, StringConstraints(max_length=MAX_FILE_CHARS)]

    @model_validator(mode="after")
    def no_dots(self) -> Self:
        if any(part in (".", "..") for part in self.path.split("/")):
            raise ValueError("a path may not contain . or ..")
        return self


class Spec(Strict):
    """One complete wish: what shall run, on what, how many and who reaches it."""

    version: Literal[1] = 1

    llm: Annotated[
        Text,
        StringConstraints(max_length=200),
        Written(
            r"^([A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]*[A-Za-z0-9])?$",
            "must be owner/name as on the hub, of letters, digits, dots, dashes and underscores, such as Qwen/Qwen3-8B",
        ),
    ] = parameter("", "LLM", "llm", "Repository id on the hub, such as Qwen/Qwen3-8B.")
    runtime: Literal["vllm", "custom"] = parameter("vllm", "Runtime", "llm", "What serves the LLM.")
    image: Annotated[
        str,
        StringConstraints(max_length=500),
        Written(
            rf"({IMAGE})|^$",
            "must be an image as container tools write it, its repository in lower case, then :tag, @sha256:digest or "
            "both, such as ghcr.io/team/vllm:1.2",
        ),
    ] = parameter("", "Image", "llm", "Left empty, the runtime's own image is used and kept with the revision.")
    context_length: int | None = parameter(
        None, "Context length", "llm", "Left empty, the LLM's own.", ge=1, le=10_000_000, unit="tokens"
    )
    args: Annotated[list[Annotated[Text, StringConstraints(min_length=1, max_length=2000)]], Field(max_length=100)] = (
        parameter([], "Extra arguments", "llm", "One on a line, as the container gets them.")
    )
    command: Annotated[
        list[Annotated[Text, StringConstraints(min_length=1, max_length=2000)]], Field(max_length=50)
    ] = parameter([], "Command", "llm", "Replaces the image's entry point; one word on a line.")

    gpus: int = parameter(0, "GPUs per replica", "hardware", "0 runs on the CPU.", ge=0, le=1024)
    gpu_resource: Annotated[
        str,
        StringConstraints(max_length=180),
        Written(
            RESOURCE, "must be domain/resource as the nodes offer it, such as nvidia.com/gpu or nvidia.com/mig-1g.10gb"
        ),
    ] = parameter(
        "nvidia.com/gpu",
        "GPU resource",
        "hardware",
        "As the nodes offer it: nvidia.com/gpu, amd.com/gpu, a MIG profile.",
    )
    gpu_type: Annotated[
        str, Written(LABEL_VALUE, f"must be a product label, {LABEL_RULE}, such as NVIDIA-H100-80GB-HBM3")
    ] = parameter("", "GPU type", "hardware", "Only nodes whose GPUs carry this product label.")
    cpu_request: Quantity = parameter("", "CPU request", "hardware", "For example 4 or 500m.", unit="cores")
    cpu_limit: Quantity = parameter("", "CPU limit", "hardware", "", unit="cores")
    memory_request: Quantity = parameter("", "Memory request", "hardware", "For example 16Gi.")
    memory_limit: Quantity = parameter("", "Memory limit", "hardware", "Includes shared memory.")
    shared_memory: Quantity = parameter(
        "", "Shared memory", "hardware", "Size of /dev/shm; left empty, 2Gi for runtimes on GPUs."
    )
    node_selector: dict[
        Annotated[
            str,
            StringConstraints(max_length=253),
            Written(
                LABEL_KEY,
                f"a label's key is {LABEL_RULE}, behind a domain and a slash or not, such as example.com/pool",
            ),
        ],
        Annotated[str, Written(LABEL_VALUE, f"a label's value is {LABEL_RULE}, or nothing, such as eu-west-1")],
    ] = parameter(
        {}, "Node labels", "hardware", "One key=value on a line; only nodes that carry them all.", max_length=20
    )

    replicas: int = parameter(1, "Replicas", "scaling", "", ge=0, le=100_000)
    running: bool = parameter(True, "Running", "scaling", "Stopped keeps the number of replicas.")
    restarted_at: Moment | None = parameter(None, "Restarted at", "scaling")
    startup_seconds: int | None = parameter(
        None,
        "Time to start",
        "scaling",
        "Left empty, worked out from the LLM's size.",
        ge=30,
        le=86_400,
        unit="seconds",
    )

    port: int | None = parameter(
        None, "Container port", "exposure", "Left empty, the runtime's own.", ge=1, le=65_535, validate_default=True
    )
    health_path: Annotated[
        Text,
        Written(
            r"^(/[!-~]{0,200})?$",
            "must begin with a slash and go on with at most 200 characters of ASCII, no spaces, such as /health",
        ),
    ] = parameter("", "Health path", "exposure", "Asked before traffic is sent; left empty, the runtime's own.")
    service_type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = parameter(
        "ClusterIP",
        "Reachable from",
        "exposure",
        "ClusterIP: inside the cluster. NodePort: a port of every node. LoadBalancer: an address from outside.",
    )
    service_port: int = parameter(80, "Service port", "exposure", "", ge=1, le=65_535)

    env: Annotated[list[EnvVar], Field(max_length=200)] = parameter([], "Environment", "environment")
    files: Annotated[list[ConfigFile], Field(max_length=20)] = parameter([], "Files", "environment")

    @model_validator(mode="before")
    @classmethod
    def fill_in_from_the_runtime(cls, data: Any) -> Any:
        """Keep the image and port that were meant with the revision: a later llmdash must not change them."""
        runtime = RUNTIMES.get(str(data.get("runtime", "vllm"))) if isinstance(data, dict) else None
        if runtime is None:
            return data
        own = {"image": runtime.image, "port": runtime.port}
        return data | {name: value for name, value in own.items() if data.get(name) in (None, "")}

    @model_validator(mode="after")
    def hangs_together(self) -> Self:
        faults = [*self._doubles(), *self._gaps(), *self._crossed(), *self._too_much(), *self._in_the_way()]
        if faults:
            raise AtFields(faults)
        return self

    def _doubles(self) -> Iterator[Fault]:
        for place, names in (("env", [v.name for v in self.env]), ("files", [f.path for f in self.files])):
            yield from ((place, f"{name} stands twice") for name, count in Counter(names).items() if count > 1)

    def _gaps(self) -> Iterator[Fault]:
        if RUNTIMES[self.runtime].needs_llm and not self.llm:
            yield "llm", f"the runtime {RUNTIMES[self.runtime].label} needs an LLM to serve"
        if not self.image:
            yield "image", "a custom runtime needs an image"

    def _crossed(self) -> Iterator[Fault]:
        for low, high in (("cpu_request", "cpu_limit"), ("memory_request", "memory_limit")):
            least, most = getattr(self, low), getattr(self, high)
            if least and most and quantity.parse(least) > quantity.parse(most):
                yield low, f"is more than the limit of {most}"

    def _too_much(self) -> Iterator[Fault]:
        if sum(len(file.content.encode()) for file in self.files) > MAX_FILES_BYTES:
            yield "files", f"together have at most {MAX_FILES_BYTES:,} bytes"
        if sum(len((var.value or "").encode()) for var in self.env) > MAX_ENV_BYTES:
            yield "env", f"together have at most {MAX_ENV_BYTES:,} bytes"

    def _in_the_way(self) -> Iterator[Fault]:
        paths = {file.path for file in self.files}
        for path in sorted(paths):
            above = {path[:end] for end, char in enumerate(path) if char == "/"}
            if above & paths:
                yield "files", f"{path} lies inside another file"
            if path == SHARED_MEMORY_PATH:
                yield "files", f"{path} is the place of the shared memory"

    @property
    def wanted(self) -> int:
        """Replicas that shall run now: none while stopped."""
        return self.replicas if self.running else 0


class AtFields(ValueError):
    """Rules about several fields that are broken, each shown beside one of them."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in faults))
        self.faults = faults


def problems(error: ValidationError) -> list[Problem]:
    """Each problem as (path into the spec, sentence), for forms and JSON pointers alike."""
    found: list[Problem] = []
    for item in error.errors(include_url=False):
        cause = item.get("ctx", {}).get("error")  # our own errors; pydantic's stand there as text
        if isinstance(cause, AtFields):
            found += [((field,), sentence(item["type"], message)) for field, message in cause.faults]
            continue
        path = tuple(part for part in item["loc"] if part != "[key]")
        found.append((path, sentence(item["type"], str(cause) if isinstance(cause, Exception) else said(item))))
    return found


def said(item: Any) -> str:
    """What pydantic says of one error; of a text it calls the characters items, and what is counted a value."""
    if isinstance(item["input"], str) and item["type"] in ("too_long", "string_too_long"):
        return f"must have at most {item['ctx']['max_length']:,} characters"
    if isinstance(item["input"], list) and item["type"] == "too_long":
        return f"must have at most {item['ctx']['max_length']:,} entries"
    return str(item["msg"])


def all_problems(given: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong at once: pydantic asks for the rules about several fields only when each field is right by
    itself, so the others are asked again without those that are not. A field has no problem of both kinds."""
    found = problems_of(given)
    wrong = {path[0] for path, _ in found if path}
    if not wrong or "runtime" in wrong:  # what is missing depends on the runtime
        return found
    rest = problems_of({name: value for name, value in given.items() if name not in wrong})
    return found + [problem for problem in rest if problem[0][0] not in wrong]


def problems_of(given: Mapping[str, Any]) -> list[Problem]:
    """What pydantic says."""
    try:
        Spec.model_validate(dict(given))
    except ValidationError as error:
        return problems(error)
    return []


def load(stored: dict[str, Any]) -> Spec:
    """Read a spec that an older llmdash may have written."""
    return Spec.model_validate(upgrade(stored))


def upgrade(stored: dict[str, Any]) -> dict[str, Any]:
    """Bring a stored spec to today's version. Version 1 is the first."""
    return stored


def dump(spec: Spec) -> dict[str, Any]:
    """The spec as JSON values, every parameter written out, so that later defaults do not change it."""
    return spec.model_dump(mode="json")
