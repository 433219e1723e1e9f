"""A spec as it was sent: all that is wrong with it, the installation's limits among it."""

from typing import Any

from pydantic import ValidationError as SpecInvalid

from deployments import spec as specs
from deployments.revisions import limits
from deployments.services.refusals import SpecRefused
from deployments.spec import Spec


def problems_of(given: dict[str, Any]) -> list[specs.Problem]:
    """All that is wrong with a spec as it was sent, the installation's limits with it: where one is exceeded the spec's
    own wider bound is no news."""
    over = specs.over_limits(given, limits())
    told = {path for path, _ in over}
    return [found for found in specs.all_problems(given) if found[0] not in told] + over


def read_spec(given: dict[str, Any]) -> Spec:
    """A spec as it was sent. Raises SpecRefused when it is none; one that is, is checked as it is saved."""
    try:
        return Spec.model_validate(given)
    except SpecInvalid as error:
        raise SpecRefused(problems_of(given)) from error
