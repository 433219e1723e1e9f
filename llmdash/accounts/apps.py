from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "llmdash.accounts"
    label = "accounts"
    verbose_name = "Users and groups"

    def ready(self) -> None:
        """Register the system checks, once the settings and all apps are there."""
        from llmdash import checks  # noqa: F401, PLC0415
