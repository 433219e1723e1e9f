"""A spec as it was sent: all that is wrong with it, the installation's limits among it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError as SpecInvalid

from deployments import bounds
from deployments import spec as specs
from deployments.revisions import limits
from deployments.services.refusals import SpecRefused
from deployments.spec import Spec


def problems_of(given: dict[str, Any], kept: Mapping[str, Any] = MappingProxyType({})) -> list[specs.Problem]:
    """All that is wrong with a spec as it was sent, the bounds with it: where one is exceeded the spec's own wider one
    is no news. `kept` is what stands and may stay."""
    over = bounds.problems(given, limits(), kept)
    told = {path for path, _ in over}
    return [found for found in specs.all_problems(given) if found[0] not in told] + over


def read_spec(given: dict[str, Any]) -> Spec:
    """A spec as it was sent. Raises SpecRefused when it is none; one that is, is checked as it is saved."""
    try:
        return Spec.model_validate(given)
    except SpecInvalid as error:
        raise SpecRefused(problems_of(given)) from error
