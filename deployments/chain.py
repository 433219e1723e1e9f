"""The chain of the audit: each entry holds a digest over itself and over entries before it, so that one that is
changed, removed or put in later shows.

Acts that happen at the same time do not wait for each other: the chain may fork, and the next entry takes up every end
that it sees. Whoever may write the whole table can write another chain; who keeps the newest digest elsewhere can tell.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from deployments.models import AuditEntry

WINDOW = 200  # how far back an entry looks for ends; of more acts at the same time some may not be taken up
REMEMBERED = 10_000  # digests that verifying keeps at hand
CHUNK = 1000


def link(entry: AuditEntry) -> None:
    """Take up the ends that this transaction sees, and write the digest. Save afterwards."""
    seen = dict(AuditEntry.objects.order_by("-id").values_list("id", "parents")[:WINDOW])
    taken_up = {parent for parents in seen.values() for parent in parents}
    first = min(taken_up, default=max(seen, default=0))  # what is before the chain stays out of it
    entry.parents = sorted(pk for pk in seen.keys() - taken_up if pk >= first)
    parents = AuditEntry.objects.filter(pk__in=entry.parents).order_by("id")
    entry.digest = digest_of(entry, [digest_held(one) for one in parents])


def digest_of(entry: AuditEntry, before: list[str]) -> str:
    """SHA-256 over what happened and the digests of the parents, 64 hex digits."""
    told = [
        entry.at.astimezone(UTC).isoformat(), entry.actor_name, entry.action, entry.target_kind, entry.target_id,
        entry.target_name, plain(entry.detail), entry.request_id, entry.parents, before,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def digest_held(entry: AuditEntry) -> str:
    """An entry's digest; of one that has none, because an older llmdash wrote it, a digest of what it says."""
    return entry.digest or digest_of(entry, [])


def plain(value: Any) -> Any:
    """JSON whose numbers every database gives back alike: 1.0 and 1e22 are 1 and 10000000000000000000000."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass
class Verdict:
    """What `verify` found. `faults` are sentences; `older` is how many entries are from before there was a chain;
    `ends` are the digests that no later entry holds, usually one."""

    entries: int = 0
    older: int = 0
    ends: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def verify() -> Verdict:
    """Look at every entry. Acts may go on meanwhile: what comes after the newest entry of now is left out."""
    verdict, known, loose = Verdict(), dict[int, str](), dict[int, int]()
    newest = AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    for entry in AuditEntry.objects.filter(id__lte=newest).order_by("id").iterator(chunk_size=CHUNK):
        verdict.entries += 1
        if entry.digest:
            verdict.faults += faults(entry, known)
        if not (entry.digest or loose):
            verdict.older += 1
        else:
            loose[entry.pk] = verdict.entries
        for parent in entry.parents:
            loose.pop(parent, None)
        known[entry.pk] = digest_held(entry)
        if len(known) > REMEMBERED:
            del known[next(iter(known))]
    for pk, place in loose.items():
        if verdict.entries - place >= WINDOW:
            verdict.faults.append(f"Entry {pk} was put in later: no entry after it knows it.")
        else:
            verdict.ends.append(known[pk])
    return verdict


def faults(entry: AuditEntry, known: dict[int, str]) -> Iterator[str]:
    """What is wrong with an entry, given the digests of those before it."""
    missing = [parent for parent in entry.parents if parent not in known]
    for parent in missing:
        yield f"Entry {parent} is gone: entry {entry.pk} was written after it."
    if not missing and entry.digest != digest_of(entry, [known[parent] for parent in entry.parents]):
        yield f"Entry {entry.pk} or one that it was written after was changed."
