"""Experiments, through the fluent and the client interface."""

import os

import mlflow
import pytest
from mlflow.entities import ViewType


def names(experiments):
    return [each.name for each in experiments]


def test_experiment_zero_is_the_default(client):
    default = client.get_experiment("0")
    assert default.name == "Default" and default.lifecycle_stage == "active"
    assert client.get_experiment_by_name("Default").experiment_id == "0"
    assert default.artifact_location.startswith("mlflow-artifacts:/")


def test_create_and_get(client, unique):
    made = client.create_experiment(unique, tags={"team": "vision", "stage": "é"})
    found = client.get_experiment(made)
    assert (found.experiment_id, found.name, found.tags) == (made, unique, {"team": "vision", "stage": "é"})
    assert found.artifact_location.startswith("mlflow-artifacts:/")
    assert found.creation_time > 1_600_000_000_000 and found.last_update_time >= found.creation_time
    assert client.get_experiment_by_name(unique).experiment_id == made


def test_where_its_artifacts_lie(client, unique, refused, tmp_path):
    where = f"mlflow-artifacts:/teams/{unique}"
    experiment = client.create_experiment(unique, artifact_location=where)
    assert client.get_experiment(experiment).artifact_location == where
    with mlflow.start_run(experiment_id=experiment) as run:
        assert run.info.artifact_uri == f"{where}/{run.info.run_id}/artifacts"
        mlflow.log_text("abc", "notes/a.txt")
    assert [each.path for each in client.list_artifacts(run.info.run_id, "notes")] == ["notes/a.txt"]
    assert mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/a.txt") == "abc"
    found = client.search_runs([experiment], f"attributes.artifact_uri = '{run.info.artifact_uri}'")
    assert [each.info.run_id for each in found] == [run.info.run_id]


def test_artifacts_stay_on_this_server(client, unique, refused):
    """MLflow's own server would let clients write there by themselves; this one could not serve what they write."""
    if "ONNXOP_ADDRESS" not in os.environ:
        pytest.skip("of this server")
    for elsewhere in ("s3://bucket/x", "file:///tmp/x", "/tmp/x", "mlflow-artifacts://other/x", "mlflow-artifacts:/../x"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.create_experiment(unique, artifact_location=elsewhere)


def test_a_name_is_taken_once_and_a_missing_one_is_none(client, experiment, unique, refused):
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.create_experiment(unique)
    assert client.get_experiment_by_name("nobody's " + unique) is None
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_experiment("987654321")


def test_set_experiment_makes_it_or_finds_it(unique):
    first = mlflow.set_experiment(unique)
    again = mlflow.set_experiment(unique)
    assert first.experiment_id == again.experiment_id
    assert mlflow.set_experiment(experiment_id=first.experiment_id).name == unique
    with mlflow.start_run() as run:
        assert run.info.experiment_id == first.experiment_id


def test_rename(client, experiment, unique, refused):
    client.rename_experiment(experiment, unique + " renamed")
    assert client.get_experiment(experiment).name == unique + " renamed"
    assert client.get_experiment_by_name(unique) is None
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.rename_experiment("987654321", unique + " other")


def test_tags(client, experiment):
    client.set_experiment_tag(experiment, "owner", "ada")
    client.set_experiment_tag(experiment, "owner", "grace")
    client.set_experiment_tag(experiment, "mlflow.note.content", "what it is about\n" * 100)
    tags = client.get_experiment(experiment).tags
    assert tags["owner"] == "grace" and tags["mlflow.note.content"].count("\n") == 100


def test_tags_are_deleted(client, experiment, refused, wire):
    client.set_experiment_tag(experiment, "owner", "ada")
    if hasattr(client, "delete_experiment_tag"):
        client.delete_experiment_tag(experiment, "owner")
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.delete_experiment_tag(experiment, "owner")
    else:
        assert wire.post("experiments/delete-experiment-tag", experiment_id=experiment, key="owner").status_code == 200
    assert "owner" not in client.get_experiment(experiment).tags


def test_delete_and_restore(client, experiment, unique, refused):
    run = client.create_run(experiment).info.run_id
    client.delete_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    assert client.get_run(run).info.lifecycle_stage == "deleted"
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.create_experiment(unique)
    with refused("INVALID_PARAMETER_VALUE"):
        client.create_run(experiment)
    with pytest.raises(mlflow.exceptions.MlflowException, match="deleted experiment"):
        mlflow.set_experiment(unique)
    client.restore_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "active"
    assert client.get_run(run).info.lifecycle_stage == "active"
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.delete_experiment("987654321")


def test_search_by_name_and_tag(client, unique):
    made = {n: client.create_experiment(f"{unique} {n}", tags={"group": unique, "n": str(n)}) for n in range(5)}
    client.delete_experiment(made[4])
    group = f"tags.group = '{unique}'"
    assert names(client.search_experiments(filter_string=group, order_by=["name ASC"])) == [f"{unique} {n}" for n in range(4)]
    assert names(client.search_experiments(filter_string=group, order_by=["name DESC"]))[0] == f"{unique} 3"
    assert names(client.search_experiments(filter_string=f"name = '{unique} 2'")) == [f"{unique} 2"]
    assert names(client.search_experiments(filter_string=f"name LIKE '{unique} %' AND tags.n != '1'", order_by=["name"])) == [
        f"{unique} 0", f"{unique} 2", f"{unique} 3"]
    assert names(client.search_experiments(filter_string=f"attribute.name ILIKE '{unique.upper()} 3'")) == [f"{unique} 3"]
    deleted = client.search_experiments(view_type=ViewType.DELETED_ONLY, filter_string=group)
    assert names(deleted) == [f"{unique} 4"]
    assert len(client.search_experiments(view_type=ViewType.ALL, filter_string=group)) == 5
    since = client.get_experiment(made[2]).creation_time
    found = client.search_experiments(filter_string=f"{group} AND creation_time >= {since}", order_by=["creation_time DESC"])
    assert f"{unique} 3" in names(found)


def test_search_comes_in_pages(client, unique):
    for n in range(7):
        client.create_experiment(f"{unique} {n}")
    found, token = [], None
    while True:
        page = client.search_experiments(
            filter_string=f"name LIKE '{unique} %'", max_results=3, order_by=["name ASC"], page_token=token)
        assert len(page) <= 3
        found += names(page)
        token = page.token
        if not token:
            break
    assert found == [f"{unique} {n}" for n in range(7)]


@pytest.mark.parametrize("bad", ["name", "nothing = 'x'", "name = 5 5", "metrics.a > 1"])
def test_what_is_no_filter_is_refused(client, refused, bad):
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_experiments(filter_string=bad)
