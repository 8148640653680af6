// The migrations of a store: SQL that SQLite and PostgreSQL both take.

#include <array>
#include <string_view>

#include "onnxop/registry/schema.h"

namespace onnxop {
namespace {

// A table of keys and values that belong to somebody (key_values.h).
#define ONNXOP_KEY_VALUES(table, owner, type, owners)                      \
  "CREATE TABLE " table " (" owner " " type " NOT NULL REFERENCES " owners \
  ", key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (" owner ", key))"

// What is listed here has been shipped: it is never changed, only followed by further migrations.
// SQL that SQLite and PostgreSQL both take. Times are milliseconds since 1970 UTC.
constexpr std::array<std::string_view, 10> kVersion1 = {
    // `number` counts the runs, for their order; `owner` is the process that writes a running run
    // (process_owner.h).
    R"(CREATE TABLE runs (
      run_id TEXT NOT NULL PRIMARY KEY,
      number BIGINT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      status TEXT NOT NULL,
      start_time_ms BIGINT NOT NULL,
      end_time_ms BIGINT,
      owner TEXT NOT NULL))",
    ONNXOP_KEY_VALUES("params", "run_id", "TEXT", "runs (run_id)"),
    ONNXOP_KEY_VALUES("tags", "run_id", "TEXT", "runs (run_id)"),
    // Every point logged; `point` counts those of one key. SQLite has no NaN: is_nan is 1 and the
    // value 0.
    R"(CREATE TABLE metrics (
      run_id TEXT NOT NULL REFERENCES runs (run_id),
      key TEXT NOT NULL,
      point BIGINT NOT NULL,
      step BIGINT NOT NULL,
      timestamp_ms BIGINT NOT NULL,
      value DOUBLE PRECISION NOT NULL,
      is_nan INTEGER NOT NULL,
      PRIMARY KEY (run_id, key, point)))",
    R"(CREATE TABLE latest_metrics (
      run_id TEXT NOT NULL REFERENCES runs (run_id),
      key TEXT NOT NULL,
      points BIGINT NOT NULL,
      step BIGINT NOT NULL,
      timestamp_ms BIGINT NOT NULL,
      value DOUBLE PRECISION NOT NULL,
      is_nan INTEGER NOT NULL,
      PRIMARY KEY (run_id, key)))",
    // `last_version` is the last number given out, published or not: a number is never used twice.
    R"(CREATE TABLE models (
      name TEXT NOT NULL PRIMARY KEY,
      created_ms BIGINT NOT NULL,
      last_version BIGINT NOT NULL))",
    R"(CREATE TABLE model_versions (
      name TEXT NOT NULL REFERENCES models (name),
      version BIGINT NOT NULL,
      run_id TEXT REFERENCES runs (run_id),
      source TEXT NOT NULL,
      created_ms BIGINT NOT NULL,
      PRIMARY KEY (name, version)))",
    R"(CREATE TABLE model_files (
      name TEXT NOT NULL,
      version BIGINT NOT NULL,
      path TEXT NOT NULL,
      bytes BIGINT NOT NULL,
      sha256 TEXT NOT NULL,
      PRIMARY KEY (name, version, path),
      FOREIGN KEY (name, version) REFERENCES model_versions (name, version)))",
    R"(CREATE TABLE model_aliases (
      name TEXT NOT NULL,
      alias TEXT NOT NULL,
      version BIGINT NOT NULL,
      PRIMARY KEY (name, alias),
      FOREIGN KEY (name, version) REFERENCES model_versions (name, version)))",
    // Numbers given out whose files `owner` is still copying.
    R"(CREATE TABLE version_claims (
      name TEXT NOT NULL REFERENCES models (name),
      version BIGINT NOT NULL,
      owner TEXT NOT NULL,
      PRIMARY KEY (name, version)))",
};

