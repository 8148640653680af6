"""Runs found by a filter, in an order, in pages. What each filter finds stands in filters.json."""

import json
import math
import pathlib
import uuid

import mlflow
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, ViewType

CASES = json.loads((pathlib.Path(__file__).parent / "filters.json").read_text())
MADE = {}


@pytest.fixture
def filled(client):
    """An experiment with the runs of filters.json, made once."""
    if not MADE:
        MADE["experiment"] = client.create_experiment("filters " + uuid.uuid4().hex)
        for each in CASES["runs"]:
            run = client.create_run(MADE["experiment"], start_time=each["start_time"], run_name=each["name"],
                                    tags={"mlflow.user": each["user"], **each["tags"]}).info.run_id
            client.log_batch(run, metrics=[Metric(key, value, 1, 0) for key, value in each["metrics"].items()],
                             params=[Param(key, value) for key, value in each["params"].items()])
            for data in each.get("datasets", []):
                client.log_inputs(run, [DatasetInput(Dataset(data["name"], data["digest"], "local", "{}"),
                                                     [InputTag("mlflow.data.context", data["context"])])])
            if each["status"] != "RUNNING":
                client.set_terminated(run, each["status"], each["end_time"])
            if each.get("deleted"):
                client.delete_run(run)
    return MADE["experiment"]


def names(runs):
    return [each.info.run_name for each in runs]


@pytest.mark.parametrize("filter,found", CASES["finds"], ids=[each[0] for each in CASES["finds"]])
def test_finds(client, filled, filter, found):
    assert names(client.search_runs([filled], filter, order_by=["start_time ASC"])) == found


@pytest.mark.parametrize("filter", CASES["refuses"])
def test_refuses(client, filled, refused, filter):
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_runs([filled], filter)


@pytest.mark.parametrize("order,found", CASES["orders"], ids=[",".join(each[0]) for each in CASES["orders"]])
def test_orders(client, filled, order, found):
    assert names(client.search_runs([filled], order_by=order)) == found


@pytest.mark.parametrize("order", CASES["refuses_order"])
def test_refuses_orders(client, filled, refused, order):
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_runs([filled], order_by=[order])


def test_deleted_ones(client, filled):
    assert names(client.search_runs([filled], run_view_type=ViewType.DELETED_ONLY)) == ["zeta"]
    assert len(client.search_runs([filled], run_view_type=ViewType.ALL)) == 6
    assert len(client.search_runs([filled], "params.optimizer = 'adadelta'", run_view_type=ViewType.ALL)) == 3


def test_by_id(client, filled):
    found = client.search_runs([filled], order_by=["start_time ASC"])
    ids = [each.info.run_id for each in found]
    assert names(client.search_runs([filled], f"run_id = '{ids[1]}'")) == ["beta"]
    assert names(client.search_runs([filled], f"attributes.run_id != '{ids[1]}'", order_by=["start_time ASC"])) == [
        "alpha", "Gamma ray", "delta_1", "epsilon"]
    assert names(client.search_runs([filled], f"attributes.run_id IN ('{ids[0]}', '{ids[4]}')", order_by=["start_time ASC"])) == ["alpha", "epsilon"]
    assert names(client.search_runs([filled], f"run_id NOT IN ('{ids[0]}', '{ids[4]}')", order_by=["start_time ASC"])) == [
        "beta", "Gamma ray", "delta_1"]
    assert names(client.search_runs([filled], f"run_id LIKE '{ids[2]}'")) == ["Gamma ray"]


def test_pages(client, filled):
    found, token = [], None
    while True:
        page = client.search_runs([filled], max_results=2, order_by=["start_time ASC"], page_token=token)
        found += names(page)
        token = page.token
        if not token:
            break
    assert found == ["alpha", "beta", "Gamma ray", "delta_1", "epsilon"]


def test_several_experiments(client, filled, experiment):
    client.create_run(experiment, run_name="elsewhere", start_time=1)
    assert names(client.search_runs([filled, experiment], order_by=["start_time ASC"]))[:2] == ["elsewhere", "alpha"]
    assert client.search_runs(["987654321"]) == []
    assert client.search_runs([]) == []


def test_a_found_run_is_whole(client, filled):
    found = client.search_runs([filled], "run_name = 'alpha'")[0]
    same = client.get_run(found.info.run_id)
    assert found.to_dictionary() == same.to_dictionary()


def test_nan_is_no_number(client, experiment):
    for name, value in (("nan", math.nan), ("one", 1.0), ("two", 2.0), ("up", math.inf), ("down", -math.inf)):
        client.log_metric(client.create_run(experiment, run_name=name).info.run_id, "m", value)
    client.create_run(experiment, run_name="none")
    assert names(client.search_runs([experiment], "metrics.m > 0", order_by=["metrics.m ASC"])) == ["one", "two", "up"]
    assert names(client.search_runs([experiment], order_by=["metrics.m ASC"])) == ["down", "one", "two", "up", "nan", "none"]
    assert names(client.search_runs([experiment], order_by=["metrics.m DESC"])) == ["up", "two", "one", "down", "nan", "none"]


def test_the_latest_value_counts(client, run, experiment):
    client.log_batch(run, metrics=[Metric("m", 5.0, 1, 0), Metric("m", 1.0, 2, 1)])
    assert client.search_runs([experiment], "metrics.m > 4") == []
    assert len(client.search_runs([experiment], "metrics.m = 1")) == 1


def test_the_fluent_interface(filled):
    found = mlflow.search_runs([filled], "metrics.accuracy > 0.9", order_by=["metrics.accuracy DESC"], output_format="list")
    assert names(found)[0] == "Gamma ray" and len(found) == 3
    name = mlflow.get_experiment(filled).name
    assert len(mlflow.search_runs(experiment_names=[name], output_format="list")) == 5


def test_many_runs(client, experiment):
    ids = [client.create_run(experiment, start_time=n).info.run_id for n in range(30)]
    for n, run in enumerate(ids):
        client.log_metric(run, "n", n)
    found = client.search_runs([experiment], "metrics.n >= 10", order_by=["metrics.n DESC"], max_results=15)
    assert [each.data.metrics["n"] for each in found] == list(range(29, 14, -1)) and found.token
    rest = client.search_runs([experiment], "metrics.n >= 10", order_by=["metrics.n DESC"], max_results=15, page_token=found.token)
    assert [each.data.metrics["n"] for each in rest] == list(range(14, 9, -1)) and not rest.token
