"""The spec takes what can be run, and names by its path what cannot."""

import uuid
from typing import Any, get_args

import pytest
from hypothesis import given
from pydantic import ValidationError

from deployments import rules
from deployments import spec as specs
from deployments.spec import MAX_FILE_CHARS, MAX_FILES_BYTES, Spec, problems
from tests.deployments.specs import WISHES

Path = tuple[str | int, ...]
SECRET = str(uuid.UUID(int=7))


def make(**fields: Any) -> Spec:
    return Spec.model_validate({"llm": "Qwen/Qwen3-8B"} | fields)


def refusal(**fields: Any) -> list[tuple[Path, str]]:
    with pytest.raises(ValidationError) as refused:
        make(**fields)
    return problems(refused.value)


def refused_at(**fields: Any) -> list[Path]:
    return [path for path, _ in refusal(**fields)]


def env(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "value": "x"} for name in names]


def file(path: str, content: str = "") -> dict[str, str]:
    return {"path": path, "content": content}


BOUNDS: list[tuple[str, int, int]] = [
    ("context_length", 1, 10_000_000),
    ("gpus", 0, 1024),
    ("replicas", 0, 100_000),
    ("startup_seconds", 30, 86_400),
    ("port", 1, 65_535),
    ("service_port", 1, 65_535),
]


@pytest.mark.parametrize(("name", "low", "high"), BOUNDS)
def test_a_number_may_stand_at_its_bounds_and_not_beyond(name: str, low: int, high: int) -> None:
    assert getattr(make(**{name: low}), name) == low
    assert getattr(make(**{name: high}), name) == high
    assert refused_at(**{name: low - 1}) == [(name,)]
    assert refused_at(**{name: high + 1}) == [(name,)]


@pytest.mark.parametrize("value", ["1", 1.0, True, [1], {"a": 1}])
@pytest.mark.parametrize("name", [name for name, _, _ in BOUNDS])
def test_a_number_is_never_made_from_something_else(name: str, value: Any) -> None:
    assert refused_at(**{name: value}) == [(name,)]


LENGTHS: list[tuple[str, Any, Any, Path]] = [
    ("llm", "a/" + "b" * 198, "a/" + "b" * 199, ("llm",)),
    ("image", "a" * 500, "a" * 501, ("image",)),
    ("args", ["a" * 2000], ["a" * 2001], ("args", 0)),
    ("args", ["a"] * 100, ["a"] * 101, ("args",)),
    ("command", ["a" * 2000], ["a", "a" * 2001], ("command", 1)),
    ("command", ["a"] * 50, ["a"] * 51, ("command",)),
    ("gpu_type", "a" * 63, "a" * 64, ("gpu_type",)),
    ("node_selector", {f"a{i}": "b" for i in range(20)}, {f"a{i}": "b" for i in range(21)}, ("node_selector",)),
    ("node_selector", {"a" * 63: "b"}, {"a" * 64: "b"}, ("node_selector", "a" * 64)),
    ("node_selector", {"a": "b" * 63}, {"a": "b" * 64}, ("node_selector", "a")),
    ("health_path", "/" + "a" * 200, "/" + "a" * 201, ("health_path",)),
    ("env", env(*(f"A{i}" for i in range(200))), env(*(f"A{i}" for i in range(201))), ("env",)),
    ("env", env("A" * 255), env("A" * 256), ("env", 0, "name")),
    ("env", [{"name": "A", "value": "x" * 8192}], [{"name": "A", "value": "x" * 8193}], ("env", 0, "value")),
    ("files", [file(f"/f{i}") for i in range(20)], [file(f"/f{i}") for i in range(21)], ("files",)),
    ("files", [file("/a" * 10)], [file("/a" * 11)], ("files", 0, "path")),
    ("files", [file("/" + "a" * 100)], [file("/" + "a" * 101)], ("files", 0, "path")),
    ("files", [file("/a", "x" * MAX_FILE_CHARS)], [file("/a", "x" * (MAX_FILE_CHARS + 1))], ("files", 0, "content")),
]


@pytest.mark.parametrize(("name", "longest", "longer", "path"), LENGTHS)
def test_a_text_or_list_may_be_as_long_as_its_bound(name: str, longest: Any, longer: Any, path: Path) -> None:
    make(**{name: longest})
    assert refused_at(**{name: longer}) == [path]


def test_all_files_together_fit_into_a_config_map() -> None:
    sixty = "ä" * 30_000
    assert 14 * len(sixty.encode()) < MAX_FILES_BYTES < 16 * len(sixty.encode())
    make(files=[file(f"/f{i}", sixty) for i in range(14)])
    assert refused_at(files=[file(f"/f{i}", sixty) for i in range(16)]) == [("files",)]


