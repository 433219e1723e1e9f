"""The admin pages of people, groups, second factors and API tokens."""

from typing import TYPE_CHECKING, Any

# Imported so that they have registered before they are replaced below.
import allauth.account.admin
import allauth.mfa.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from deployments.admin.audited import AuditedAdmin, ModelForm, ReadOnlyAdmin, StackedInline, note
from deployments.models import Membership
from llmdash.accounts.models import ApiToken, User
from llmdash.accounts.services import revoke_token

if TYPE_CHECKING:  # generic for the type checker only
    BaseUserAdmin = DjangoUserAdmin[User]
else:
    BaseUserAdmin = DjangoUserAdmin

for replaced in (Group, EmailAddress, Authenticator):
    admin.site.unregister(replaced)


class MembershipInline(StackedInline):
    """The projects of a user or a group, with the role there."""

    model = Membership
    fields = ("project", "role")
    extra = 0
    verbose_name_plural = "projects"


@admin.register(User)
class UserAdmin(AuditedAdmin, BaseUserAdmin):
    """People. A platform admin cannot shut themselves out."""

    shown = ("username", "first_name", "last_name", "email", "is_active", "is_superuser", "groups")
    list_display = ("username", "email", "first_name", "last_name", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active", "groups")
    filter_horizontal = ("groups",)
    readonly_fields = ("last_login", "date_joined")
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "is_superuser" and field:
            field.label, field.help_text = "Platform admin", "Opens this site; admin of every project and cluster."
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        own = ("is_active", "is_superuser") if obj is not None and obj.pk == request.user.pk else ()
        return (*self.readonly_fields, *own)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Roles are given once the person exists."""
        return self.inlines if obj else ()

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        if obj.pk == request.user.pk:
            raise PermissionDenied("Nobody removes themselves.")
        super().delete_model(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == 302:
                note(request, "set password", User.objects.get(pk=id))
        return response


class GroupForm(ModelForm):
    """A name and the people who are in it."""

    members = forms.ModelMultipleChoiceField(
        User.objects.all(), required=False, widget=FilteredSelectMultiple("members", is_stacked=False)
    )

    class Meta:
        model = Group
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["members"] = list(self.instance.user_set.all())


@admin.register(Group)
class GroupAdmin(AuditedAdmin):
    """Groups: a role given to a group is held by all its members."""

    form = GroupForm
    shown = ("name", "members")
    search_fields = ("name",)
    inlines = (MembershipInline,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        super().save_related(request, form, formsets, change)
        form.instance.user_set.set(form.cleaned_data["members"])


@admin.register(Authenticator)
class AuthenticatorAdmin(AuditedAdmin):
    """Second factors: seen without their secrets, removed for somebody who lost theirs."""

    list_display = fields = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__username",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """API tokens: seen without what is kept of their secrets, revoked for somebody whose token was lost."""

    list_display = ("name", "user", "prefix", "scope", "expires_at", "last_used_at", "revoked_at")
    fields = ("id", "name", "user", "prefix", "scope", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    list_filter = ("scope",)
    search_fields = ("name", "prefix", "user__username")
    actions = ("revoke",)

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """End them at once, each with an audit entry."""
        for token in queryset:
            revoke_token(token=token, by=request.user)  # type: ignore[arg-type]  # the site lets nobody else in
        self.message_user(request, "Revoked.")
