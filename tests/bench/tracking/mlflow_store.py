"""mlflow_store.py DATABASE EXPERIMENT RUNS: puts the benchmark's runs (see runs.h) into a database that MLflow's server
has made. Over REST, that server would take the better part of an hour for 100,000."""

import sqlite3
import sys

FIRST_TIME = 1_700_000_000_000


def main(path, experiment, count):
    runs, metrics, params, tags = [], [], [], []
    for run in range(count):
        run_id = f"{int(experiment):08x}{run:024x}"
        start = FIRST_TIME + run * 1000
        runs.append((run_id, f"run-{run}", "bench", start, f"mlflow-artifacts:/{experiment}/{run_id}/artifacts", experiment))
        accuracy = run * 7919 % 1000003 / 1000003
        metrics += [(key, value, FIRST_TIME + 10, run_id) for key, value in (("accuracy", accuracy), ("loss", 1 - accuracy))]
        params += [("optimizer", ("sgd", "adam", "adadelta")[run % 3], run_id), ("batch", str(32 << run % 4), run_id),
                   ("seed", str(run), run_id)]
        tags += [("mlflow.user", "bench", run_id), ("team", "vision", run_id), ("mlflow.runName", f"run-{run}", run_id)]
    database = sqlite3.connect(path, timeout=60)
    with database:
        database.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
            " source_version, lifecycle_stage, artifact_uri, experiment_id)"
            " VALUES (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, '', 'active', ?, ?)", runs)
        for table in ("metrics", "latest_metrics"):
            database.executemany(
                f"INSERT INTO {table} (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, 10, 0)", metrics)
        database.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", params)
        database.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", tags)
    database.execute("ANALYZE")
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
