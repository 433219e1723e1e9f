"""The YAML document of a deployment: `kind: LLMDeployment`, `apiVersion: llmdash.io/v1`.

`metadata` holds `name` and `project`, `spec` the parameters of the form, `drift_policy` what happens when others change
it. A secret of `env` stands by its name, `{name: HF_TOKEN, secret: {name: hf}}`, so that a document can go to another
project or installation: the newest version of that name is meant.
"""

import sys
from pathlib import Path
from typing import Any

from deployments.strictyaml import YamlRefused, load
from llmdash.cli.server import Failed, Row, Server

VERSION = "llmdash.io/v1"
DEPLOYMENT, PROJECT = "LLMDeployment", "Project"
MAX_BYTES = 5 * 1024 * 1024
KEYS = {
    DEPLOYMENT: {"apiVersion", "kind", "metadata", "spec", "drift_policy"},
    PROJECT: {"apiVersion", "kind", "metadata", "spec"},
}
METADATA = {DEPLOYMENT: {"name", "project"}, PROJECT: {"name"}}


def of(server: Server, row: Row) -> Row:
    """The document of a deployment."""
    found = server("GET", f"/deployments/{row['id']}")
    stored = {secret["id"]: secret["name"] for secret in server.every(f"/projects/{row['project_id']}/secrets")}
    made = {
        "apiVersion": VERSION,
        "kind": DEPLOYMENT,
        "metadata": {"name": found["name"], "project": found["project"]},
        "spec": with_names(found["spec"], stored),
    }
    return made if found["drift_policy"] == "heal" else made | {"drift_policy": found["drift_policy"]}


def with_names(spec: Row, stored: dict[str, str]) -> Row:
    """A spec without what is not said in it, and with the names of secrets in place of their ids."""
    told = {key: value for key, value in spec.items() if value not in (None, "", [], {}) and key != "restarted_at"}
    if "env" in told:
        told["env"] = [
            {"name": var["name"], "secret": {"name": stored.get(var["secret"], var["secret"])}}
            if var.get("secret")
            else {"name": var["name"], "value": var.get("value", "")}
            for var in told["env"]
        ]
    return told


def with_ids(spec: Row, server: Server, project: Row) -> Row:
    """A spec as the API takes it. Raises Failed for a secret that the project does not have."""
    env = spec.get("env")
    if not isinstance(env, list):
        return spec
    return spec | {"env": [with_id(var, server, project) for var in env]}


def with_id(var: Any, server: Server, project: Row) -> Any:
    """One variable, its secret by id."""
    secret = var.get("secret") if isinstance(var, dict) else None
    if not isinstance(secret, dict) or set(secret) != {"name"}:
        return var
    name = str(secret["name"])
    found = list(server.every(f"/projects/{project['id']}/secrets", name=name))
    if not found:
        way = f"`llmdash secret {project['name']} {name}` writes it"
        raise Failed(f"Project {project['name']} has no secret {name}; {way}.")
    return var | {"secret": max(found, key=lambda row: row["version"])["id"]}


def read(file: str) -> list[Row]:
    """The documents of a file, `-` for standard input. Raises Failed with what is wrong with which."""
    try:
        raw = sys.stdin.buffer.read(MAX_BYTES + 1) if file == "-" else Path(file).read_bytes()
        if len(raw) > MAX_BYTES:
            raise Failed(f"{file} is longer than {MAX_BYTES // 1024**2} MiB.")
        found = [one for one in load(raw.decode("utf-8")) if one is not None]
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Failed(f"{file} is not UTF-8.") from error
    except YamlRefused as refused:
        raise Failed(f"{file}: {refused}") from refused
    if not found:
        raise Failed(f"{file} holds no document.")
    return [checked(one, f"{file}, document {place}") for place, one in enumerate(found, start=1)]


def checked(one: Any, where: str) -> Row:
    """A document of a kind that is known, with keys that are known. The server judges the rest."""
    if not isinstance(one, dict):
        raise Failed(f"{where} is no mapping.")
    kind = str(one.get("kind"))
    if one.get("apiVersion") != VERSION or kind not in KEYS:
        raise Failed(f"{where} is not of apiVersion {VERSION} and kind {' or '.join(KEYS)}.")
    metadata, spec = one.get("metadata"), one.get("spec")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not isinstance(spec, dict):
        raise Failed(f"{where} needs metadata with a name, and a spec.")
    unknown = sorted(set(map(str, one)) - KEYS[kind]) + sorted(set(map(str, metadata)) - METADATA[kind])
    if unknown:
        raise Failed(f"{where} holds {unknown[0]}, which is not known there.")
    return one
