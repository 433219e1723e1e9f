from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "llmdash.accounts"
    label = "accounts"
    verbose_name = "Users and groups"
