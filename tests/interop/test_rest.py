"""The REST service, asked by the clients that people use: tritonclient (http, http.aio) and kserve."""

import asyncio
import os

import numpy as np
import pytest
import tritonclient.http
import tritonclient.http.aio
from kserve import InferInput, InferRequest, InferenceRESTClient, RESTConfig
from tritonclient.utils import InferenceServerException

ADDRESS = os.environ["ONNXOP_ADDRESS"]
MODEL = os.environ["ONNXOP_MODEL"]


@pytest.fixture
def client():
    with tritonclient.http.InferenceServerClient(ADDRESS, concurrency=4) as made:
        yield made


@pytest.fixture(scope="module")
def images():
    return (np.random.default_rng(1).random((3, 28, 28, 1)) * 255).astype(np.float32)


def triton_input(images, binary=True):
    made = tritonclient.http.InferInput("image", images.shape, "FP32")
    made.set_data_from_numpy(images, binary_data=binary)
    return made


@pytest.fixture
def expected(client, images):
    return client.infer(MODEL, [triton_input(images)]).as_numpy("probabilities")


def test_health_and_descriptions(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert not client.is_model_ready("nothing")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata(MODEL)
    assert metadata["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 28, 28, 1]}]
    config = client.get_model_config(MODEL)
    assert config["max_batch_size"] >= 1 and config["input"][0]["dims"] == [28, 28, 1]
    assert {"name": MODEL, "version": "1", "state": "READY", "reason": ""} in client.get_model_repository_index()


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_binary_and_json_say_the_same(client, images, expected, binary_in, binary_out):
    wanted = tritonclient.http.InferRequestedOutput("probabilities", binary_data=binary_out)
    answer = client.infer(MODEL, [triton_input(images, binary_in)], outputs=[wanted], request_id="mine")
    assert answer.get_response()["id"] == "mine"
    np.testing.assert_allclose(answer.as_numpy("probabilities"), expected, atol=1e-6)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed(client, images, expected, encoding):
    answer = client.infer(
        MODEL,
        [triton_input(images)],
        request_compression_algorithm=encoding,
        response_compression_algorithm=encoding,
    )
    np.testing.assert_allclose(answer.as_numpy("probabilities"), expected, atol=1e-6)


def test_classification(client, images, expected):
    wanted = tritonclient.http.InferRequestedOutput("probabilities", class_count=2)
    texts = client.infer(MODEL, [triton_input(images)], outputs=[wanted]).as_numpy("probabilities")
    assert texts.shape == (3, 2)
    value, index, label = texts[0][0].decode().split(":")
    assert int(index) == expected[0].argmax() and label == index
    assert float(value) == pytest.approx(float(expected[0].max()), abs=1e-6)


def test_many_at_once_get_their_own_answers(client, images, expected):
    pending = [(i % 3, client.async_infer(MODEL, [triton_input(images[i % 3 : i % 3 + 1])])) for i in range(60)]
    for row, answer in pending:
        np.testing.assert_allclose(answer.get_result().as_numpy("probabilities")[0], expected[row], atol=1e-5)


def test_errors_say_what_was_expected(client, images):
    with pytest.raises(InferenceServerException, match="'nothing' is not served"):
        client.infer("nothing", [triton_input(images)])
    with pytest.raises(InferenceServerException, match="expected"):
        wrong = tritonclient.http.InferInput("image", [1, 2], "FP32")
        wrong.set_data_from_numpy(np.zeros((1, 2), np.float32))
        client.infer(MODEL, [wrong])
    with pytest.raises(InferenceServerException, match="none of the model's"):
        client.infer(MODEL, [triton_input(images)], outputs=[tritonclient.http.InferRequestedOutput("nothing")])


def test_statistics_count(client, images):
    def rows():
        return client.get_inference_statistics(MODEL)["model_stats"][0]["inference_count"]

    before = rows()
    client.infer(MODEL, [triton_input(images)])
    assert rows() == before + 3


def test_unload_and_load(client):
    client.unload_model(MODEL)
    assert not client.is_model_ready(MODEL)
    client.load_model(MODEL)
    assert client.is_model_ready(MODEL)


def test_asyncio_client(images, expected):
    async def ask():
        async with tritonclient.http.aio.InferenceServerClient(ADDRESS) as aio:
            assert await aio.is_server_live()
            return (await aio.infer(MODEL, [triton_input(images)])).as_numpy("probabilities")

    np.testing.assert_allclose(asyncio.run(ask()), expected, atol=1e-6)


@pytest.mark.parametrize("binary", [True, False])
def test_kserve(images, expected, binary):
    async def ask():
        kserve = InferenceRESTClient(config=RESTConfig(protocol="v2", retries=1))
        url = f"http://{ADDRESS}"
        assert await kserve.is_server_live(url) and await kserve.is_server_ready(url)
        assert await kserve.is_model_ready(url, MODEL)
        image = InferInput("image", list(images.shape), "FP32")
        image.set_data_from_numpy(images, binary_data=binary)
        answer = await kserve.infer(url, InferRequest(MODEL, infer_inputs=[image]), model_name=MODEL)
        return answer.outputs[0].as_numpy()

    np.testing.assert_allclose(asyncio.run(ask()), expected, atol=1e-5)
