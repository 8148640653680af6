#pragma once
// The parameters of a call of MLflow's REST API: the fields of a JSON object, or a query's. Fields
// that nobody asks for are ignored, null is the same as absent. Numbers may be texts, since
// protobuf's JSON has them so.
//
// What a field holds wrongly is Error{kInvalidArgument} that names it. For one thread at a time;
// what is returned does not point into it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnxop/registry/run.h"

namespace onnxop {

class MlflowFields {
 public:
  using Query = std::vector<std::pair<std::string, std::string>>;

  /// "" is an object without fields. Throws Error{kInvalidArgument} for what is no JSON object.
  explicit MlflowFields(std::string_view json);
  /// A key may be there several times.
  explicit MlflowFields(Query query);

  bool has(std::string_view key) const;

  std::optional<std::string> find_text(std::string_view key) const;
  /// Of an enumeration, whose values have names and numbers.
  std::optional<std::string> find_text_or_number(std::string_view key) const;
  /// "" where it is absent.
  std::string text(std::string_view key) const;
  /// Neither absent nor "".
  std::string required(std::string_view key) const;
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> truth(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  /// A list of objects.
  std::vector<MlflowFields> objects(std::string_view key) const;
  std::optional<MlflowFields> object(std::string_view key) const;
  /// A list of {"key", "value"}; the last of a key counts, and an absent value is "".
  Texts pairs(std::string_view key) const;

  // What many calls have.

  /// run_id, or run_uuid where that is absent.
  std::string run_id() const;
  std::int64_t required_integer(std::string_view key) const;
  std::int64_t experiment_id(std::string_view key = "experiment_id") const;
  std::vector<std::int64_t> experiment_ids() const;
  ViewType view_type(std::string_view key) const;  // absent: active ones
  /// max_results in [1, most], or `otherwise`.
  std::int64_t max_results(std::int64_t otherwise, std::int64_t most) const;

  class Source;

 private:
  explicit MlflowFields(std::shared_ptr<const Source> source);

  std::shared_ptr<const Source> source_;
};

/// Error{kInvalidArgument} in the words that MLflow's clients know.
[[noreturn]] void fail_missing_parameter(std::string_view name);

/// An experiment's id: a whole number that is not negative. Throws Error{kInvalidArgument}.
std::int64_t parse_experiment_id(std::string_view text);

}  // namespace onnxop
