"""What the server says when it refuses, as it goes over the wire."""

import pytest


def code(answer):
    assert answer.headers["content-type"].startswith("application/json"), answer.text
    assert answer.json()["message"]
    return answer.status_code, answer.json()["error_code"]


BAD = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("path", [
    "experiments/create", "experiments/update", "experiments/delete", "experiments/restore",
    "experiments/set-experiment-tag", "runs/update", "runs/delete", "runs/restore", "runs/log-metric",
    "runs/log-parameter", "runs/set-tag", "runs/delete-tag", "runs/log-batch", "runs/log-model",
    "registered-models/create", "registered-models/rename", "registered-models/set-tag", "registered-models/alias",
    "registered-models/get-latest-versions", "model-versions/create", "model-versions/transition-stage", "model-versions/set-tag",
])
def test_posts_that_say_nothing(wire, path):
    assert code(wire.post(path)) == BAD


@pytest.mark.parametrize("path", [
    "experiments/get", "experiments/get-by-name", "runs/get", "metrics/get-history", "metrics/get-history-bulk-interval",
    "artifacts/list", "registered-models/get", "registered-models/alias", "model-versions/get", "model-versions/get-download-uri",
])
def test_gets_that_say_nothing(wire, path):
    assert code(wire.get(path)) == BAD


def test_what_is_not_there(wire, unique):
    assert code(wire.get("experiments/get", experiment_id="987654321")) == MISSING
    assert code(wire.get("experiments/get-by-name", experiment_name=unique)) == MISSING
    assert code(wire.get("runs/get", run_id="0" * 32)) == MISSING
    assert code(wire.get("registered-models/get", name=unique)) == MISSING
    assert code(wire.get("model-versions/get", name=unique, version="1")) == MISSING
    assert code(wire.send("DELETE", "model-versions/delete", json={"name": unique, "version": "1"})) == MISSING
    assert code(wire.send("PATCH", "registered-models/update", json={"name": unique, "description": "x"})) == MISSING


def test_values_of_a_wrong_kind(wire, run, experiment):
    assert code(wire.post("experiments/create", name=5)) == BAD
    assert code(wire.get("experiments/get", experiment_id="abc")) == BAD
    assert code(wire.post("runs/log-parameter", run_id=run, key="k", value=5)) == BAD
    assert code(wire.post("runs/log-metric", run_id=run, key="k", value=1, timestamp=-5)) == BAD
    assert code(wire.post("runs/log-batch", run_id=run, metrics={"a": 1})) == BAD
    assert code(wire.post("runs/search", experiment_ids=[experiment], max_results=50001)) == BAD
    assert code(wire.post("runs/search", experiment_ids=[experiment], max_results=0)) == BAD
    assert code(wire.post("runs/search", experiment_ids=[experiment], page_token="junk")) == BAD


def test_numbers_may_come_as_strings(wire, client, run):
    assert wire.post("runs/log-metric", run_id=run, key="k", value="0.5", timestamp="1700000000000", step="7").status_code == 200
    found = client.get_metric_history(run, "k")[0]
    assert (found.value, found.timestamp, found.step) == (0.5, 1700000000000, 7)


def test_the_old_name_of_a_runs_id(wire, run):
    assert wire.get("runs/get", run_uuid=run).json()["run"]["info"]["run_id"] == run
    assert wire.post("runs/set-tag", run_uuid=run, key="k", value="v").status_code == 200


def test_fields_that_nobody_knows_are_passed_over(wire, run):
    assert wire.post("runs/set-tag", run_id=run, key="k", value="v", from_the_future={"a": [1]}).status_code == 200


def test_success_is_200_with_an_object(wire, run, experiment):
    for answer in (wire.post("runs/set-tag", run_id=run, key="k", value="v"), wire.post("runs/log-batch", run_id=run),
                   wire.post("runs/search", experiment_ids=[experiment]), wire.post("runs/delete", run_id=run)):
        assert answer.status_code == 200 and isinstance(answer.json(), dict)


def test_paths_that_nobody_knows(wire):
    for answer in (wire.get("nothing/here"), wire.post("runs/explode")):
        assert answer.status_code == 404


def test_alive_and_which_version(wire):
    assert wire.get("/health").text == "OK"
    answer = wire.get("/version")
    assert answer.status_code == 200 and answer.text.strip()
