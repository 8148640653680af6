"""Registered models and their versions."""

import mlflow
import pytest
import yaml


@pytest.fixture
def model(client, unique):
    client.create_registered_model(unique)
    return unique


@pytest.fixture
def source(client, run):
    """A folder of the run that looks like a model's."""
    client.log_text(run, yaml.safe_dump({"artifact_path": "model", "run_id": run, "flavors": {}}), "model/MLmodel")
    client.log_text(run, "weights", "model/data/weights.bin")
    return client.get_run(run).info.artifact_uri + "/model"


def own(tags):
    """Without those that onnxop gives a version by itself: why it is not served."""
    return {key: value for key, value in tags.items() if not key.startswith("onnxop.")}


def names(found):
    return [each.name for each in found]


def test_create_and_get(client, unique):
    made = client.create_registered_model(unique, tags={"task": "digits"}, description="What it is for")
    found = client.get_registered_model(unique)
    for each in (made, found):
        assert (each.name, each.description, each.tags) == (unique, "What it is for", {"task": "digits"})
        assert each.creation_timestamp > 1_600_000_000_000 and each.last_updated_timestamp >= each.creation_timestamp
    assert found.latest_versions == [] and found.aliases == {}


def test_names_are_taken_once(client, model, refused):
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.create_registered_model(model)
    for ask in (lambda: client.get_registered_model(model + "x"), lambda: client.delete_registered_model(model + "x"),
                lambda: client.update_registered_model(model + "x", "text"),
                lambda: client.rename_registered_model(model + "x", model + "y"),
                lambda: client.set_registered_model_tag(model + "x", "k", "v")):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            ask()


@pytest.mark.parametrize("name", ["a/b", "a:b"])
def test_names_that_are_none(wire, name):
    answer = wire.post("registered-models/create", name=name)
    assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_describe_and_rename(client, model, source, run, refused):
    client.update_registered_model(model, "Better said")
    assert client.get_registered_model(model).description == "Better said"
    client.create_model_version(model, source, run)
    client.set_registered_model_alias(model, "champion", "1")
    client.rename_registered_model(model, model + "-renamed")
    assert client.get_registered_model(model + "-renamed").description == "Better said"
    assert client.get_model_version_by_alias(model + "-renamed", "champion").version in ("1", 1)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_registered_model(model)


def test_rename_to_a_taken_name(client, model, refused):
    client.create_registered_model(model + "-other")
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.rename_registered_model(model, model + "-other")


def test_tags_of_a_model(client, model):
    client.set_registered_model_tag(model, "k", "old")
    client.set_registered_model_tag(model, "k", "new")
    assert client.get_registered_model(model).tags == {"k": "new"}
    client.delete_registered_model_tag(model, "k")
    client.delete_registered_model_tag(model, "k")
    assert client.get_registered_model(model).tags == {}


def test_versions(client, model, source, run, refused):
    first = client.create_model_version(model, source, run, tags={"k": "v"}, description="The first")
    second = client.create_model_version(model, source, run)
    assert (str(first.version), str(second.version)) == ("1", "2")
    found = client.get_model_version(model, "1")
    assert (found.name, found.source, found.run_id, found.status) == (model, source, run, "READY")
    assert found.description == "The first" and own(found.tags) == {"k": "v"} and found.current_stage == "None"
    assert client.get_model_version_download_uri(model, "1") == source
    client.update_model_version(model, "1", "Said again")
    assert client.get_model_version(model, "1").description == "Said again"
    client.set_model_version_tag(model, "1", "more", "x")
    client.delete_model_version_tag(model, "1", "k")
    assert own(client.get_model_version(model, "1").tags) == {"more": "x"}
    client.delete_model_version(model, "1")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_model_version(model, "1")
    assert str(client.create_model_version(model, source, run).version) == "3"
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.create_model_version(model + "x", source, run)


def test_the_files_of_a_version(client, model, source, run, tmp_path):
    client.create_model_version(model, source, run)
    fetched = mlflow.artifacts.download_artifacts(f"models:/{model}/1", dst_path=str(tmp_path))
    assert open(fetched + "/data/weights.bin").read() == "weights"


def test_the_files_of_a_copied_version(client, model, source, run, unique, tmp_path):
    client.create_model_version(model, source, run)
    copy = client.copy_model_version(f"models:/{model}/1", f"{unique}-copy")
    assert (copy.name, str(copy.version)) == (f"{unique}-copy", "1")
    fetched = mlflow.artifacts.download_artifacts(f"models:/{unique}-copy/1", dst_path=str(tmp_path))
    assert open(fetched + "/data/weights.bin").read() == "weights"


@pytest.mark.parametrize("place", ["/etc", "file:///etc", "{run}/../../x", "{run}/%2e%2e/%2e%2e/x", "{other}", "mlflow-artifacts:/../x"])
def test_sources_outside_of_the_run(client, wire, model, experiment, run, place):
    other = client.create_run(experiment).info
    place = place.format(run=client.get_run(run).info.artifact_uri, other=other.artifact_uri + "/model")
    answer = wire.post("model-versions/create", name=model, source=place, run_id=run)
    assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_register_model_from_a_run(client, run, source, unique):
    made = mlflow.register_model(f"runs:/{run}/model", unique, tags={"k": "v"})
    again = mlflow.register_model(f"runs:/{run}/model", unique)
    assert (str(made.version), str(again.version)) == ("1", "2")
    found = client.get_model_version(unique, "1")
    assert found.run_id == run and found.source == source and own(found.tags) == {"k": "v"}


