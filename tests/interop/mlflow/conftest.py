"""What the tests share: a client, an experiment of its own for each test, and which MLflow this is.

The server's address is in MLFLOW_TRACKING_URI; the client reads it by itself, as in anyone's program."""

import os
import uuid

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

SERVER = os.environ["MLFLOW_TRACKING_URI"]
MAJOR = int(mlflow.__version__.split(".")[0])


class Wire:
    """Requests as they are, for what the client does not say or does not ask."""

    def __init__(self, server):
        self.server = server

    def send(self, method, path, /, **options):
        if not path.startswith("/"):
            path = "/api/2.0/mlflow/" + path
        return requests.request(method, self.server + path, timeout=30, **options)

    def get(self, path, /, **params):
        return self.send("GET", path, params=params)

    def post(self, path, /, **body):
        return self.send("POST", path, json=body)


@pytest.fixture
def wire():
    return Wire(SERVER)


@pytest.fixture
def client():
    return MlflowClient()


@pytest.fixture
def unique():
    """A name that no other test uses."""
    return "t-" + uuid.uuid4().hex[:12]


@pytest.fixture
def experiment(client, unique):
    return client.create_experiment(unique)


@pytest.fixture
def run(client, experiment):
    """The ID of a run under way."""
    return client.create_run(experiment).info.run_id


@pytest.fixture(autouse=True)
def no_active_run():
    yield
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture
def refused():
    """with refused("RESOURCE_DOES_NOT_EXIST"): what the server refuses with that code."""
    return lambda code: pytest.raises(MlflowException, check=lambda error: error.error_code == code)
