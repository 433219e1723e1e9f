from django.apps import AppConfig
from django.urls import register_converter

from deployments.converters import KeptAs


class DeploymentsConfig(AppConfig):
    name = "deployments"
    verbose_name = "Deployments"

    def ready(self) -> None:
        """Make the parts of addresses known before the addresses are read."""
        register_converter(KeptAs, "kept")
