"""The admin site: for platform admins only, entered by the same sign-in as every page."""

from functools import wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import slugify

# The admin's front page, by what a person looks for; a model that stands nowhere is listed last.
SECTIONS: dict[str, tuple[str, ...]] = {
    "People": ("User", "Group", "Authenticator", "ApiToken"),
    "Clusters and projects": ("Cluster", "Project"),
    "Recorded": ("AuditEntry", "Deployment", "Revision", "AppliedObject", "SecretValue"),
    "Seen in the clusters": ("ClusterStatus", "NodeStatus", "DeploymentStatus"),
}
LABELS = {"Authenticator": "Second factors", "NodeStatus": "Node statuses", "SecretValue": "Secrets"}


class AdminSite(admin.AdminSite):
    """`is_superuser` opens it; `is_staff` alone does not."""

    site_title = "llmdash admin"
    site_header = "llmdash admin"
    index_title = "Users, clusters and projects"
    site_url = "/"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return bool(user.is_authenticated and user.is_active and user.is_superuser)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  (Django's signature)
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            self.refuse_others(request)
            response: HttpResponseBase = inner(request, *args, **kwargs)
            return response

        return guarded

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Our own sign-in, with its limits and second factor; Django's form is never shown."""
        self.refuse_others(request)
        if self.has_permission(request):
            return redirect("admin:index")
        response: HttpResponseBase = secure_admin_login(super().login)(request, extra_context)
        return response

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """The models by section instead of by the package that they come from."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = {model["object_name"]: model for app in apps for model in app["models"]}
        for name, label in LABELS.items():
            models[name]["name"] = label
        placed = [(title, [models.pop(name) for name in names if name in models]) for title, names in SECTIONS.items()]
        return [section(title, found) for title, found in (*placed, ("Other", list(models.values()))) if found]

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The page that everybody changes their password on."""
        return redirect("account_change_password")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Out, and to the one sign-in."""
        super().logout(request, extra_context)
        return redirect("account_login")

    def refuse_others(self, request: HttpRequest) -> None:
        """403 for somebody who is signed in and is no platform admin."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied("The admin site is for platform admins.")


def section(title: str, models: list[Any]) -> dict[str, Any]:
    """A part of the front page, in the shape that Django's templates read."""
    return {
        "name": title,
        "app_label": slugify(title),
        "app_url": reverse("admin:index"),
        "has_module_perms": True,
        "models": models,
    }
