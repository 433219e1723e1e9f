"""Writing a row whose name must be its own."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

UNIQUE = ("unique", "unique_together")


def clean(row: models.Model, taken: dict[str, str], *, exclude: Sequence[str] = ()) -> None:
    """Judge it, as `Model.full_clean` does. What another row has already is said in the words of `taken`, by field; a
    rule about several fields beside the last of these. Of a text that is too long by several rules, one tells it."""
    try:
        row.full_clean(exclude=exclude)
    except ValidationError as error:
        found: dict[str, list[ValidationError]] = {}
        for name, several in error.error_dict.items():
            for one in several:
                field = name if name in taken or one.code not in UNIQUE else list(taken)[-1]
                said = ValidationError(taken[field], code="unique") if one.code in UNIQUE else one
                found.setdefault(field, []).append(said)
        raise ValidationError({name: several[-1:] for name, several in found.items()}) from error


def save(row: models.Model, said: dict[str, str], **how: Any) -> None:
    """Write it, as `Model.save` does. Raises ValidationError with what is to be said when somebody took its name at
    this very moment: between the check of the row and its insertion another one may come."""
    try:
        with transaction.atomic():
            row.save(**how)
    except IntegrityError as error:
        raise ValidationError({name: ValidationError(text, code="unique") for name, text in said.items()}) from error
