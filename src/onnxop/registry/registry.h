#pragma once
// The store of runs and models: facts in one database (SQLite `onnxop.db`, or PostgreSQL), and
// folders with files (`artifacts/`, `models/NAME/VERSION/model.onnx`, `runs/RUN_ID/`); see
// docs/registry_format.md. Names are MLflow's.
//
// Any number of processes may use one store. A Registry object: one thread at a time; who needs
// several opens several (registry_pool.h).

#include <filesystem>
#include <memory>
#include <string_view>

#include "onnxop/base/clock.h"
#include "onnxop/registry/artifacts.h"
#include "onnxop/registry/experiments.h"
#include "onnxop/registry/logged_models.h"
#include "onnxop/registry/models.h"
#include "onnxop/registry/runs.h"
#include "onnxop/registry/store_location.h"

namespace onnxop {

class Registry {
 public:
  /// Opens the store, making it if it is not there (unless `must_exist`: Error{kNotFound}). Throws
  /// Error{kDataLoss} for a damaged one, {kFailedPrecondition} for one made by a newer program,
  /// {kUnavailable} for a database that cannot be reached.
  explicit Registry(const StoreLocation& location, const Clock& clock, bool must_exist = false);
  Registry(const StoreLocation& location, const Clock&& clock, bool must_exist = false) = delete;
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  const StoreLocation& location() const;
  const std::filesystem::path& dir() const;  // location().folder, absolute

  /// False once the database went away; the next call connects to it again.
  bool is_connected() const;

  /// Who makes the changes from now on, for the history. At first the user of the process.
  void act_as(std::string_view actor);

  Experiments& experiments();
  const Experiments& experiments() const;
  Runs& runs();
  const Runs& runs() const;
  LoggedModels& logged_models();
  const LoggedModels& logged_models() const;
  Models& models();
  const Models& models() const;
  Artifacts& artifacts();
  const Artifacts& artifacts() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace onnxop
