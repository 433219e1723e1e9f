"""What the scheduler says of a pod that no node takes. Pure.

Its words: https://github.com/kubernetes/kubernetes/tree/master/pkg/scheduler/framework/plugins
"""

import re

MISMATCH = "didn't match Pod's node affinity/selector"
NO_VICTIMS = "No preemption victims found"
CLOSED = ("node(s) were unschedulable", "taint")
UNHELPFUL = "Preemption is not helpful"


def lacking(message: str) -> list[str]:
    """The resources that keep a pod off every node that it might have: those that lack on all of these, or all that
    lack, where no single one does. Each node is counted once among the other reasons, and once for each resource."""
    total = re.match(r"0/(\d+) nodes are available:", message)
    told = message.split("preemption:", maxsplit=1)[0]
    counts = {name: int(number) for number, name in re.findall(r"(\d+) Insufficient ([\w./-]+\w)", told)}
    others = sum(int(number) for number in re.findall(r"(\d+) (?:node\(s\)|Too many pods)", told))
    might = int(total[1]) - others if total else 0
    return [name for name, number in counts.items() if number >= might] or list(counts)


def is_too_large(message: str) -> bool:
    """Whether no node could hold the pod if it were empty: then there is nobody whose removal would help. Of nodes that
    are cordoned or tainted that is not known."""
    helpless = UNHELPFUL in message and NO_VICTIMS not in message
    return "Insufficient" in message and helpless and not any(word in message for word in CLOSED)


def is_mismatch(message: str) -> bool:
    """Whether no node is meant at all. With a GPU type wanted the scheduler says it of the others, beside what the
    right ones lack."""
    return MISMATCH in message and "Insufficient" not in message
