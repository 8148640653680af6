"""Models as runs log them since MLflow 3: made, finished, tagged, measured, searched, deleted."""

import mlflow
import pytest
from conftest import MAJOR

pytestmark = pytest.mark.skipif(MAJOR < 3, reason="MLflow 2 has no logged models")


@pytest.fixture
def model(client, experiment, run):
    return client.create_logged_model(
        experiment, name="net", source_run_id=run, tags={"k": "v"}, params={"layers": "3"}, model_type="classifier").model_id


def test_made_and_finished(client, experiment, run, model):
    found = client.get_logged_model(model)
    assert (found.name, found.experiment_id, found.source_run_id, found.model_type) == ("net", experiment, run, "classifier")
    assert str(found.status) == "PENDING" and found.tags == {"k": "v"} and found.params == {"layers": "3"}
    assert found.model_id.startswith("m-") and found.artifact_location.startswith("mlflow-artifacts:/")
    assert found.creation_timestamp > 1_600_000_000_000
    finished = client.finalize_logged_model(model, "READY")
    assert str(finished.status) == "READY" and finished.last_updated_timestamp >= finished.creation_timestamp
    assert str(client.get_logged_model(model).status) == "READY"


def test_a_model_without_a_name_gets_one(client, experiment):
    assert client.create_logged_model(experiment).name


def test_upload_failed(client, model):
    assert str(client.finalize_logged_model(model, "FAILED").status) == "FAILED"


def test_tags(client, model, refused):
    client.set_logged_model_tags(model, {"a": "1", "k": "new"})
    assert client.get_logged_model(model).tags == {"a": "1", "k": "new"}
    client.delete_logged_model_tag(model, "a")
    assert client.get_logged_model(model).tags == {"k": "new"}
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.delete_logged_model_tag(model, "a")


def test_parameters(client, model):
    client.log_model_params(model, {"rate": "0.5"})
    assert client.get_logged_model(model).params == {"layers": "3", "rate": "0.5"}


def test_files(client, model, tmp_path):
    (tmp_path / "a.txt").write_text("abc")
    client.log_model_artifact(model, str(tmp_path / "a.txt"))
    client.log_model_artifacts(model, str(tmp_path))
    assert [(each.path, each.file_size) for each in client.list_logged_model_artifacts(model)] == [("a.txt", 3)]


def test_metrics_of_a_model(client, run, model):
    client.log_metric(run, "accuracy", 0.5, step=1, model_id=model)
    client.log_metric(run, "accuracy", 0.75, step=2, model_id=model, dataset_name="digits", dataset_digest="abc")
    metrics = client.get_logged_model(model).metrics
    assert {(each.key, each.value, each.step, each.dataset_name or None, each.run_id) for each in metrics} == {
        ("accuracy", 0.5, 1, None, run), ("accuracy", 0.75, 2, "digits", run)}


def test_a_run_knows_what_came_out(client, run, model):
    from mlflow.entities import LoggedModelOutput

    client.log_outputs(run, [LoggedModelOutput(model, step=3)])
    outputs = client.get_run(run).outputs.model_outputs
    assert [(each.model_id, each.step) for each in outputs] == [(model, 3)]


def test_a_run_knows_what_went_in(client, experiment, model):
    from mlflow.entities import LoggedModelInput

    run = client.create_run(experiment).info.run_id
    client.log_inputs(run, models=[LoggedModelInput(model)])
    assert [each.model_id for each in client.get_run(run).inputs.model_inputs] == [model]


