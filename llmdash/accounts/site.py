"""The admin site: for platform admins only, entered by the same sign-in as every page."""

from functools import wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect


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

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Out, and to the one sign-in."""
        super().logout(request, extra_context)
        return redirect("account_login")

    def refuse_others(self, request: HttpRequest) -> None:
        """403 for somebody who is signed in and is no platform admin."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied("The admin site is for platform admins.")
