"""A server that asks for tokens, asked by tritonclient (http, grpc) with the header that it offers for them."""

import json
import os
import queue
import urllib.request

import grpc
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from grpc_health.v1 import health_pb2, health_pb2_grpc
from openapi_spec_validator import OpenAPIV30SpecValidator
from tritonclient.utils import InferenceServerException

MODEL = os.environ["ONNXOP_MODEL"]
GRPC_ADDRESS = os.environ["ONNXOP_TOKENS_GRPC_ADDRESS"]
CLIENTS = {
    "http": (tritonclient.http, os.environ["ONNXOP_TOKENS_ADDRESS"]),
    "grpc": (tritonclient.grpc, GRPC_ADDRESS),
}
UNAUTHENTICATED = {"http": "401", "grpc": "StatusCode.UNAUTHENTICATED"}
FORBIDDEN = {"http": "403", "grpc": "StatusCode.PERMISSION_DENIED"}


@pytest.fixture(params=["http", "grpc"])
def asked(request):
    module, address = CLIENTS[request.param]
    with module.InferenceServerClient(address) as client:
        yield request.param, module, client


def bearer(role):
    """A new dictionary: tritonclient.http adds to the one that it is given."""
    return {"authorization": "Bearer " + os.environ[f"ONNXOP_{role}_TOKEN"]}


def image(module):
    made = module.InferInput("image", [1, 28, 28, 1], "FP32")
    made.set_data_from_numpy(np.zeros((1, 28, 28, 1), np.float32))
    return made


def test_infers_with_a_token(asked):
    _, module, client = asked
    assert client.infer(MODEL, [image(module)], headers=bearer("INFER")).as_numpy("probabilities").shape == (1, 10)
    assert client.get_model_metadata(MODEL, headers=bearer("INFER"))
    assert client.is_server_live() and client.is_server_ready()


def test_refuses_without_one_or_without_the_role(asked):
    protocol, module, client = asked
    for headers in ({}, {"authorization": "Bearer guess"}):
        with pytest.raises(InferenceServerException) as error:
            client.infer(MODEL, [image(module)], headers=headers)
        assert error.value.status() == UNAUTHENTICATED[protocol]
    with pytest.raises(InferenceServerException) as error:
        client.load_model(MODEL, headers=bearer("INFER"))
    assert error.value.status() == FORBIDDEN[protocol]
    client.load_model(MODEL, headers=bearer("MANAGE"))


def test_streams_ask_for_a_token_too():
    with tritonclient.grpc.InferenceServerClient(GRPC_ADDRESS) as client:
        answers = queue.Queue()
        client.start_stream(lambda result, error: answers.put((result, error)), headers=bearer("INFER"))
        client.async_stream_infer(MODEL, [image(tritonclient.grpc)])
        result, error = answers.get(timeout=30)
        assert error is None and result.as_numpy("probabilities").shape == (1, 10)
        client.stop_stream()
        client.start_stream(lambda result, error: answers.put((result, error)))
        _, error = answers.get(timeout=30)
        assert "there is no token" in str(error)
        client.stop_stream()


def test_the_openapi_document_with_a_security_scheme_is_valid():
    request = urllib.request.Request(f"http://{CLIENTS['http'][1]}/openapi.json", headers=bearer("INFER"))
    with urllib.request.urlopen(request) as answer:
        document = json.load(answer)
    assert document["components"]["securitySchemes"]
    assert [error.message for error in OpenAPIV30SpecValidator(document).iter_errors()] == []


def test_health_is_open():
    with grpc.insecure_channel(GRPC_ADDRESS) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
