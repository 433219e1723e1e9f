"""Writing a row whose name must be its own."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction


def save(row: models.Model, said: str | dict[str, str], **how: Any) -> None:
    """Write it, as `Model.save` does. Raises ValidationError with what is to be said when somebody took its name at
    this very moment: between the check of the row and its insertion another one may come."""
    try:
        with transaction.atomic():
            row.save(**how)
    except IntegrityError as error:
        raise ValidationError(said) from error