def test_all_variables_together_fit_into_one_object() -> None:
    most = [{"name": f"A{i}", "value": "ä" * 4000} for i in range(62)]
    make(env=most)
    assert refused_at(env=[*most, {"name": "B", "value": "x" * 5000}]) == [("env",)]


WRONG: list[tuple[str, Any, Path]] = [
    *(("llm", text, ("llm",)) for text in ("Qwen", "/Qwen", "a/b/c", "a/", "a b/c", "a/b\n", "ä/b", "hf://a/b", 5)),
    *(("image", text, ("image",)) for text in ("A", "a b", "a:", "a:b:c", "a@sha256:12", "-a", "a\n", "oci://a/b", 0)),
    ("image", [], ("image",)),
    ("image", False, ("image",)),
    ("runtime", "ollama", ("runtime",)),
    ("runtime", [], ("runtime",)),
    ("gpu_resource", "", ("gpu_resource",)),
    *(("gpu_resource", text, ("gpu_resource",)) for text in ("gpu", "/gpu", "a..b/gpu", "A.com/gpu", "a.com/gpu/x")),
    *(("gpu_type", text, ("gpu_type",)) for text in ("a b", "-a", "a-", "a/b", "a\n")),
    *((name, text, (name,)) for name in ("cpu_request", "cpu_limit", "memory_request", "memory_limit", "shared_memory")
      for text in ("0", "0Gi", "-1", "one", "1 Gi", "1gi", "1e", "1KiB", ".", "Infinity", "١", "9" * 31, 4)),
    *(("node_selector", {key: "x"}, ("node_selector", key)) for key in ("", "a b", "/a", "a/", "a..b/c", "A/c", "-a")),
    *(("node_selector", {"a": value}, ("node_selector", "a")) for value in ("a b", "-a", "a/b", 5, None)),
    ("running", "yes", ("running",)),
    ("running", 1, ("running",)),
    ("restarted_at", "yesterday", ("restarted_at",)),
    *(("health_path", text, ("health_path",)) for text in ("health", "/a b", "/ä", "/a\n", "http://a/")),
    *(("service_type", text, ("service_type",)) for text in ("ExternalName", "", "clusterip", None)),
    *(("env", env(name), ("env", 0, "name")) for name in ("", "1A", "A-B", "A.B", "A B", "A=B", "Ä", "A\n", "A\x00")),
    ("env", [{"name": "A"}], ("env", 0)),
    ("env", [{"name": "A", "value": "x", "secret": SECRET}], ("env", 0)),
    ("env", [{"name": "A", "secret": "7"}], ("env", 0, "secret")),
    ("env", [{"name": "A", "value": 5}], ("env", 0, "value")),
    ("env", [{"name": "A", "value": "x", "more": 1}], ("env", 0, "more")),
    ("env", {"A": "x"}, ("env",)),
    *(("files", [file(path)], ("files", 0, "path")) for path in ("", "a", "/", "/a/", "//a", "/a b", "/ä", "/a\n")),
    *(("files", [file(path)], ("files", 0)) for path in ("/..", "/a/../b", "/./a")),
    ("files", [{"path": "/a"}], ("files", 0, "content")),
    ("args", [""], ("args", 0)),
    ("args", "serve", ("args",)),
    ("command", ["sh", ""], ("command", 1)),
    ("version", 2, ("version",)),
    ("version", "1", ("version",)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "path"), WRONG)
def test_what_cannot_be_run_is_refused_at_its_own_path(name: str, value: Any, path: Path) -> None:
    assert refused_at(**{name: value}) == [path]


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\r", "\x7f", "\x85", "\x9b", "\u202e", "\u2069", "\ud800"])
@pytest.mark.parametrize(
    ("field", "path"),
    [
        (lambda text: {"args": ["fine", text]}, ("args", 1)),
        (lambda text: {"command": [text]}, ("command", 0)),
        (lambda text: {"env": [{"name": "A", "value": text}]}, ("env", 0, "value")),
        (lambda text: {"files": [file("/a", text)]}, ("files", 0, "content")),
    ],
)
def test_control_characters_are_refused_by_their_number(char: str, field: Any, path: Path) -> None:
    [(found, said)] = refusal(**field(f"a{char}b"))
    assert found == path
    assert f"U+{ord(char):04X}" in said or "surrogate" in said


def test_tabs_line_feeds_and_every_script_may_stand_in_texts() -> None:
    text = "a\tb\nсервер 模型 🚀"
    made = make(args=[text], env=[{"name": "A", "value": text}], files=[file("/a", text)])
    assert made.args == [text]
    assert made.env[0].value == made.files[0].content == text