def test_search(client, experiment, run):
    ids = {}
    for n in range(4):
        ids[n] = client.create_logged_model(experiment, name=f"net-{n}", source_run_id=run, params={"n": str(n)},
                                            tags={"even": str(n % 2 == 0)}).model_id
        client.log_metric(run, "accuracy", n / 10, model_id=ids[n])
        client.finalize_logged_model(ids[n], "READY" if n else "FAILED")
    names = lambda **query: [each.name for each in client.search_logged_models([experiment], **query)]
    ascending = [{"field_name": "creation_timestamp", "ascending": True}]
    assert names(order_by=ascending) == ["net-0", "net-1", "net-2", "net-3"]
    assert names() == ["net-3", "net-2", "net-1", "net-0"]
    assert names(filter_string="name = 'net-2'") == ["net-2"]
    assert names(filter_string="name LIKE 'net-%' AND params.n != '1'", order_by=ascending) == ["net-0", "net-2", "net-3"]
    assert names(filter_string="metrics.accuracy >= 0.2", order_by=ascending) == ["net-2", "net-3"]
    assert names(filter_string="tags.even = 'True'", order_by=ascending) == ["net-0", "net-2"]
    assert names(filter_string=f"source_run_id = '{run}' AND params.n != '0'", order_by=ascending) == ["net-1", "net-2", "net-3"]
    assert names(filter_string=f"model_id = '{ids[3]}'") == ["net-3"]
    assert names(order_by=[{"field_name": "metrics.accuracy", "ascending": False}])[0] == "net-3"
    page = client.search_logged_models([experiment], max_results=3, order_by=ascending)
    assert len(page) == 3 and page.token
    rest = client.search_logged_models([experiment], max_results=3, order_by=ascending, page_token=page.token)
    assert [each.name for each in rest] == ["net-3"] and not rest.token


def test_search_by_data_set(client, experiment, run):
    values = {"a": {("train", "1"): 0.9, ("test", "2"): 0.1}, "b": {("train", "9"): 0.5, ("test", "2"): 0.8}, "c": {}}
    for name, measured in values.items():
        model = client.create_logged_model(experiment, name=name, source_run_id=run).model_id
        for (dataset, digest), value in measured.items():
            client.log_metric(run, "acc", value, model_id=model, dataset_name=dataset, dataset_digest=digest)
    names = lambda **query: [each.name for each in client.search_logged_models([experiment], **query)]
    train, test = {"dataset_name": "train", "dataset_digest": "1"}, {"dataset_name": "test", "dataset_digest": "2"}
    assert names(datasets=[train]) == ["a"]
    assert names(datasets=[train, test]) == ["b", "a"]
    assert names(filter_string="metrics.acc > 0.7", datasets=[train]) == ["a"]
    assert names(filter_string="metrics.acc > 0.7", datasets=[test]) == ["b"]
    assert names(filter_string="metrics.acc > 0.7 AND name = 'a'", datasets=[test]) == []
    by = {"field_name": "metrics.acc", "ascending": False}
    assert names(order_by=[{**by, **test}]) == ["b", "a", "c"]
    assert names(order_by=[{**by, **train}]) == ["a", "c", "b"]
    assert names(order_by=[{**by, "dataset_name": "train"}]) == ["a", "b", "c"]
    frame = mlflow.search_logged_models([experiment], datasets=[test], order_by=[{**by, **test}], output_format="list")
    assert [each.name for each in frame] == ["b", "a"]


def test_order_by_a_metric_with_an_odd_name(client, experiment, run):
    for name, value in (("a", 0.5), ("b", 0.25)):
        model = client.create_logged_model(experiment, name=name, source_run_id=run).model_id
        client.log_metric(run, "f1 score/top-1", value, model_id=model)
    found = client.search_logged_models([experiment], order_by=[{"field_name": "metrics.f1 score/top-1", "ascending": True}])
    assert [each.name for each in found] == ["b", "a"]


def test_search_what_is_none(client, experiment, refused):
    for bad in ("name", "nothing = 'x'"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.search_logged_models([experiment], filter_string=bad)
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_logged_models([experiment], datasets=[{"dataset_name": "", "dataset_digest": "1"}])


def test_deleted(client, experiment, model, refused):
    client.delete_logged_model(model)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_logged_model(model)
    assert client.search_logged_models([experiment]) == []


def test_the_fluent_interface(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run() as run:
        model = mlflow.initialize_logged_model(name="net", params={"a": "1"})
        mlflow.log_metric("accuracy", 0.5, model_id=model.model_id)
        mlflow.finalize_logged_model(model.model_id, "READY")
    assert client.get_logged_model(model.model_id).source_run_id == run.info.run_id
    found = mlflow.search_logged_models([experiment], output_format="list")
    assert [each.name for each in found] == ["net"]


def test_a_version_of_a_logged_model(client, model, unique):
    client.create_registered_model(unique)
    made = client.create_model_version(unique, f"models:/{model}", model_id=model)
    found = client.get_model_version(unique, made.version)
    assert found.source in (f"models:/{model}", client.get_logged_model(model).artifact_location)
    assert client.get_model_version_download_uri(unique, made.version) == client.get_logged_model(model).artifact_location
