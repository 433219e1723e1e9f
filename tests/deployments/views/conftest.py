"""Many people sign in here: their passwords are hashed quickly."""

from typing import Any

import pytest

from tests.deployments.views.people import Team, team


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(name="team")
def a_team(db: None) -> Team:
    return team()