// Experiments, searches with indexes, data sets, logged models, artifacts, and models with a
// history. What belongs to a run or a model refers to its number, not to its name. `{clustered}`
// keeps a table in the order of its key where the database can (Dialect::adapt). Indexes hold no
// more than the beginning of a value, for PostgreSQL's have a limit.
constexpr auto kVersion2 = std::to_array<std::string_view>({
    R"(CREATE TABLE experiments (
      experiment_id BIGINT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      lifecycle_stage TEXT NOT NULL,
      artifact_location TEXT NOT NULL,
      created_ms BIGINT NOT NULL,
      updated_ms BIGINT NOT NULL))",
    R"(INSERT INTO experiments (experiment_id, name, lifecycle_stage, artifact_location, created_ms,
      updated_ms) SELECT 0, 'Default', 'active', '', COALESCE(MAX(applied_ms), 0),
      COALESCE(MAX(applied_ms), 0) FROM schema_version)",
    ONNXOP_KEY_VALUES("experiment_tags", "experiment_id", "BIGINT",
                      "experiments (experiment_id)") " {clustered}",

    // `deleted_ms` says when, and runs that were deleted with their experiment have its time.
    "ALTER TABLE runs ADD COLUMN experiment_id BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE runs ADD COLUMN user_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN lifecycle_stage TEXT NOT NULL DEFAULT 'active'",
    "ALTER TABLE runs ADD COLUMN deleted_ms BIGINT",
    "CREATE INDEX runs_by_start ON runs (experiment_id, lifecycle_stage, start_time_ms, number)",
    "CREATE INDEX runs_by_time ON runs (start_time_ms)",
    "CREATE INDEX runs_by_status ON runs (status)",

    ONNXOP_KEY_VALUES("run_params", "run", "BIGINT", "runs (number)") " {clustered}",
    "INSERT INTO run_params SELECT r.number, p.key, p.value FROM params p JOIN runs r ON r.run_id "
    "= "
    "p.run_id",
    "DROP TABLE params",
    "CREATE INDEX run_params_by_value ON run_params (key, substr(value, 1, 64), run)",
    ONNXOP_KEY_VALUES("run_tags", "run", "BIGINT", "runs (number)") " {clustered}",
    "INSERT INTO run_tags SELECT r.number, t.key, t.value FROM tags t JOIN runs r ON r.run_id = "
    "t.run_id",
    "DROP TABLE tags",
    // A run's name and this tag are one thing.
    "INSERT INTO run_tags SELECT number, 'mlflow.runName', name FROM runs WHERE name <> '' "
    "ON CONFLICT (run, key) DO UPDATE SET value = excluded.value",
    "CREATE INDEX run_tags_by_value ON run_tags (key, substr(value, 1, 64), run)",
    R"(CREATE TABLE run_metrics (
      run BIGINT NOT NULL REFERENCES runs (number),
      key TEXT NOT NULL,
      point BIGINT NOT NULL,
      step BIGINT NOT NULL,
      timestamp_ms BIGINT NOT NULL,
      value DOUBLE PRECISION NOT NULL,
      is_nan INTEGER NOT NULL,
      PRIMARY KEY (run, key, point)) {clustered})",
    "INSERT INTO run_metrics SELECT r.number, m.key, m.point, m.step, m.timestamp_ms, m.value, "
    "m.is_nan FROM metrics m JOIN runs r ON r.run_id = m.run_id",
    "DROP TABLE metrics",
    R"(CREATE TABLE run_latest_metrics (
      run BIGINT NOT NULL REFERENCES runs (number),
      key TEXT NOT NULL,
      points BIGINT NOT NULL,
      step BIGINT NOT NULL,
      timestamp_ms BIGINT NOT NULL,
      value DOUBLE PRECISION NOT NULL,
      is_nan INTEGER NOT NULL,
      PRIMARY KEY (run, key)) {clustered})",
    "INSERT INTO run_latest_metrics SELECT r.number, m.key, m.points, m.step, m.timestamp_ms, "
    "m.value, m.is_nan FROM latest_metrics m JOIN runs r ON r.run_id = m.run_id",
    "DROP TABLE latest_metrics",
    "CREATE INDEX run_latest_metrics_by_value ON run_latest_metrics (key, value, is_nan, run)",

    R"(CREATE TABLE datasets (
      dataset BIGINT NOT NULL PRIMARY KEY,
      experiment_id BIGINT NOT NULL REFERENCES experiments (experiment_id),
      name TEXT NOT NULL,
      digest TEXT NOT NULL,
      source_type TEXT NOT NULL,
      source TEXT NOT NULL,
      schema_text TEXT NOT NULL,
      profile TEXT NOT NULL,
      UNIQUE (experiment_id, name, digest)))",
    R"(CREATE TABLE run_datasets (
      run BIGINT NOT NULL REFERENCES runs (number),
      dataset BIGINT NOT NULL REFERENCES datasets (dataset),
      PRIMARY KEY (run, dataset)) {clustered})",
    "CREATE INDEX run_datasets_by_dataset ON run_datasets (dataset, run)",
    R"(CREATE TABLE run_dataset_tags (
      run BIGINT NOT NULL REFERENCES runs (number),
      dataset BIGINT NOT NULL REFERENCES datasets (dataset),
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (run, dataset, key)) {clustered})",

    R"(CREATE TABLE logged_models (
      number BIGINT NOT NULL PRIMARY KEY,
      model_id TEXT NOT NULL UNIQUE,
      experiment_id BIGINT NOT NULL REFERENCES experiments (experiment_id),
      name TEXT NOT NULL,
      source_run_id TEXT NOT NULL,
      status TEXT NOT NULL,
      model_type TEXT NOT NULL,
      lifecycle_stage TEXT NOT NULL,
      created_ms BIGINT NOT NULL,
      updated_ms BIGINT NOT NULL))",
    "CREATE INDEX logged_models_by_time ON logged_models (experiment_id, created_ms, number)",
    ONNXOP_KEY_VALUES("logged_model_params", "model", "BIGINT",
                      "logged_models (number)") " {clustered}",
    ONNXOP_KEY_VALUES("logged_model_tags", "model", "BIGINT",
                      "logged_models (number)") " {clustered}",
    // One for each run, key and data set: the latest.
    R"(CREATE TABLE logged_model_metrics (
      model BIGINT NOT NULL REFERENCES logged_models (number),
      run_id TEXT NOT NULL,
      key TEXT NOT NULL,
      dataset_name TEXT NOT NULL,
      dataset_digest TEXT NOT NULL,
      step BIGINT NOT NULL,
      timestamp_ms BIGINT NOT NULL,
      value DOUBLE PRECISION NOT NULL,
      is_nan INTEGER NOT NULL,
      PRIMARY KEY (model, run_id, key, dataset_name, dataset_digest)) {clustered})",
    R"(CREATE TABLE run_models (
      run BIGINT NOT NULL REFERENCES runs (number),
      direction TEXT NOT NULL,
      model_id TEXT NOT NULL,
      step BIGINT NOT NULL,
      PRIMARY KEY (run, direction, model_id)) {clustered})",

    R"(CREATE TABLE artifacts (
      path TEXT NOT NULL PRIMARY KEY,
      bytes BIGINT NOT NULL,
      sha256 TEXT NOT NULL,
      created_ms BIGINT NOT NULL) {clustered})",
    "CREATE INDEX artifacts_by_content ON artifacts (sha256)",

    // `folder`: its name below models/, which a renamed model keeps.
    R"(CREATE TABLE registered_models (
      model BIGINT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      folder TEXT NOT NULL UNIQUE,
      description TEXT NOT NULL,
      created_ms BIGINT NOT NULL,
      updated_ms BIGINT NOT NULL,
      last_version BIGINT NOT NULL))",
    "INSERT INTO registered_models SELECT (SELECT COUNT(*) FROM models b WHERE b.name <= a.name), "
    "a.name, a.name, '', a.created_ms, a.created_ms, a.last_version FROM models a",
    ONNXOP_KEY_VALUES("registered_model_tags", "model", "BIGINT",
                      "registered_models (model)") " {clustered}",
    R"(CREATE TABLE versions (
      model BIGINT NOT NULL REFERENCES registered_models (model),
      version BIGINT NOT NULL,
      run_id TEXT NOT NULL,
      source TEXT NOT NULL,
      created_ms BIGINT NOT NULL,
      updated_ms BIGINT NOT NULL,
      description TEXT NOT NULL,
      user_id TEXT NOT NULL,
      stage TEXT NOT NULL,
      logged_model_id TEXT NOT NULL,
      run_link TEXT NOT NULL,
      contract TEXT NOT NULL,
      PRIMARY KEY (model, version)))",
    "INSERT INTO versions SELECT m.model, v.version, COALESCE(v.run_id, ''), v.source, "
    "v.created_ms, v.created_ms, '', '', 'None', '', '', '' FROM model_versions v "
    "JOIN registered_models m ON m.name = v.name",
    "CREATE INDEX versions_by_run ON versions (run_id)",
    R"(CREATE TABLE version_files (
      model BIGINT NOT NULL,
      version BIGINT NOT NULL,
      path TEXT NOT NULL,
      bytes BIGINT NOT NULL,
      sha256 TEXT NOT NULL,
      PRIMARY KEY (model, version, path),
      FOREIGN KEY (model, version) REFERENCES versions (model, version)) {clustered})",
    "INSERT INTO version_files SELECT m.model, f.version, f.path, f.bytes, f.sha256 FROM "
    "model_files f JOIN registered_models m ON m.name = f.name",
    R"(CREATE TABLE version_tags (
      model BIGINT NOT NULL,
      version BIGINT NOT NULL,
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (model, version, key),
      FOREIGN KEY (model, version) REFERENCES versions (model, version)) {clustered})",
    R"(CREATE TABLE version_metrics (
      model BIGINT NOT NULL,
      version BIGINT NOT NULL,
      key TEXT NOT NULL,
      value DOUBLE PRECISION NOT NULL,
      is_nan INTEGER NOT NULL,
      PRIMARY KEY (model, version, key),
      FOREIGN KEY (model, version) REFERENCES versions (model, version)) {clustered})",
    R"(CREATE TABLE version_aliases (
      model BIGINT NOT NULL,
      alias TEXT NOT NULL,
      version BIGINT NOT NULL,
      PRIMARY KEY (model, alias),
      FOREIGN KEY (model, version) REFERENCES versions (model, version)) {clustered})",
    "INSERT INTO version_aliases SELECT m.model, a.alias, a.version FROM model_aliases a "
    "JOIN registered_models m ON m.name = a.name",
    // Folders below models/ whose files `owner` is still copying, or removing: FOLDER/VERSION, or
    // the whole of FOLDER where the version is 0. The model may be gone, or not be there yet.
    R"(CREATE TABLE claims (
      folder TEXT NOT NULL,
      version BIGINT NOT NULL,
      model BIGINT NOT NULL,
      name TEXT NOT NULL,
      owner TEXT NOT NULL,
      PRIMARY KEY (folder, version)))",
    "INSERT INTO claims SELECT m.folder, c.version, m.model, m.name, c.owner FROM version_claims c "
    "JOIN registered_models m ON m.name = c.name",
    "DROP TABLE version_claims",
    "DROP TABLE model_aliases",
    "DROP TABLE model_files",
    "DROP TABLE model_versions",
    "DROP TABLE models",
    // What happened to models, in order. `model` outlives the row that it named.
    R"(CREATE TABLE model_events (
      number BIGINT NOT NULL PRIMARY KEY,
      time_ms BIGINT NOT NULL,
      actor TEXT NOT NULL,
      model BIGINT NOT NULL,
      name TEXT NOT NULL,
      version BIGINT,
      event TEXT NOT NULL,
      key TEXT NOT NULL,
      value_before TEXT NOT NULL,
      value_after TEXT NOT NULL))",
    "CREATE INDEX model_events_by_model ON model_events (model, number)",
    "CREATE INDEX model_events_by_name ON model_events (name, number)",
    "INSERT INTO model_events SELECT ROW_NUMBER() OVER (ORDER BY v.created_ms, v.model, "
    "v.version), "
    "v.created_ms, '', v.model, m.name, v.version, 'version_created', '', '', '' "
    "FROM versions v JOIN registered_models m ON m.model = v.model",
    "INSERT INTO model_events SELECT (SELECT COUNT(*) FROM model_events) + ROW_NUMBER() OVER "
    "(ORDER BY a.model, a.alias), v.created_ms, '', a.model, m.name, a.version, 'alias_set', "
    "a.alias, '', CAST(a.version AS TEXT) FROM version_aliases a "
    "JOIN registered_models m ON m.model = a.model "
    "JOIN versions v ON v.model = a.model AND v.version = a.version",
});

