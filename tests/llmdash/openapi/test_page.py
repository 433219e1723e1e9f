"""The page that shows the OpenAPI document."""

import json
import subprocess
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from llmdash.accounts import services
from llmdash.accounts.choices import Scope
from llmdash.openapi import document, reading
from tests import stage

PAGE = "/api/docs/"


@pytest.fixture
def client(db: None) -> Client:
    made = Client()
    made.force_login(stage.user("maria"))
    return made


def shown(id: str) -> reading.Shown:
    return next(one for several in reading.operations().values() for one in several if one.id == id)


def test_the_page_shows_every_operation(client: Client) -> None:
    page = client.get(PAGE).content.decode()
    for path, methods in document.make()["paths"].items():
        for method, operation in methods.items():
            assert f'id="{operation["operationId"]}"' in page, (method, path)


@pytest.mark.parametrize(
    ("query", "first"), [("scale", "post_deployments_scale"), ("DELETE tokens", "delete_tokens_item")]
)
def test_the_page_is_searched(client: Client, query: str, first: str) -> None:
    groups = client.get(PAGE, {"q": query}).context["groups"]
    assert first in [one.id for several in groups.values() for one in several]
    assert sum(len(several) for several in groups.values()) < 6


def test_nothing_found_says_so(client: Client) -> None:
    assert "No endpoint matches" in client.get(PAGE, {"q": "zzz"}).content.decode()


def test_what_is_typed_is_text(client: Client) -> None:
    assert "<script>alert" not in client.get(PAGE, {"q": "<script>alert(1)</script>"}).content.decode()


def test_the_page_is_behind_sign_in_and_opens_for_a_token(db: None) -> None:
    assert Client().get(PAGE)["Location"] == "/accounts/login/?next=/api/docs/"
    _, text = services.make_token(user=stage.user("maria"), name="ci", scope=Scope.READ)
    answer = Client().get(PAGE, headers={"Authorization": f"Bearer {text}", "Accept": "text/html"})
    assert answer.status_code == 200


def test_a_command_is_one_that_a_shell_takes() -> None:
    said = shown("put_deployments_item").curl
    assert said.startswith('curl -X PUT "$LLMDASH_SERVER/api/v1/deployments/$ID"')
    assert "If-Match" in said
    for several in reading.operations().values():
        for one in several:
            subprocess.run(["bash", "-n", "-c", one.curl], check=True)
    assert shown("post_tokens").curl == ""


def test_examples_are_what_their_schemas_allow() -> None:
    made = document.make()
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            one = shown(operation["operationId"])
            for text, holder in ((one.request, operation.get("requestBody")), (one.answer, good(operation))):
                if text:
                    schema = reading.schema_of(holder or {})
                    assert faults(schema | {"components": made["components"]}, text) == [], (method, path)  # type: ignore[operator]


def good(operation: dict[str, Any]) -> Any:
    return operation["responses"][min(operation["responses"])]


def faults(schema: dict[str, Any], text: str) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(text))]