@pytest.mark.parametrize("name", ["replica", "model", "Replicas", "deleted_at", "namespace", "", "__class__"])
def test_an_unknown_parameter_is_refused_by_name(name: str) -> None:
    assert refusal(**{name: 1}) == [((name,), "Is not a known parameter.")]


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ({"env": env("A", "B", "A")}, ("env",), "A stands twice."),
        ({"files": [file("/a"), file("/a", "x")]}, ("files",), "/a stands twice."),
        ({"files": [file("/a/b"), file("/a")]}, ("files",), "/a/b lies inside another file."),
        ({"files": [file("/dev/shm")]}, ("files",), "/dev/shm is the place of the shared memory."),
        ({"cpu_request": "2", "cpu_limit": "1500m"}, ("cpu_request",), "Is more than the limit of 1500m."),
        ({"memory_request": "1Gi", "memory_limit": "1G"}, ("memory_request",), "Is more than the limit of 1G."),
        ({"llm": ""}, ("llm",), "The runtime vLLM needs an LLM to serve."),
        ({"runtime": "custom"}, ("image",), "A custom runtime needs an image."),
    ],
)
def test_what_does_not_hang_together_is_shown_beside_one_field(fields: dict[str, Any], path: Path, said: str) -> None:
    assert refusal(**fields) == [(path, said)]


def test_every_problem_is_told_at_once() -> None:
    assert set(refused_at(gpus=-1, port=0, args=[""], nope=1)) == {("gpus",), ("port",), ("args", 0), ("nope",)}


def test_rules_about_several_fields_are_all_told_and_with_those_about_one() -> None:
    crossed = {"runtime": "custom", "cpu_request": "2", "cpu_limit": "1", "env": env("A", "A", "B", "B")}
    said = [
        (("env",), "A stands twice."),
        (("env",), "B stands twice."),
        (("image",), "A custom runtime needs an image."),
        (("cpu_request",), "Is more than the limit of 1."),
    ]
    assert refusal(**crossed) == said
    one = (("port",), "Must be greater than or equal to 1.")
    assert specs.all_problems(crossed | {"port": 0}) == [one, *said]
    assert specs.all_problems({"llm": "a/b"}) == []


def test_a_field_that_is_wrong_by_itself_has_no_second_problem() -> None:
    wrong = {"llm": "a b", "cpu_request": "2", "cpu_limit": "one", "files": [file("a"), file("/dev/shm")]}
    assert [path for path, _ in specs.all_problems(wrong)] == [("llm",), ("cpu_limit",), ("files", 0, "path")]
    assert [path for path, _ in specs.all_problems({"runtime": "ollama", "port": 0})] == [("runtime",), ("port",)]


def test_a_missing_part_and_a_wrong_value_are_told_in_words() -> None:
    assert refusal(env=[{"value": "x"}]) == [(("env", 0, "name"), "Is missing.")]
    assert refusal(cpu_limit="one") == [(("cpu_limit",), "'one' is not a quantity such as 500m, 2 or 16Gi.")]
    [(_, said)] = refusal(restarted_at="yesterday")
    assert said.startswith("Must be a valid datetime")


# What follows no pattern, and how the sentence about it begins and ends: the rule, and an example that follows it.
WRITTEN: list[tuple[str, Any, str, str]] = [
    ("llm", "Qwen", "Must be owner/name as on the hub", "Qwen/Qwen3-8B"),
    ("image", "A b", "Must be an image as container tools write it", "ghcr.io/team/vllm:1.2"),
    ("gpu_resource", "gpu", "Must be domain/resource", "nvidia.com/mig-1g.10gb"),
    ("gpu_type", "H 100", "Must be a product label", "NVIDIA-H100-80GB-HBM3"),
    ("health_path", "health", "Must begin with a slash", "/health"),
    ("node_selector", {"a b": "c"}, "A label's key is", "example.com/pool"),
    ("node_selector", {"a": "b c"}, "A label's value is", "eu-west-1"),
    ("env", env("1A"), "A variable's name has letters", "HF_HOME"),
    ("files", [file("a")], "A file's path begins with a slash", "/etc/vllm/chat.jinja"),
]


@pytest.mark.parametrize(("name", "value", "begins", "example"), WRITTEN)
def test_a_text_that_is_written_otherwise_is_told_the_rule_and_an_example(
    name: str, value: Any, begins: str, example: str
) -> None:
    [(path, said)] = refusal(**{name: value})
    assert path[0] == name
    assert said.startswith(begins)
    assert said.endswith(f" {example}.")
    right: dict[str, Any] = {
        "node_selector": {example: "x"} if "key" in said else {"x": example},
        "env": env(example),
        "files": [file(example)],
    }
    make(**{name: right.get(name, example)})


