"""A model in ONNX form is logged and registered from Python; where the server is onnxop, it is served when its alias
says so. With MLflow as a whole, not skinny."""

import os
import time

import mlflow
import pytest

onnx = pytest.importorskip("onnx")
np = pytest.importorskip("numpy")

ADDRESS = os.environ.get("ONNXOP_ADDRESS")  # not set where MLflow's own server is asked
serving = pytest.mark.skipif(not ADDRESS, reason="MLflow's own server does not serve models")


def affine(factor):
    """y = factor x + 1, of three numbers."""
    helper, tensor = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "factor"], ["scaled"]), helper.make_node("Add", ["scaled", "one"], ["y"])],
        "affine",
        [helper.make_tensor_value_info("x", tensor.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("y", tensor.FLOAT, ["batch", 3])],
        [helper.make_tensor("factor", tensor.FLOAT, [1], [factor]), helper.make_tensor("one", tensor.FLOAT, [1], [1.0])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made


X = np.array([[1, 2, 3], [-1, 0, 0.5]], dtype=np.float32)


def log(model, name):
    with mlflow.start_run() as run:
        logged = mlflow.onnx.log_model(model, name="model", registered_model_name=name, input_example=X)
    return run.info.run_id, logged


@pytest.fixture
def registered(client, experiment, unique):
    """Two versions of a model, that multiply by 2 and by 3."""
    mlflow.set_experiment(experiment_id=experiment)
    for factor in (2.0, 3.0):
        log(affine(factor), unique)
    return unique


def test_logged_and_loaded_again(client, experiment, unique):
    mlflow.set_experiment(experiment_id=experiment)
    run, logged = log(affine(2.0), unique)
    version = client.get_model_version(unique, "1")
    assert version.run_id == run and version.status == "READY"
    loaded = mlflow.onnx.load_model(f"models:/{unique}/1")
    assert loaded.graph.name == "affine"
    answer = mlflow.pyfunc.load_model(logged.model_uri).predict(X)
    np.testing.assert_allclose(answer["y"], 2 * X + 1)
    client.set_registered_model_alias(unique, "champion", "1")
    np.testing.assert_allclose(mlflow.pyfunc.load_model(f"models:/{unique}@champion").predict(X)["y"], 2 * X + 1)


def test_registered_afterwards(client, experiment, unique):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run():
        logged = mlflow.onnx.log_model(affine(5.0), name="model")
    made = mlflow.register_model(logged.model_uri, unique)
    assert str(made.version) == "1"
    np.testing.assert_allclose(mlflow.pyfunc.load_model(f"models:/{unique}/1").predict(X)["y"], 5 * X + 1)


def answer_of(model, version=""):
    """What the service makes of X, over tritonclient; and which version that was."""
    from tritonclient import http

    with http.InferenceServerClient(ADDRESS) as server:
        given = http.InferInput("x", X.shape, "FP32")
        given.set_data_from_numpy(X)
        answer = server.infer(model, [given], model_version=version)
        return answer.as_numpy("y"), answer.get_response()["model_version"]


def until(condition, seconds=10):
    """Waits for what the server does by itself; what is served follows the registry within a second."""
    end = time.monotonic() + seconds
    while True:
        try:
            condition()
            return
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def served(model, factor, version=None):
    def check():
        answer, which = answer_of(model)
        np.testing.assert_allclose(answer, factor * X + 1)
        assert version is None or which == version

    return check


@serving
def test_the_alias_says_what_is_served(client, registered):
    client.set_registered_model_alias(registered, "champion", "1")
    until(served(f"{registered}@champion", 2, "1"))
    client.set_registered_model_alias(registered, "champion", "2")
    until(served(f"{registered}@champion", 3, "2"))
    client.set_registered_model_alias(registered, "challenger", "1")
    until(served(f"{registered}@challenger", 2, "1"))


@serving
def test_no_request_fails_while_the_alias_moves(client, registered):
    client.set_registered_model_alias(registered, "champion", "1")
    until(served(f"{registered}@champion", 2, "1"))
    seen = set()
    for version in ("2", "1", "2"):
        client.set_registered_model_alias(registered, "champion", version)
        for _ in range(2000):
            _, which = answer_of(f"{registered}@champion")
            seen.add(which)
            if which == version:
                break
        assert which == version
    assert seen == {"1", "2"}


@serving
def test_asked_over_rest(client, registered, wire):
    client.set_registered_model_alias(registered, "champion", "2")
    until(served(f"{registered}@champion", 3))
    body = {"inputs": [{"name": "x", "shape": list(X.shape), "datatype": "FP32", "data": X.ravel().tolist()}]}
    answer = wire.send("POST", f"/v2/models/{registered}@champion/infer", json=body)
    assert answer.status_code == 200, answer.text
    np.testing.assert_allclose(answer.json()["outputs"][0]["data"], (3 * X + 1).ravel())


@serving
def test_a_version_that_is_no_model_is_not_served(client, registered, experiment):
    """The alias may point to it; what was served before goes on."""
    client.set_registered_model_alias(registered, "champion", "1")
    until(served(f"{registered}@champion", 2, "1"))
    run = client.create_run(experiment).info
    client.log_text(run.run_id, "no model", "model/model.onnx")
    made = client.create_model_version(registered, run.artifact_uri + "/model", run.run_id)
    client.set_registered_model_alias(registered, "broken", made.version)
    served(f"{registered}@champion", 2, "1")()
