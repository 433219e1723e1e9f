"""The chain of the audit: whatever is done to it afterwards shows."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from deployments import audit, chain
from deployments.models import AuditEntry, Cluster
from tests import stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def target() -> Cluster:
    return stage.cluster()


def write(target: Cluster, number: int, **detail: Any) -> list[int]:
    return [audit.record(None, "change cluster", target, number=n, **detail).pk for n in range(number)]


def test_every_entry_holds_the_one_before_it(target: Cluster) -> None:
    first, second, third = write(target, 3)
    parents = dict(AuditEntry.objects.values_list("pk", "parents"))
    assert (parents[first], parents[second], parents[third]) == ([], [first], [second])
    found = chain.verify()
    assert (found.entries, found.older, found.faults) == (3, 0, [])
    assert found.ends == [AuditEntry.objects.get(pk=third).digest]


@pytest.mark.parametrize(
    "change",
    [
        {"detail": {"number": 7}}, {"actor_name": "somebody"}, {"action": "delete"}, {"target_id": "x"},
        {"target_name": "x"}, {"target_kind": "x"}, {"request_id": "x"}, {"parents": []}, {"digest": "0" * 64},
        {"at": F("at") + timedelta(hours=1)},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
@pytest.mark.parametrize("place", [1, 3])
def test_a_changed_entry_is_named(target: Cluster, change: dict[str, Any], place: int) -> None:
    made = write(target, 4)
    AuditEntry.objects.filter(pk=made[place]).update(**change)
    assert any(f"Entry {made[place]} or one" in fault for fault in chain.verify().faults)


def test_a_removed_entry_is_named(target: Cluster) -> None:
    made = write(target, 4)
    AuditEntry.objects.filter(pk=made[1]).delete()
    assert chain.verify().faults == [f"Entry {made[1]} is gone: entry {made[2]} was written after it."]


def test_an_entry_that_was_put_in_later_is_named(target: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "WINDOW", 5)
    first, second, *_ = write(target, 8)
    forged = AuditEntry.objects.get(pk=second)
    forged.pk = AuditEntry.objects.latest("id").pk + 1
    forged.parents = [first]
    forged.digest = chain.digest_of(forged, [AuditEntry.objects.get(pk=first).digest])
    forged.save(force_insert=True)
    later = [forged.pk + n for n in range(1, 7)]
    monkeypatch.setattr(chain, "link", lambda entry: honest(entry, forged.pk))
    write(target, 6)
    assert later == list(AuditEntry.objects.filter(id__gt=forged.pk).order_by("id").values_list("id", flat=True))
    assert f"Entry {forged.pk} was put in later: no entry after it knows it." in chain.verify().faults


def honest(entry: AuditEntry, forged: int) -> None:
    """As `link` would have done without the forged entry."""
    before = AuditEntry.objects.exclude(pk=forged).latest("id")
    entry.parents = [before.pk]
    entry.digest = chain.digest_of(entry, [before.digest])


def test_acts_at_the_same_time_fork_the_chain_and_the_next_takes_up_both(target: Cluster) -> None:
    first, second, third = write(target, 3)
    fork = AuditEntry.objects.get(pk=third)
    fork.parents = [first]  # it did not see the second, which was not committed yet
    fork.digest = chain.digest_of(fork, [AuditEntry.objects.get(pk=first).digest])
    fork.save()
    assert len(chain.verify().ends) == 2
    [fourth] = write(target, 1)
    assert AuditEntry.objects.get(pk=fourth).parents == [second, third]
    found = chain.verify()
    assert (found.faults, len(found.ends)) == ([], 1)


def test_entries_from_before_the_chain_stay_out_of_it_and_the_newest_is_held(target: Cluster) -> None:
    old = write(target, 3)
    AuditEntry.objects.update(parents=[], digest="")
    [new, newer] = write(target, 2)
    assert AuditEntry.objects.get(pk=new).parents == [old[-1]]
    assert AuditEntry.objects.get(pk=newer).parents == [new]
    assert (chain.verify().older, chain.verify().faults) == (3, [])
    AuditEntry.objects.filter(pk=old[-1]).update(actor_name="somebody")
    assert chain.verify().faults == [f"Entry {new} or one that it was written after was changed."]


def test_an_older_llmdash_that_still_runs_is_taken_up(target: Cluster) -> None:
    write(target, 2)
    [old] = write(target, 1)
    AuditEntry.objects.filter(pk=old).update(parents=[], digest="")
    [new] = write(target, 1)
    assert old in AuditEntry.objects.get(pk=new).parents
    assert chain.verify().faults == []


@pytest.mark.parametrize("value", [1.0, 1e22, 0.1, 1e-7, -0.0, "ü\u2028", [1, {"b": None, "a": [True]}], 10**30])
def test_what_the_database_gives_back_has_the_same_digest(target: Cluster, value: Any) -> None:
    write(target, 2, value=value)
    assert chain.verify().faults == []


def test_the_command_prints_the_newest_digest_or_fails(target: Cluster) -> None:
    said = StringIO()
    made = write(target, 2)
    call_command("verify_audit", stdout=said)
    assert (
        said.getvalue() == f"2 entries are as they were written.\nnewest {AuditEntry.objects.get(pk=made[1]).digest}\n"
    )
    AuditEntry.objects.filter(pk=made[0]).update(actor_name="somebody")
    with pytest.raises(CommandError, match="2 entries: the audit is not as it was written"):
        call_command("verify_audit", stderr=StringIO())


def test_an_empty_audit_is_well(db: None) -> None:
    assert chain.verify() == chain.Verdict()
