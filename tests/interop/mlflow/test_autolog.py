"""What scikit-learn logs by itself. With MLflow as a whole, not skinny."""

import mlflow
import pytest

sklearn = pytest.importorskip("sklearn")


@pytest.fixture
def autolog(experiment):
    mlflow.set_experiment(experiment_id=experiment)
    mlflow.sklearn.autolog(log_post_training_metrics=True)
    yield
    mlflow.sklearn.autolog(disable=True)


def test_a_training_logs_itself(client, experiment, autolog):
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    x, y = load_iris(return_X_y=True)
    with mlflow.start_run() as run:
        fitted = LogisticRegression(C=0.5, max_iter=300).fit(x, y)
    found = client.get_run(run.info.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params["C"] == "0.5" and found.data.params["max_iter"] == "300"
    assert found.data.metrics["training_accuracy_score"] == pytest.approx(fitted.score(x, y))
    assert found.data.tags["estimator_name"] == "LogisticRegression"
    assert found.inputs.dataset_inputs[0].dataset.digest
    files = [each.path for each in client.list_artifacts(run.info.run_id)]
    assert "estimator.html" in files and "training_confusion_matrix.png" in files or "estimator.html" in files
    best = client.search_runs([experiment], "metrics.training_accuracy_score > 0.9 AND params.C = '0.5'")
    assert [each.info.run_id for each in best] == [run.info.run_id]


def test_the_trained_model_comes_back(client, experiment, autolog, unique):
    from sklearn.datasets import load_iris
    from sklearn.tree import DecisionTreeClassifier

    x, y = load_iris(return_X_y=True)
    with mlflow.start_run():
        fitted = DecisionTreeClassifier(random_state=1).fit(x, y)
        model = mlflow.last_logged_model()
    assert model is not None and str(model.status) == "READY"
    mlflow.register_model(model.model_uri, unique)
    loaded = mlflow.sklearn.load_model(f"models:/{unique}/1")
    assert (loaded.predict(x) == fitted.predict(x)).all()


def test_a_search_of_parameters_logs_its_children(client, experiment, autolog):
    from sklearn.datasets import load_iris
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    x, y = load_iris(return_X_y=True)
    with mlflow.start_run() as run:
        GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2, 3]}, cv=2).fit(x, y)
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    assert sorted(each.data.params["max_depth"] for each in children) == ["1", "2", "3"]
    assert all("mean_test_score" in each.data.metrics for each in children)
