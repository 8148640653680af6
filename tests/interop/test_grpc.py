"""The gRPC service, asked by tritonclient (grpc, grpc.aio), gRPC's health checking and reflection."""

import asyncio
import os
import queue

import grpc
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.grpc.aio
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tritonclient.utils import InferenceServerException

ADDRESS = os.environ["ONNXOP_GRPC_ADDRESS"]
MODEL = os.environ["ONNXOP_MODEL"]


@pytest.fixture
def client():
    with tritonclient.grpc.InferenceServerClient(ADDRESS) as made:
        yield made


@pytest.fixture(scope="module")
def images():
    return (np.random.default_rng(1).random((3, 28, 28, 1)) * 255).astype(np.float32)


def triton_input(images):
    made = tritonclient.grpc.InferInput("image", images.shape, "FP32")
    made.set_data_from_numpy(images)
    return made


@pytest.fixture
def expected(client, images):
    return client.infer(MODEL, [triton_input(images)]).as_numpy("probabilities")


def test_health_and_descriptions(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(MODEL) and not client.is_model_ready("nothing")
    assert client.get_server_metadata().name == "onnxop"
    assert list(client.get_model_metadata(MODEL).inputs[0].shape) == [-1, 28, 28, 1]
    assert list(client.get_model_config(MODEL).config.input[0].dims) == [28, 28, 1]
    assert any(model.state == "READY" for model in client.get_model_repository_index().models)


def test_infer(client, images, expected):
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-5)
    answer = client.infer(MODEL, [triton_input(images)], request_id="mine", client_timeout=30)
    assert answer.get_response().id == "mine"
    wanted = tritonclient.grpc.InferRequestedOutput("probabilities", class_count=1)
    texts = client.infer(MODEL, [triton_input(images)], outputs=[wanted]).as_numpy("probabilities")
    assert [int(text[0].split(b":")[1]) for text in texts] == list(expected.argmax(axis=1))


def test_stream_is_in_order(client, images, expected):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for i in range(100):
        client.async_stream_infer(MODEL, [triton_input(images[i % 3 : i % 3 + 1])], request_id=str(i))
    for i in range(100):
        result, error = answers.get(timeout=30)
        assert error is None and result.get_response().id == str(i)
        np.testing.assert_allclose(result.as_numpy("probabilities")[0], expected[i % 3], atol=1e-5)
    client.async_stream_infer("nothing", [triton_input(images)])
    _, error = answers.get(timeout=30)
    assert "not served" in str(error)
    client.stop_stream()


def test_errors_have_their_codes(client, images):
    with pytest.raises(InferenceServerException) as error:
        client.infer("nothing", [triton_input(images)])
    assert error.value.status() == "StatusCode.NOT_FOUND"


def test_statistics_and_repository(client, images):
    before = client.get_inference_statistics(MODEL).model_stats[0].inference_count
    client.infer(MODEL, [triton_input(images)])
    assert client.get_inference_statistics(MODEL).model_stats[0].inference_count == before + 3
    client.unload_model(MODEL)
    assert not client.is_model_ready(MODEL)
    client.load_model(MODEL)
    assert client.is_model_ready(MODEL)


def test_asyncio_client(images, expected):
    async def ask():
        async with tritonclient.grpc.aio.InferenceServerClient(ADDRESS) as aio:
            return (await aio.infer(MODEL, [triton_input(images)])).as_numpy("probabilities")

    np.testing.assert_allclose(asyncio.run(ask()), expected, atol=1e-6)


def test_health_service():
    with grpc.insecure_channel(ADDRESS) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "inference.GRPCInferenceService"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as refused:
            health.Check(health_pb2.HealthCheckRequest(service="nothing"))
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND
        watch = health.Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()


def test_a_client_without_the_messages_learns_them_by_reflection():
    with grpc.insecure_channel(ADDRESS) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert set(database.get_services()) >= {"inference.GRPCInferenceService", "grpc.health.v1.Health"}
        # A pool of its own: tritonclient's messages have the same names.
        pool = DescriptorPool(database)
        service = pool.FindServiceByName("inference.GRPCInferenceService")
        method = service.FindMethodByName("ModelReady")
        ask = channel.unary_unary(
            f"/{service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        assert ask(GetMessageClass(method.input_type)(name=MODEL)).ready
