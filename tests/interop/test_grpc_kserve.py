"""The gRPC service, asked by kserve's client, which cannot live in one process with tritonclient's messages."""

import asyncio
import os

import numpy as np
import pytest
from kserve import InferenceGRPCClient, InferInput, InferRequest

ADDRESS = os.environ["ONNXOP_GRPC_ADDRESS"]
MODEL = os.environ["ONNXOP_MODEL"]


@pytest.mark.parametrize("binary", [True, False])
def test_kserve(binary):
    images = (np.random.default_rng(1).random((3, 28, 28, 1)) * 255).astype(np.float32)

    async def ask():
        client = InferenceGRPCClient(ADDRESS, timeout=30)
        assert await client.is_server_live() and await client.is_server_ready()
        assert await client.is_model_ready(MODEL)
        image = InferInput("image", list(images.shape), "FP32")
        image.set_data_from_numpy(images, binary_data=binary)
        answer = await client.infer(InferRequest(model_name=MODEL, infer_inputs=[image]))
        return answer.outputs[0].as_numpy()

    np.testing.assert_allclose(np.asarray(asyncio.run(ask())).sum(axis=1), 1, atol=1e-5)
