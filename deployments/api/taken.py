"""What must be a row's own and another one has: a conflict, not a bad value."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError

from deployments import services


class Taken(services.Refused):
    """Another row has this name, or another project this namespace of the cluster. `errors` say where."""

    code = "taken"

    def __init__(self, errors: list[tuple[tuple[str, ...], str]]) -> None:
        super().__init__(" ".join(text for _, text in errors))
        self.errors = errors


@contextmanager
def unless_taken() -> Iterator[None]:
    """Taken, when that is all that is wrong."""
    try:
        yield
    except ValidationError as error:
        found = [(name, one) for name, several in error.error_dict.items() for one in several]
        if all(one.code == "unique" for _, one in found):
            raise Taken([((name,), " ".join(one.messages)) for name, one in found]) from error
        raise
