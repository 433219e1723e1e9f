"""Requests that cannot be done, each with a code for programs and a sentence for people."""

from deployments.models import Revision


class Refused(Exception):
    """A request that cannot be done. `code` is for programs, the text for people."""

    code = "refused"


class NothingChanged(Refused):
    """The new spec equals the newest one, so no Revision was made."""

    code = "unchanged"


class Conflict(Refused):
    """Somebody else made a Revision in between. `newest` is the one that stands now."""

    code = "conflict"

    def __init__(self, newest: Revision) -> None:
        super().__init__(f"{newest.author_name} made revision {newest.number} in the meantime.")
        self.newest = newest


class BeingDeleted(Refused):
    """The Deployment is on its way out."""

    code = "deleting"


class KeyReused(Refused):
    """The idempotency key was used for another request."""

    code = "key-reused"


class SpecRefused(Refused):
    """The spec breaks rules; `problems` has the shape of `spec.problems`."""

    code = "invalid"

    def __init__(self, problems: list[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, path))}: {text}" for path, text in problems))
        self.problems = problems


class InUse(Refused):
    """Something that others still need cannot be removed."""

    code = "in-use"


class ClusterIsNewer(Refused):
    """The cluster holds a revision that the database does not know; a person has to choose before the next one."""

    code = "newer"


class Stale(Refused):
    """Somebody else changed the row since its form was opened."""

    code = "stale"


class LastAdmin(Refused):
    """A project would be left without an admin."""

    code = "last-admin"
