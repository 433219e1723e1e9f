"""What pods on hollow nodes are lent: an address and the cards of a node. No input or output."""

from __future__ import annotations

from typing import Any

from llmdash.sandbox.hollow import dcgm, names
from llmdash.sandbox.hollow.nodes import Machine
from llmdash.sandbox.hollow.plan import PodPlan

Json = dict[str, Any]
Cards = tuple[tuple[str, int], ...]


class Addresses:
    """Unique pod addresses ``10.244.{node}.{2 to 254}``; nothing dials them."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def lend(self, machine: Machine, pod: Json) -> str:
        """The address that the pod's status shows, or else the lowest free one of its node."""
        uid, shown = pod["metadata"]["uid"], (pod.get("status") or {}).get("podIP")
        if shown and shown.startswith("10.244.") and self._taken.get(shown, uid) == uid:
            self._taken[shown] = uid
            return str(shown)
        for last in range(2, 255):
            address = f"10.244.{machine.index}.{last}"
            if address not in self._taken:
                self._taken[address] = uid
                return address
        return f"10.244.{machine.index}.255"

    def give_back(self, address: str, uid: str) -> None:
        if self._taken.get(address) == uid:
            del self._taken[address]


class CardTable:
    """Which pod holds which card of which node; a pod keeps its cards for life."""

    def __init__(self) -> None:
        self._holders: dict[tuple[str, str, int], str] = {}

    def lend(self, machine: Machine, pod: Json, plan: PodPlan) -> Cards:
        """The cards named by the pod's annotation, or else the lowest free ones."""
        uid, node = pod["metadata"]["uid"], machine.place.name
        written = (pod["metadata"].get("annotations") or {}).get(names.GPUS, "")
        wanted = [int(index) for index in written.split(",") if index.strip().isdigit()]
        cards: list[tuple[str, int]] = []
        for resource, count in plan.devices.items():
            there = [card.index for card in dcgm.cards(machine.place) if card.resource == resource]
            free = [index for index in there if self._holders.get((node, resource, index), uid) == uid]
            chosen = [index for index in wanted[:count] if index in free]
            wanted = wanted[count:]
            chosen += [index for index in free if index not in chosen][: count - len(chosen)]
            cards += [(resource, index) for index in sorted(chosen)]
        for resource, index in cards:
            self._holders[(node, resource, index)] = uid
        return tuple(cards)

    def give_back(self, uid: str) -> None:
        self._holders = {card: holder for card, holder in self._holders.items() if holder != uid}
