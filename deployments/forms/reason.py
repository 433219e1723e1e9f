"""Why something was done."""

from typing import Any

from django import forms

from deployments.rules import readable


class ReasonField(forms.CharField):
    """A line that may stay empty, by the rules of REST."""

    def __init__(self, **more: Any) -> None:
        given = {"help_text": "Kept with the revision and in the audit."} | more
        super().__init__(max_length=500, required=False, **given)

    def run_validators(self, value: Any) -> None:
        super().run_validators(value)
        try:
            readable(value)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