#undef ONNXOP_KEY_VALUES

// The columns of a point of a metric (metric_points.h).
#define ONNXOP_POINT                  \
  "key TEXT NOT NULL, "               \
  "timestamp_ms BIGINT NOT NULL, "    \
  "step BIGINT NOT NULL, "            \
  "value DOUBLE PRECISION NOT NULL, " \
  "is_nan INTEGER NOT NULL, "

// A point of a metric is kept once: all of it is the key, by which a history is ordered too.
constexpr auto kVersion3 = std::to_array<std::string_view>({
    "CREATE TABLE metric_points (run BIGINT NOT NULL REFERENCES runs (number), " ONNXOP_POINT
    "PRIMARY KEY (run, key, timestamp_ms, step, value, is_nan)) {clustered}",
    "INSERT INTO metric_points SELECT run, key, timestamp_ms, step, value, is_nan FROM run_metrics "
    "WHERE true ON CONFLICT DO NOTHING",
    "DROP TABLE run_metrics",
    "ALTER TABLE metric_points RENAME TO run_metrics",
    "ALTER TABLE run_latest_metrics DROP COLUMN points",
    // Where the experiment's files lie among the artifacts.
    "UPDATE experiments SET artifact_location = CAST(experiment_id AS TEXT) WHERE "
    "artifact_location = ''",
    // The last numbers that were given to what was removed for good: none is used twice.
    R"(CREATE TABLE last_numbers (
      what TEXT NOT NULL PRIMARY KEY,
      number BIGINT NOT NULL))",
});

