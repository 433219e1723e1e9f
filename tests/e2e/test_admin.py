"""The admin pages: every one that a platform admin may open, wide in light colours and on a phone in dark ones."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model

from deployments.models import Deployment
from llmdash.accounts.choices import Scope
from llmdash.accounts.services import make_token
from tests.e2e import browser
from tests.e2e.conftest import Opener
from tests.e2e.test_pages import boss, person, served

__all__ = ["served"]  # a fixture
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def pages(model: type[Model]) -> list[str]:
    """The list of a model's rows, the form of a new one and the pages of one, whether or not one may open them."""
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    row = model._default_manager.first()
    of_one = [f"{base}{row.pk}/{act}/" for act in ("change", "delete", "history")] if row else []
    return [base, f"{base}add/", *of_one]


def test_admin_pages_fit_and_are_readable(served: Deployment, page_of: Opener, live_server: object) -> None:
    user = boss()
    Group.objects.create(name="ops").user_set.add(user)
    make_token(user=person(), name="ci", scope=Scope.READ)
    opened = (page_of(user, browser.WIDE, "light"), page_of(user, browser.PHONE, "dark"))
    hosts = [browser.others(page, str(live_server)) for page in opened]
    looked_at = ["/admin/", "/admin/deployments/", f"/admin/accounts/user/{user.pk}/password/"]
    looked_at += [address for model in admin.site._registry for address in pages(model)]
    seen = 0
    for address in looked_at:
        for page in opened:
            answer = page.goto(address)
            assert answer is not None
            if answer.status == 403:
                continue
            seen += 1
            assert answer.ok, address
            assert (browser.beyond(page), browser.barriers(page)) == ([], []), address
    assert seen > 60
    assert hosts == [[], []]
