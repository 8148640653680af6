"""Runs: made, logged to, ended, deleted, restored."""

import time

import mlflow
import pytest
from mlflow.entities import Metric, Param, RunTag


def test_a_run_through_the_fluent_interface(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run(run_name="first", description="what it is about", tags={"kind": "demo"}) as run:
        mlflow.log_param("optimizer", "adadelta")
        mlflow.log_params({"batch": 250, "rate": 0.5, "none": None})
        mlflow.log_metric("loss", 0.25, step=3)
        mlflow.log_metrics({"accuracy": 0.99, "loss": 0.125}, step=4)
        mlflow.set_tag("note", "äöü 数字 🎉")
        mlflow.set_tags({"a": 1, "b": True})
        assert mlflow.active_run().info.run_id == run.info.run_id
    found = mlflow.get_run(run.info.run_id)
    assert found.info.status == "FINISHED" and found.info.run_name == "first"
    assert found.info.end_time >= found.info.start_time > 1_600_000_000_000
    assert found.info.artifact_uri.startswith("mlflow-artifacts:/") and found.info.artifact_uri.endswith("/artifacts")
    assert found.data.params == {"optimizer": "adadelta", "batch": "250", "rate": "0.5", "none": "None"}
    assert found.data.metrics == {"loss": 0.125, "accuracy": 0.99}
    tags = found.data.tags
    assert tags["kind"] == "demo" and tags["note"] == "äöü 数字 🎉" and tags["a"] == "1" and tags["b"] == "True"
    assert tags["mlflow.runName"] == "first" and tags["mlflow.note.content"] == "what it is about"
    assert tags["mlflow.user"] and tags["mlflow.source.name"]


def test_an_exception_ends_a_run_as_failed(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with pytest.raises(ZeroDivisionError):
        with mlflow.start_run() as run:
            1 / 0
    assert client.get_run(run.info.run_id).info.status == "FAILED"


def test_a_run_goes_on_where_it_was(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 1, step=0)
    with mlflow.start_run(run_id=run.info.run_id) as again:
        assert client.get_run(again.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("loss", 0.5, step=1)
    assert [each.value for each in client.get_metric_history(run.info.run_id, "loss")] == [1, 0.5]


def test_nested_runs_know_their_parent(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run() as parent:
        for n in range(2):
            with mlflow.start_run(nested=True):
                mlflow.log_param("n", n)
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'", order_by=["params.n"])
    assert [each.data.params["n"] for each in children] == ["0", "1"]
    assert client.get_parent_run(children[0].info.run_id).info.run_id == parent.info.run_id


def test_what_create_run_says_is_kept(client, experiment):
    made = client.create_run(experiment, start_time=1_700_000_000_123, run_name="by name", tags={"k": "v"})
    assert made.info.status == "RUNNING" and made.info.lifecycle_stage == "active" and made.info.experiment_id == experiment
    assert made.info.start_time == 1_700_000_000_123 and made.info.end_time is None
    found = client.get_run(made.info.run_id)
    assert found.info.run_name == "by name" and found.data.tags == {"k": "v", "mlflow.runName": "by name"}
    assert len(made.info.run_id) == 32


def test_a_run_without_a_name_gets_one(client, experiment):
    made = client.create_run(experiment)
    assert made.info.run_name and made.data.tags["mlflow.runName"] == made.info.run_name


def test_the_name_and_its_tag_are_one(client, run):
    client.update_run(run, name="second")
    assert client.get_run(run).data.tags["mlflow.runName"] == "second"
    client.set_tag(run, "mlflow.runName", "third")
    assert client.get_run(run).info.run_name == "third"


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED", "SCHEDULED", "RUNNING"])
def test_status(client, run, status):
    client.update_run(run, status=status)
    assert client.get_run(run).info.status == status


def test_set_terminated(client, run):
    client.set_terminated(run, "KILLED", 1_800_000_000_000)
    info = client.get_run(run).info
    assert (info.status, info.end_time) == ("KILLED", 1_800_000_000_000)


def test_parameters_do_not_change(client, run, refused):
    client.log_param(run, "rate", 0.5)
    client.log_param(run, "rate", 0.5)
    with refused("INVALID_PARAMETER_VALUE"):
        client.log_param(run, "rate", 0.25)
    with refused("INVALID_PARAMETER_VALUE"):
        client.log_batch(run, params=[Param("rate", "0.25"), Param("new", "1")], tags=[RunTag("new", "1")],
                         metrics=[Metric("new", 1, 1, 0)])
    found = client.get_run(run).data
    assert found.params == {"rate": "0.5"} and "new" not in found.tags and not found.metrics


def test_parameters_of_all_sizes(client, run, refused):
    client.log_param(run, "empty", "")
    client.log_param(run, "k" * 250, "v" * 6000)
    assert client.get_run(run).data.params == {"empty": "", "k" * 250: "v" * 6000}
    with refused("INVALID_PARAMETER_VALUE"):
        client.log_param(run, "k" * 251, "v")


@pytest.mark.parametrize("key", ["a/b", "with space", "a.b-c_d", "colon:ed"])
def test_keys(client, run, key):
    client.log_param(run, key, "1")
    client.log_metric(run, key, 1)
    client.set_tag(run, key, "1")
    data = client.get_run(run).data
    assert data.params[key] == "1" and data.metrics[key] == 1 and data.tags[key] == "1"


@pytest.mark.parametrize("key", ["../up", "/root", "a//b", "a/./b", "semi;colon", "quote'd", "."])
def test_keys_that_are_none(wire, run, key):
    for path, body in (("runs/log-parameter", {"value": "1"}), ("runs/set-tag", {"value": "1"}),
                       ("runs/log-metric", {"value": 1, "timestamp": 1, "step": 0})):
        answer = wire.post(path, run_id=run, key=key, **body)
        assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE", path


def test_tags_change_and_go(client, run, refused):
    client.set_tag(run, "k", "old")
    client.set_tag(run, "k", "new")
    assert client.get_run(run).data.tags["k"] == "new"
    client.delete_tag(run, "k")
    assert "k" not in client.get_run(run).data.tags
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.delete_tag(run, "k")


def test_a_batch(client, run):
    now = int(time.time() * 1000)
    client.log_batch(
        run,
        metrics=[Metric("loss", 1 / (step + 1), now + step, step) for step in range(500)] + [Metric("once", 7, now, 0)],
        params=[Param(f"p{n}", str(n)) for n in range(90)],
        tags=[RunTag(f"t{n}", str(n)) for n in range(90)],
    )
    data = client.get_run(run).data
    assert data.metrics == {"loss": 1 / 500, "once": 7}
    assert data.params == {f"p{n}": str(n) for n in range(90)}
    assert {key: value for key, value in data.tags.items() if key.startswith("t")} == {f"t{n}": str(n) for n in range(90)}
    assert [each.step for each in client.get_metric_history(run, "loss")] == list(range(500))


def test_the_client_cuts_large_batches(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run() as run:
        mlflow.log_params({f"p{n}": n for n in range(250)})
        mlflow.log_metrics({f"m{n}": n for n in range(1500)})
        mlflow.set_tags({f"t{n}": n for n in range(150)})
    data = client.get_run(run.info.run_id).data
    assert len(data.params) == 250 and len(data.metrics) == 1500
    assert sum(1 for key in data.tags if key.startswith("t")) == 150


def test_limits_of_a_batch(wire, run):
    metric = {"key": "m", "value": 1, "timestamp": 1, "step": 0}
    too_much = [
        {"metrics": [metric] * 1001},
        {"params": [{"key": f"p{n}", "value": "1"} for n in range(101)]},
        {"tags": [{"key": f"t{n}", "value": "1"} for n in range(101)]},
        {"metrics": [metric] * 1000, "params": [{"key": "p", "value": "1"}]},
        {"params": [{"key": "twice", "value": "1"}, {"key": "twice", "value": "2"}]},
    ]
    for body in too_much:
        answer = wire.post("runs/log-batch", run_id=run, **body)
        assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE", list(body)
    assert wire.post("runs/log-batch", run_id=run, metrics=[metric] * 1000).status_code == 200
    assert wire.post("runs/log-batch", run_id=run).status_code == 200


def test_asynchronous_logging(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run() as run:
        for step in range(50):
            mlflow.log_metric("loss", step, step=step, synchronous=False)
        mlflow.log_params({"a": 1}, synchronous=False)
        mlflow.flush_async_logging()
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 50
    assert client.get_run(run.info.run_id).data.params == {"a": "1"}


def test_delete_and_restore(client, experiment, run, refused):
    client.delete_run(run)
    assert client.get_run(run).info.lifecycle_stage == "deleted"
    assert not client.search_runs([experiment])
    for write in (lambda: client.log_metric(run, "m", 1), lambda: client.log_param(run, "p", 1),
                  lambda: client.set_tag(run, "t", 1), lambda: client.update_run(run, status="FINISHED")):
        with refused("INVALID_PARAMETER_VALUE"):
            write()
    client.restore_run(run)
    assert client.get_run(run).info.lifecycle_stage == "active"
    assert len(client.search_runs([experiment])) == 1
    client.log_metric(run, "m", 1)


def test_a_run_that_is_not_there(client, refused):
    nobody = "0" * 32
    for ask in (lambda: client.get_run(nobody), lambda: client.delete_run(nobody), lambda: client.restore_run(nobody),
                lambda: client.log_metric(nobody, "m", 1), lambda: client.set_tag(nobody, "t", 1),
                lambda: client.log_param(nobody, "p", 1), lambda: client.list_artifacts(nobody)):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            ask()


def test_data_sets(client, run):
    from mlflow.entities import Dataset, DatasetInput, InputTag

    train = Dataset(name="digits", digest="abc123", source_type="local", source='{"uri": "/data/digits"}',
                    schema='{"mlflow_colspec": []}', profile='{"num_rows": 60000}')
    client.log_inputs(run, [DatasetInput(train, [InputTag("mlflow.data.context", "training")])])
    client.log_inputs(run, [DatasetInput(train, [InputTag("mlflow.data.context", "training")])])
    other = Dataset(name="more", digest="def456", source_type="http", source="{}")
    client.log_inputs(run, [DatasetInput(other, [])])
    inputs = {each.dataset.name: each for each in client.get_run(run).inputs.dataset_inputs}
    assert set(inputs) == {"digits", "more"}
    found = inputs["digits"]
    assert (found.dataset.digest, found.dataset.source_type, found.dataset.source) == ("abc123", "local", '{"uri": "/data/digits"}')
    assert found.dataset.profile == '{"num_rows": 60000}' and found.dataset.schema == '{"mlflow_colspec": []}'
    assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "training")]