// Points of metrics that wait for their places in run_metrics (metric_points.h).
constexpr auto kVersion4 = std::to_array<std::string_view>({
    "CREATE TABLE run_recent_metrics (run BIGINT NOT NULL REFERENCES runs (number), number BIGINT "
    "NOT NULL, " ONNXOP_POINT "PRIMARY KEY (run, number)) {clustered}",
    "CREATE INDEX runs_by_name ON runs (substr(name, 1, 64), number)",
});

// Points that have gathered move to a segment of their run. Neither table refers to `runs`: to look
// the run up for each point costs as much as to write the point, and it is there, or none is
// written.
constexpr auto kVersion5 = std::to_array<std::string_view>({
    "INSERT INTO run_metrics SELECT run, key, timestamp_ms, step, value, is_nan FROM "
    "run_recent_metrics WHERE true ON CONFLICT DO NOTHING",
    "DROP TABLE run_recent_metrics",
    "CREATE TABLE run_recent_metrics (run BIGINT NOT NULL, number BIGINT NOT NULL, " ONNXOP_POINT
    "PRIMARY KEY (run, number)) {clustered}",
    "CREATE TABLE run_metric_segments (run BIGINT NOT NULL, segment BIGINT NOT NULL, " ONNXOP_POINT
    "PRIMARY KEY (run, segment, key, timestamp_ms, step, value, is_nan)) {clustered}",
});

#undef ONNXOP_POINT

constexpr auto kMigrations = std::to_array<Migration>(
    {{1, kVersion1}, {2, kVersion2}, {3, kVersion3}, {4, kVersion4}, {5, kVersion5}});

}  // namespace

std::span<const Migration> store_migrations() {
  return kMigrations;
}

}  // namespace onnxop
