"""Files of a run: sent, listed, fetched, deleted, and kept within the run's folder."""

import hashlib
import os

import mlflow
import pytest

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


def listed(client, run, path=None):
    return [(each.path, each.is_dir, None if each.is_dir else each.file_size or 0) for each in client.list_artifacts(run, path)]


@pytest.fixture
def folder(client, run):
    """Where the proxy has the run's files: below PROXY."""
    uri = client.get_run(run).info.artifact_uri
    assert uri.startswith("mlflow-artifacts:/")
    return PROXY + "/" + uri.removeprefix("mlflow-artifacts:/").lstrip("/")


def test_texts_and_dictionaries(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run() as run:
        mlflow.log_text("grüße\n", "notes/hello.txt")
        mlflow.log_dict({"a": [1, 2]}, "config.json")
        mlflow.log_dict({"b": 1}, "deep/er/config.yaml")
    run = run.info.run_id
    assert listed(client, run) == [("config.json", False, 29), ("deep", True, None), ("notes", True, None)]
    assert listed(client, run, "notes") == [("notes/hello.txt", False, len("grüße\n".encode()))]
    assert listed(client, run, "deep/er") == [("deep/er/config.yaml", False, 5)]
    assert mlflow.artifacts.load_text(f"runs:/{run}/notes/hello.txt") == "grüße\n"
    assert mlflow.artifacts.load_dict(f"runs:/{run}/config.json") == {"a": [1, 2]}


def test_nothing_there(client, run):
    assert client.list_artifacts(run) == []
    assert client.list_artifacts(run, "nothing") == []


def test_a_list_of_a_file_is_empty(client, run):
    client.log_text(run, "x", "a.txt")
    assert client.list_artifacts(run, "a.txt") == []


def test_folders_go_and_come_back_whole(client, run, tmp_path):
    source = tmp_path / "source"
    (source / "a" / "b").mkdir(parents=True)
    (source / "empty").touch()
    (source / "a" / "one.bin").write_bytes(bytes(range(256)))
    (source / "a" / "b" / "ein Löffel voll.txt").write_text("x")
    (source / "a" / "b" / "plus + and & comma, equals=.txt").write_text("y")
    client.log_artifacts(run, str(source))
    client.log_artifacts(run, str(source), "copy/of")
    for root in ("", "copy/of"):
        fetched = client.download_artifacts(run, root, str(tmp_path))
        for file in source.rglob("*"):
            if file.is_file():
                assert (file.read_bytes()) == open(os.path.join(fetched, file.relative_to(source)), "rb").read()
    assert ("empty", False, 0) in listed(client, run)


def test_an_empty_file(client, run, tmp_path):
    (tmp_path / "empty").touch()
    client.log_artifact(run, str(tmp_path / "empty"))
    assert listed(client, run) == [("empty", False, 0)]
    assert os.path.getsize(client.download_artifacts(run, "empty", str(tmp_path / "empty").removesuffix("empty"))) == 0


def test_a_large_file(client, run, tmp_path):
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(20 << 20))
    client.log_artifact(run, str(large))
    assert listed(client, run) == [("large.bin", False, 20 << 20)]
    target = tmp_path / "fetched"
    target.mkdir()
    fetched = client.download_artifacts(run, "large.bin", str(target))
    digest = lambda path: hashlib.sha256(open(path, "rb").read()).hexdigest()
    assert digest(fetched) == digest(large)


def test_a_file_is_replaced(client, run):
    client.log_text(run, "first, and longer", "a.txt")
    client.log_text(run, "second", "a.txt")
    assert mlflow.artifacts.load_text(f"runs:/{run}/a.txt") == "second"
    assert listed(client, run) == [("a.txt", False, 6)]


def test_what_is_not_there(client, run, folder, wire):
    with pytest.raises(Exception):
        client.download_artifacts(run, "nothing.txt")
    answer = wire.get(f"{folder}/nothing.txt")
    assert answer.status_code == 404 and answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_files_are_deleted(client, run):
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    client.log_text(run, "x", "keep/a.txt")
    client.log_text(run, "x", "drop/b.txt")
    client.log_text(run, "x", "drop/er/c.txt")
    repository = get_artifact_repository(client.get_run(run).info.artifact_uri)
    repository.delete_artifacts("drop/b.txt")
    assert listed(client, run, "drop") == [("drop/er", True, None)]
    repository.delete_artifacts("drop")
    assert listed(client, run) == [("keep", True, None)]
    repository.delete_artifacts("drop")


def test_the_proxys_own_list(client, run, folder, wire):
    client.log_text(run, "abc", "d/a.txt")
    client.log_text(run, "", "d/b.txt")
    answer = wire.get(PROXY, path=folder.removeprefix(PROXY + "/") + "/d")
    assert answer.status_code == 200
    files = {each["path"]: each for each in answer.json()["files"]}
    assert set(files) == {"a.txt", "b.txt"} and not files["a.txt"]["is_dir"] and int(files["a.txt"]["file_size"]) == 3


def test_the_kind_of_a_file(client, run, folder, wire):
    client.log_text(run, "x", "b.txt")
    assert wire.get(f"{folder}/b.txt").headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("way_out", ["%2e%2e/x", "a/%2e%2e/%2e%2e/x", "%252e%252e/x", "%25252e%25252e/x"])
def test_no_way_out_of_the_folder(wire, folder, way_out):
    for method in ("GET", "PUT", "DELETE"):
        answer = wire.send(method, f"{folder}/{way_out}", data=b"x" if method == "PUT" else None)
        assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE", (method, answer.text)


@pytest.mark.parametrize("path", ["..", "../..", "a/../../b", "/etc", "%2e%2e/x"])
def test_no_list_of_other_folders(client, wire, run, path):
    answer = wire.get("artifacts/list", run_id=run, path=path)
    assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert wire.get(PROXY, path=path).status_code == 400


def test_uploads_in_parts_are_not_offered(wire, folder):
    path = folder.replace("/artifacts/", "/mpu/create/", 1)
    answer = wire.post(path + "/large.bin", path="large.bin", num_parts=2)
    assert answer.status_code == 501 and answer.json()["error_code"] == "NOT_IMPLEMENTED"
    assert answer.json()["message"].startswith("Multipart upload is not supported for the current artifact repository")


def test_a_client_set_on_parts_sends_the_file_whole(client, run, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(5 << 20))
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(6 << 20))
    client.log_artifact(run, str(large))
    assert listed(client, run) == [("large.bin", False, 6 << 20)]