def test_aliases(client, model, source, run, refused):
    for _ in range(3):
        client.create_model_version(model, source, run)
    client.set_registered_model_alias(model, "champion", "1")
    client.set_registered_model_alias(model, "challenger_2", "3")
    client.set_registered_model_alias(model, "champion", 2)
    assert client.get_registered_model(model).aliases == {"champion": "2", "challenger_2": "3"}
    assert str(client.get_model_version_by_alias(model, "champion").version) == "2"
    assert client.get_model_version(model, "2").aliases == ["champion"]
    assert str(client.get_model_version_by_alias(model, "latest").version) == "3"
    client.delete_registered_model_alias(model, "champion")
    client.delete_registered_model_alias(model, "champion")
    with refused("INVALID_PARAMETER_VALUE"):
        client.get_model_version_by_alias(model, "champion")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.set_registered_model_alias(model, "champion", "9")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_model_version_by_alias(model + "x", "champion")
    client.delete_model_version(model, "3")
    assert client.get_registered_model(model).aliases == {}


@pytest.mark.parametrize("alias", ["latest", "Latest", "v1", "V12", "a b", "a/b", "a.b"])
def test_aliases_that_are_none(client, wire, model, source, run, alias):
    client.create_model_version(model, source, run)
    answer = wire.post("registered-models/alias", name=model, alias=alias, version="1")
    assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_stages(client, model, source, run, refused):
    for _ in range(4):
        client.create_model_version(model, source, run)
    assert client.transition_model_version_stage(model, "1", "Production").current_stage == "Production"
    client.transition_model_version_stage(model, "2", "staging")
    latest = {each.current_stage: str(each.version) for each in client.get_latest_versions(model)}
    assert latest == {"Production": "1", "Staging": "2", "None": "4"}
    client.transition_model_version_stage(model, "2", "Production", archive_existing_versions=True)
    assert client.get_model_version(model, "1").current_stage == "Archived"
    assert [str(each.version) for each in client.get_latest_versions(model, ["Production"])] == ["2"]
    with refused("INVALID_PARAMETER_VALUE"):
        client.transition_model_version_stage(model, "3", "Nowhere")
    with refused("INVALID_PARAMETER_VALUE"):
        client.get_latest_versions(model, ["Nowhere"])
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_latest_versions(model + "x")


def test_search_models(client, unique):
    for n in range(5):
        client.create_registered_model(f"{unique}-{n}", tags={"n": str(n), "group": unique})
    prefix = f"name LIKE '{unique}-%'"
    assert names(client.search_registered_models(prefix)) == [f"{unique}-{n}" for n in range(5)]
    assert names(client.search_registered_models(prefix, order_by=["name DESC"]))[0] == f"{unique}-4"
    assert names(client.search_registered_models(f"name = '{unique}-3'")) == [f"{unique}-3"]
    assert names(client.search_registered_models(f"name ILIKE '{unique.upper()}-2'")) == [f"{unique}-2"]
    assert names(client.search_registered_models(f"tags.group = '{unique}' AND tags.n != '0'")) == [f"{unique}-{n}" for n in range(1, 5)]
    newest = client.search_registered_models(prefix, order_by=["last_updated_timestamp DESC"], max_results=2)
    assert len(newest) == 2 and newest.token
    found, token = [], None
    while True:
        page = client.search_registered_models(prefix, max_results=2, page_token=token)
        found += names(page)
        token = page.token
        if not token:
            break
    assert found == [f"{unique}-{n}" for n in range(5)]


def test_search_versions(client, model, source, run, experiment):
    other_run = client.create_run(experiment).info
    client.log_text(other_run.run_id, "x", "model/MLmodel")
    client.create_model_version(model, source, run, tags={"k": "a"})
    client.create_model_version(model, other_run.artifact_uri + "/model", other_run.run_id, tags={"k": "b"})
    client.create_model_version(model, source, run)
    version = lambda found: sorted(int(each.version) for each in found)
    assert version(client.search_model_versions(f"name = '{model}'")) == [1, 2, 3]
    assert version(client.search_model_versions(f"name='{model}' and run_id = '{run}'")) == [1, 3]
    assert version(client.search_model_versions(f"run_id IN ('{other_run.run_id}', 'x')")) == [2]
    assert version(client.search_model_versions(f"name='{model}' and tags.k = 'b'")) == [2]
    assert version(client.search_model_versions(f"source_path = '{source}'")) == [1, 3]
    assert version(client.search_model_versions(f"name='{model}' and version_number > 1")) == [2, 3]
    descending = client.search_model_versions(f"name='{model}'", order_by=["version_number DESC"])
    assert [int(each.version) for each in descending] == [3, 2, 1]
    page = client.search_model_versions(f"name='{model}'", max_results=2, order_by=["version_number ASC"])
    assert version(page) == [1, 2] and page.token
    rest = client.search_model_versions(f"name='{model}'", max_results=2, order_by=["version_number ASC"], page_token=page.token)
    assert version(rest) == [3] and not rest.token


def test_delete_a_model(client, model, source, run, refused):
    client.create_model_version(model, source, run)
    client.delete_registered_model(model)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_registered_model(model)
    assert client.search_model_versions(f"name = '{model}'") == []
    client.create_registered_model(model)
    assert client.get_registered_model(model).latest_versions == []


@pytest.mark.parametrize("bad", ["nothing = 'x'", "name", "name > 'x'", "metrics.a = 1"])
def test_what_is_no_filter_is_refused(client, refused, bad):
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_registered_models(bad)
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_model_versions(bad)
