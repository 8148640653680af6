"""The history of a metric: order, odd numbers, pages, samples of it."""

import math

import pytest
from mlflow.entities import Metric


def test_history_has_every_point(client, run):
    """In the order of their times, then steps, then values, however they were logged."""
    for step, value, timestamp in ((2, 0.2, 3000), (0, 1.0, 1000), (1, 0.5, 2000), (1, 0.4, 2000)):
        client.log_metric(run, "loss", value, timestamp=timestamp, step=step)
    history = client.get_metric_history(run, "loss")
    assert [(each.step, each.value, each.timestamp) for each in history] == [
        (0, 1.0, 1000), (1, 0.4, 2000), (1, 0.5, 2000), (2, 0.2, 3000)]
    assert client.get_metric_history(run, "nothing") == []


def test_a_point_that_is_sent_again_is_kept_once(client, run):
    points = [Metric("loss", value, 1000 + step, step) for step, value in enumerate((0.5, 0.25, math.nan, 0.0))]
    for _ in range(2):
        client.log_batch(run, metrics=points + points[:1])
        client.log_metric(run, "loss", 0.25, timestamp=1001, step=1)
    client.log_batch(run, metrics=points[:2] + [Metric("loss", 0.75, 1000, 0), Metric("loss", 0.5, 1000, 7)])
    history = client.get_metric_history(run, "loss")
    assert [(each.step, each.value) for each in history if not math.isnan(each.value)] == [
        (0, 0.5), (0, 0.75), (7, 0.5), (1, 0.25), (3, 0.0)]
    assert len(history) == 6
    assert client.get_run(run).data.metrics["loss"] == 0.0


def test_the_latest_is_the_last_in_time_or_else_the_largest(client, run):
    points = [(0, 9.0, 1000), (4, 1.0, 5000), (4, 3.0, 6000), (4, 2.0, 6000)]
    client.log_batch(run, metrics=[Metric("m", value, timestamp, step) for step, value, timestamp in points])
    found = client.get_run(run)
    assert found.data.metrics == {"m": 3.0}
    client.log_metric(run, "m", 8.0, timestamp=2000, step=1)
    assert client.get_run(run).data.metrics == {"m": 3.0}


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-300, 1.7976931348623157e308, 0.1, 1 / 3, 123456789.123456789, -5])
def test_numbers_come_back_as_they_were(client, run, value):
    client.log_metric(run, "m", value)
    assert client.get_run(run).data.metrics["m"] == value
    assert client.get_metric_history(run, "m")[0].value == value


def test_nan_and_infinities(client, run):
    client.log_metric(run, "nan", math.nan)
    client.log_metric(run, "up", math.inf)
    client.log_metric(run, "down", -math.inf)
    client.log_batch(run, metrics=[Metric("mixed", math.nan, 1, 0), Metric("mixed", 2.0, 2, 1)])
    metrics = client.get_run(run).data.metrics
    assert math.isnan(metrics["nan"])
    # MLflow's own stores keep an infinity as the largest double.
    assert metrics["up"] >= 1.7976931348623157e308 and metrics["down"] <= -1.7976931348623157e308
    assert metrics["mixed"] == 2.0
    assert math.isnan(client.get_metric_history(run, "mixed")[0].value)


def test_steps_and_times(client, run):
    for step in (-5, 0, 2**53 + 1, 2**62):
        client.log_metric(run, f"at {step}", 1, timestamp=2**50, step=step)
        found = client.get_metric_history(run, f"at {step}")[0]
        assert (found.step, found.timestamp) == (step, 2**50)


@pytest.fixture
def long_run(client, run):
    for start in range(0, 5000, 1000):
        client.log_batch(run, metrics=[Metric("loss", float(step), 1000 + step, step) for step in range(start, start + 1000)])
    return run


def test_a_long_history(client, wire, long_run):
    assert [each.step for each in client.get_metric_history(long_run, "loss")] == list(range(5000))
    steps, token = [], ""
    while True:
        answer = wire.get("metrics/get-history", run_id=long_run, metric_key="loss", max_results=1999, page_token=token).json()
        steps += [int(each["step"]) for each in answer["metrics"]]
        token = answer.get("next_page_token", "")
        if not token:
            break
    assert steps == list(range(5000))


def test_samples_of_a_history(wire, client, experiment, long_run):
    other = client.create_run(experiment).info.run_id
    client.log_batch(other, metrics=[Metric("loss", 1.0, step, step) for step in range(10)])
    answer = wire.get("metrics/get-history-bulk-interval", run_ids=[long_run, other], metric_key="loss", max_results=100)
    assert answer.status_code == 200
    by_run = {}
    for each in answer.json()["metrics"]:
        by_run.setdefault(each["run_id"], []).append(int(each["step"]))
    # MLflow 3; 2 takes the same steps of all runs.
    assert by_run[long_run] == list(range(0, 4950, 50)) + [4999]
    assert by_run[other] == list(range(10))
    for most, steps in ((1, [9]), (3, [0, 4, 9]), (4, [0, 3, 6, 9]), (9, [0, 2, 3, 4, 5, 6, 7, 8, 9]), (10, list(range(10)))):
        query = {"run_ids": [other], "metric_key": "loss", "max_results": most}
        answer = wire.get("metrics/get-history-bulk-interval", **query).json()
        assert [int(each["step"]) for each in answer["metrics"]] == steps


def test_samples_of_many_points_of_one_step(wire, client, run):
    client.log_batch(run, metrics=[Metric("loss", float(i), 1000 - i, 0) for i in range(100)])
    query = {"run_ids": [run], "metric_key": "loss", "max_results": 4}
    answer = wire.get("metrics/get-history-bulk-interval", **query).json()
    assert [each["value"] for each in answer["metrics"]] == [99.0, 74.0, 49.0, 0.0]


def test_samples_of_an_interval(wire, long_run):
    within = wire.get("metrics/get-history-bulk-interval", run_ids=[long_run], metric_key="loss", max_results=100,
                      start_step=100, end_step=120).json()["metrics"]
    assert [int(each["step"]) for each in within] == list(range(100, 121))
    for bad in ({"start_step": 1}, {"start_step": 5, "end_step": 1}, {"max_results": 2501}):
        query = {"run_ids": [long_run], "metric_key": "loss", "max_results": 100, **bad}
        answer = wire.get("metrics/get-history-bulk-interval", **query)
        assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
