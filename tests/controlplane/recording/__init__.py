"""Writes down what a real API server answers, for the sandbox's imitation of one.

`record(folder)` runs a plane, drives it through what a dashboard meets, and leaves gzip'd JSON. Only what kubelets
say, which a control plane without any cannot, is transcribed from their source instead.
"""

import gzip
import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

from tests.controlplane.plane import ControlPlane
from tests.controlplane.recording import answers, discovery, errors, scenarios, tables
from tests.controlplane.recording.cluster import Cluster

README = """# Recorded from Kubernetes {version}

Recorded by `python -m tests.controlplane record {name}`
from an unmodified API server, controller manager and scheduler of {version} with default admission and RBAC.
Every file is JSON, gzip'd; none is written by hand. No kubelet ran: what kubelets say is transcribed from their
source and stands apart, under `kubelet`.

- `discovery.json.gz`: `paths`, path -> body, of `/version`, `/api`, `/apis` and each group-version; `aggregated`,
  the same for `/api` and `/apis` as `APIGroupDiscoveryList` v2.
- `openapi/index.json.gz`: `/openapi/v3`; `openapi/<path>.json.gz`, with `.` for `/`: documents of the common groups.
- `tables.json.gz`: `<group/version>/<plural>` -> `columns` (columnDefinitions) and, for kinds that had objects, `rows`
  with cells and the object they were made from.
- `messages.json.gz`: `events`, one Event of each reason and wording; `scheduling`, what a pod asked for and the
  condition that said why it did not fit; `histories`, each Deployment's statuses in the order they were seen;
  `statuses`, those of other kinds by path; `kubelet`, the wordings of its events and of waiting containers.
- `errors.json.gz`: name -> `request`, `code`, `headers` and `body` of refusals.
- `answers.json.gz`: the same of requests that succeed: apply, patches, scale, dry run, reviews, deletion, watch.
"""


def record(folder: Path) -> None:
    """Record everything into a folder; what an earlier recording left there is replaced."""
    with ControlPlane() as plane, Cluster(plane) as cluster:
        version = cluster.get("/version")["gitVersion"]
        messages = scenarios.play(cluster)
        recorded = {
            "messages": messages,
            "tables": tables.record(cluster),
            "answers": answers.record(cluster),
            "discovery": discovery.record(cluster),
            "errors": errors.record(cluster),
        }
        documents = discovery.documents(cluster)
    shutil.rmtree(folder / "openapi", ignore_errors=True)
    for name, content in {**recorded, **{f"openapi/{name}": body for name, body in documents.items()}}.items():
        write(folder / f"{name}.json.gz", content)
    (folder / "README.md").write_text(README.format(version=version, name=os.path.relpath(folder)), encoding="utf-8")
    total = sum(path.stat().st_size for path in folder.rglob("*.gz"))
    print(f"recorded Kubernetes {version}: {total / 1024:.0f} KiB in {folder}")


def write(path: Path, content: Any) -> None:
    """Compact JSON, the same bytes for the same content: no time or name in the gzip header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    # The scheduler signs with the name of the machine, which is nobody's business.
    text = text.replace(f"default-scheduler-{socket.gethostname()}", "default-scheduler-control-plane")
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
