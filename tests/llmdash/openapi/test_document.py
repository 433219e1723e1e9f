"""The OpenAPI document: complete, and in step with what the API takes and answers."""

from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from llmdash.accounts import services
from llmdash.accounts.choices import Scope
from llmdash.openapi import document
from tests import stage
from tests.access_table import REST
from tests.deployments.api.caller import problem


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method.upper(), operation)
        for path, methods in document.make()["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_and_method_is_told_and_no_other() -> None:
    told = {(path.removeprefix("/"), method) for path, method, _ in operations()}
    routes = {
        (plain(route), case.method)
        for route, cases in REST.items()
        for case in cases
        if route not in ("api/v1/", "api/schema/")
    }
    assert told == routes


def plain(route: str) -> str:
    """An address as the document writes it."""
    for kind in ("uuid", "int", "slug", "kept"):
        route = route.replace(f"<{kind}:", "{").replace(">", "}")
    return route.replace("{pk}", "{id}").replace("^$", "")


def test_operations_have_ids_of_their_own_a_summary_and_refusals() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    for path, method, operation in operations():
        assert operation["summary"], path
        assert {"400", "401", "429"} <= operation["responses"].keys(), path
        assert ("403" in operation["responses"]) == (method != "GET"), path
        assert ("404" in operation["responses"]) >= ("{" in path), path


def test_every_reference_leads_somewhere() -> None:
    made = document.make()
    for reference in references(made):
        part = made
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


def test_schemas_are_json_schema_and_no_mark_of_ours_is_left() -> None:
    made = document.make()
    assert made["openapi"] == "3.1.0"
    for schema in made["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    assert "x-shape" not in str(made)
    assert "x-spec" not in str(made)


def test_the_spec_is_the_one_of_the_form() -> None:
    made = document.make()["components"]["schemas"]
    assert made["Create"]["properties"]["spec"] == {"$ref": "#/components/schemas/Spec"}
    assert made["Deployment"]["properties"]["spec"] == {"$ref": "#/components/schemas/Spec"}
    assert made["Spec"]["properties"]["gpus"]["maximum"] == 1024


@pytest.mark.django_db
def test_the_document_needs_a_session_or_a_token() -> None:
    problem(Client().get("/api/schema/"), 401)
    _, text = services.make_token(user=stage.user("maria"), name="ci", scope=Scope.READ)
    answer = Client().get("/api/schema/", headers={"Authorization": f"Bearer {text}"})
    assert answer.json()["info"]["title"] == "llmdash"