def test_every_text_of_the_json_schema_says_what_it_refuses() -> None:
    def bare(schema: Any, name: str) -> set[str]:
        if isinstance(schema, list):
            return set().union(*(bare(part, name) for part in schema))
        if not isinstance(schema, dict):
            return set()
        own = (
            {name}
            if schema.get("type") == "string" and not schema.keys() & {"pattern", "enum", "const", "format"}
            else set()
        )
        return own.union(*(bare(part, key) for key, part in schema.items()))

    quantities = {"cpu_request", "cpu_limit", "memory_request", "memory_limit", "shared_memory"}
    assert bare(Spec.model_json_schema(), "") == quantities


def test_every_pattern_stands_in_the_json_schema_and_says_its_rule() -> None:
    def patterns(schema: Any) -> set[str]:
        if isinstance(schema, list):
            return set().union(*map(patterns, schema))
        if not isinstance(schema, dict):
            return set()
        own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
        return own.union(schema.get("patternProperties", {}), *map(patterns, schema.values()))

    said = {found for kind in (Spec, specs.EnvVar, specs.ConfigFile) for found in written(kind)}
    assert len(said) == len(WRITTEN) - 1, "the pattern of a GPU type is that of a label's value"
    assert patterns(Spec.model_json_schema()) >= said


def written(kind: type[Any]) -> set[str]:
    """The patterns of a model that carry a sentence."""
    return {rule.pattern for info in kind.model_fields.values() for rule in written_rules(info)}


def written_rules(info: Any) -> list[rules.Written]:
    inner = [one for key_or_value in get_args(info.annotation) for one in getattr(key_or_value, "__metadata__", ())]
    return [one for one in (*info.metadata, *inner) if isinstance(one, rules.Written)]


@pytest.mark.parametrize("empty", ["", None])
def test_image_and_port_left_out_are_kept_as_the_runtimes_own(empty: str | None) -> None:
    made = make(image=empty, port=None) if empty is not None else make()
    assert (made.image, made.port) == ("vllm/vllm-openai:v0.21.0", 8000)
    assert specs.dump(made)["image"] == "vllm/vllm-openai:v0.21.0"
    assert Spec.model_validate({"runtime": "custom", "image": "a/b"}).port == 8080


@pytest.mark.parametrize(
    "image",
    ["a", "gpt-4", "registry.example.com/team/gpt-4:1", "localhost:5000/a/b_c.d--e:V1.0", f"a@sha256:{'0' * 64}",
     f"ghcr.io/a/b:1@sha256:{'a' * 64}"],
)  # fmt: skip
def test_an_image_is_written_as_container_tools_write_it(image: str) -> None:
    assert make(image=image).image == image


@pytest.mark.parametrize("text", ["1", "500m", "0.5", ".5", "16Gi", "1e3", "1E-3", "2E", "1Ei", "3k", "100n"])
def test_quantities_may_have_every_suffix_of_kubernetes(text: str) -> None:
    assert make(memory_limit=text).memory_limit == text


@pytest.mark.parametrize("given", [5, 0, True, "2026-07-01T10:00:00", "yesterday", [], "2026-07-01"])
def test_a_time_is_written_with_its_zone(given: Any) -> None:
    assert refused_at(restarted_at=given) == [("restarted_at",)]


def test_a_text_that_is_too_long_is_counted_in_characters() -> None:
    assert refusal(args=["x" * 2001]) == [(("args", 0), "Must have at most 2,000 characters.")]
    assert refusal(env=[{"name": "A", "value": "x" * 8193}]) == [
        (("env", 0, "value"), "Must have at most 8,192 characters.")
    ]
    assert refusal(command=["x"] * 51) == [(("command",), "Must have at most 50 entries.")]


def test_stopped_wants_no_replicas_and_remembers_them() -> None:
    stopped = make(replicas=3, gpus=2, running=False)
    assert (stopped.wanted, stopped.replicas) == (0, 3)
    assert make(replicas=3, gpus=2).wanted == 3


def test_every_parameter_has_what_a_form_needs() -> None:
    for name, field in Spec.model_fields.items():
        if name != "version":
            assert field.title, name
            assert isinstance(field.json_schema_extra, dict)
            assert field.json_schema_extra["section"] in {"llm", "hardware", "scaling", "exposure", "environment"}


def test_a_spec_does_not_change() -> None:
    with pytest.raises(ValidationError):
        make().replicas = 2  # type: ignore[misc]


@given(WISHES)
def test_a_spec_reads_back_as_it_was_written(wish: dict[str, Any]) -> None:
    made = make(**wish)
    stored = specs.dump(made)
    assert specs.load(stored) == made
    assert specs.dump(specs.load(stored)) == stored
    assert stored.keys() == Spec.model_fields.keys()
