"""Many people sign in here: their passwords are hashed quickly."""

from typing import Any

import pytest
from django.test import Client

from llmdash.accounts.models import User
from tests import stage


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def boss(db: None) -> User:
    """A platform admin, who is no `is_staff`: that flag opens nothing."""
    return stage.user("boss", is_superuser=True)


@pytest.fixture
def office(boss: User) -> Client:
    """The platform admin's browser."""
    client = Client()
    client.force_login(boss)
    return client
