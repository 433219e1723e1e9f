"""What the admin pages share: an audit entry with each change, and pages that only show."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.http import HttpRequest

from deployments import audit
from deployments.choices import Action
from deployments.models import Project

if TYPE_CHECKING:  # generic for the type checker only
    ModelAdmin = admin.ModelAdmin[Any]
    StackedInline = admin.StackedInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin, StackedInline, ModelForm = admin.ModelAdmin, admin.StackedInline, forms.ModelForm

HIDDEN = "(not shown)"


class AuditedAdmin(ModelAdmin):
    """Writes an audit entry in the transaction of the change. Values of fields outside `shown` are never written."""

    shown: ClassVar[tuple[str, ...]] = ()
    save_on_top = False
    list_per_page = 50

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        found = changes_of(form, self.shown)
        if found or not change:
            action = Action.CHANGE if change else Action.ADD
            audit.record(request.user, action, obj, project=project_of(obj), changes=found)  # type: ignore[arg-type]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001
        for gone in formset.deleted_forms:
            if gone.instance.pk:
                note(request, Action.REMOVE, gone.instance)
        super().save_formset(request, form, formset, change)
        for row in formset.forms:
            if row.has_changed() and row not in formset.deleted_forms:
                action = Action.ADD if row in formset.extra_forms else Action.CHANGE
                note(request, action, row.instance, changes=changes_of(row, ("project", "user", "group", "role")))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        note(request, Action.REMOVE, obj, **self.goes_too(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.delete_model(request, obj)

    def goes_too(self, obj: Any) -> dict[str, Any]:
        """What else of weight goes with a row, for its audit entry."""
        memberships = obj.membership_set.all() if hasattr(obj, "membership_set") else ()
        return {"memberships": [str(row) for row in memberships]} if memberships else {}

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A row's own records go with it, although their admin pages only show them."""
        listed, counts, _, protected = super().get_deleted_objects(objs, request)
        return listed, counts, set(), protected


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows that other parts write."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def note(request: HttpRequest, action: str, obj: models.Model, **detail: Any) -> None:
    """An audit entry about a row; one of a project names the project, unless it is the project that goes."""
    project = None if action == Action.REMOVE and isinstance(obj, Project) else project_of(obj)
    audit.record(request.user, action, obj, project=project, **detail)  # type: ignore[arg-type]


def project_of(obj: models.Model) -> Project | None:
    """The project that a row is, or belongs to."""
    return obj if isinstance(obj, Project) else getattr(obj, "project", None)


def changes_of(form: forms.BaseForm, shown: Iterable[str]) -> list[dict[str, Any]]:
    """The fields that differ, in the shape of `difference.changes`; the values only of those in `shown`."""
    found = []
    for name in form.changed_data:
        if name in shown:
            before, after = form.initial.get(name), form.cleaned_data.get(name)
            related = getattr(form.fields[name], "queryset", None)
            found.append({"field": name, "before": plain(before, related), "after": plain(after, related)})
        else:
            found.append({"field": name, "before": None, "after": HIDDEN})
    return found


def plain(value: Any, related: models.QuerySet[Any] | None = None) -> Any:
    """A JSON value for people: rows by their names."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, list | tuple | set | models.QuerySet):
        return sorted(str(plain(one, related)) for one in value)
    if related is not None:
        return str(related.filter(pk=value).first() or value)
    return str(value)
