"""The page of an act: GET asks, POST does it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render

from deployments import services
from deployments.forms.seen import new_key
from deployments.views.common import Request

ACT = "deployments/act.html"
SENT_BEFORE = "This form was sent before with other values, which are saved. Send it again to save these."
Done = tuple[str, str]  # where to go, and what to say there


def ask(
    request: Request, form: Form, act: Callable[[], Done], page: dict[str, Any], *, template: str = ACT
) -> HttpResponse:  # fmt: skip
    """Show the form, or act and go on; what is refused is said beside the field or on top. `page` is the template's
    context, with `back`, where an act that changes nothing leads."""
    if request.method == "POST" and form.is_valid():
        try:
            url, sentence = act()
            messages.success(request, sentence)
            return redirect(url)
        except services.NothingChanged as unchanged:
            messages.info(request, str(unchanged))
            return redirect(page["back"])
        except services.KeyReused:
            form.retype(idempotency_key=new_key())  # type: ignore[attr-defined]  # only such a form has one
            form.add_error(None, SENT_BEFORE)
        except services.Refused as refused:
            form.add_error(None, str(refused))
        except ValidationError as invalid:
            refuse(form, invalid)
    return render(request, template, page | {"form": form}, status=422 if form.errors else 200)


def refuse(form: Form, invalid: ValidationError) -> None:
    """A row's faults beside the form's fields."""
    found = invalid.message_dict if hasattr(invalid, "error_dict") else {NON_FIELD_ERRORS: invalid.messages}
    for name, texts in found.items():
        for text in texts:
            form.add_error(name if name in form.fields else None, text)
