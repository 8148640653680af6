#include "onnxop/cli/run_columns.h"

#include <algorithm>
#include <set>
#include <span>

#include "onnxop/base/format.h"
#include "onnxop/base/time_text.h"
#include "onnxop/registry/runs.h"
#include "onnxop/registry/search_grammar.h"

namespace onnxop {
namespace {

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts(1);
  char quote = 0;
  for (const char c : text) {
    if (c == ',' && quote == 0) {
      parts.emplace_back();
      continue;
    }
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '`' || c == '"')) {
      quote = c;
    }
    parts.back() += c;
  }
  return parts;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::string attribute_value(const Run& run, std::string_view key, bool exact) {
  if (key == "run_id") {
    return exact ? run.run_id : run.run_id.substr(0, 8);
  }
  if (key == "run_name") {
    return run.name;
  }
  if (key == "user_id") {
    return run.user_id;
  }
  if (key == "status") {
    return std::string(run_status_name(run.status));
  }
  if (key == "start_time") {
    return time_text(run.start_time_ms);
  }
  if (key == "end_time") {
    return run.end_time_ms ? time_text(*run.end_time_ms) : "";
  }
  return "mlflow-artifacts:/" + run_artifact_root(run);
}

std::string text_value(const Texts& texts, const std::string& key) {
  const auto at = texts.find(key);
  return at == texts.end() ? "" : at->second;
}

}  // namespace

std::vector<RunColumn> parse_run_columns(std::string_view text) {
  std::vector<RunColumn> columns;
  for (const std::string& part : split_at_commas(text)) {
    const std::string name(trimmed(part));
    const OrderTerm term = parse_order_by(std::span(&name, 1), run_grammar(), "--columns").front();
    columns.push_back({.title = name, .entity = term.entity, .key = term.key});
  }
  return columns;
}

std::vector<RunColumn> all_run_columns(const std::vector<Run>& runs) {
  std::set<std::string> metrics;
  std::set<std::string> params;
  std::set<std::string> tags;
  for (const Run& run : runs) {
    for (const auto& [key, metric] : run.metrics) {
      metrics.insert(key);
    }
    for (const auto& [key, value] : run.params) {
      params.insert(key);
    }
    for (const auto& [key, value] : run.tags) {
      tags.insert(key);
    }
  }
  auto columns = parse_run_columns("run_id,run_name,status,start_time,end_time,user_id");
  const auto append = [&](SearchEntity entity, std::string_view word, const auto& keys) {
    for (const std::string& key : keys) {
      columns.push_back({.title = format("{}.{}", word, key), .entity = entity, .key = key});
    }
  };
  append(SearchEntity::kMetric, "metrics", metrics);
  append(SearchEntity::kParam, "params", params);
  append(SearchEntity::kTag, "tags", tags);
  return columns;
}

std::string column_value(const Run& run, const RunColumn& column, bool exact) {
  switch (column.entity) {
    case SearchEntity::kMetric: {
      const auto at = run.metrics.find(column.key);
      if (at == run.metrics.end()) {
        return "";
      }
      return exact ? format("{}", at->second.value) : format("{:.6g}", at->second.value);
    }
    case SearchEntity::kParam:
      return text_value(run.params, column.key);
    case SearchEntity::kTag:
      return text_value(run.tags, column.key);
    default:
      return attribute_value(run, column.key, exact);
  }
}

}  // namespace onnxop
