"""Puts our admin site in the place of Django's. Apart from `apps.py`: a module has one app to offer."""

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    """Django's admin with our own site."""

    default_site = "llmdash.accounts.site.AdminSite"
