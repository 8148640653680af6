"""The OpenAPI document: valid, and every operation in it is served."""

import json
import os
import urllib.error
import urllib.request

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

ADDRESS = os.environ["ONNXOP_ADDRESS"]
MODEL = os.environ["ONNXOP_MODEL"]


@pytest.fixture(scope="module")
def document():
    with urllib.request.urlopen(f"http://{ADDRESS}/openapi.json") as answer:
        return json.load(answer)


def ask(method, path, body=None):
    request = urllib.request.Request(f"http://{ADDRESS}{path}", data=body, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_content_type(), error.read()


def test_the_validator_finds_nothing(document):
    assert document["openapi"].startswith("3.0.")
    assert [error.message for error in OpenAPIV30SpecValidator(document).iter_errors()] == []


def test_every_operation_is_served_and_answers_as_described(document):
    asked = 0
    for template, operations in document["paths"].items():
        path = template.replace("{model}", MODEL).replace("{version}", "1")
        for method, operation in operations.items():
            status, kind, _ = ask(method.upper(), path, b"{}" if method in ("post", "put") else None)
            described = operation["responses"].get(str(status))
            assert described is not None, f"{method} {path}: {status}"
            assert kind in described["content"], f"{method} {path}: {kind}"
            asked += 1
        # What is not in the document is not possible either.
        for method in {"get", "post", "put", "delete"} - set(operations):
            status, _, _ = ask(method.upper(), path)
            assert status == 405, f"{method} {path}"
    assert asked > 20
    # The last thing that was asked of the model may have been to go.
    assert ask("POST", f"/v2/repository/models/{MODEL}/load", b"{}")[0] == 200


def test_paths_that_are_not_in_the_document_are_not_served(document):
    for path in ("/v2/nothing", "/api", "/v1/models", f"/v2/models/{MODEL}/nothing", "/metrics/x"):
        assert path not in document["paths"]
        status, kind, body = ask("GET", path)
        assert (status, kind) == (404, "application/json") and "error" in json.loads(body)
