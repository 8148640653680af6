#include "onnxop/serving/serving_plan.h"

#include <algorithm>
#include <charconv>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

const RegisteredModel& find_model(std::span<const RegisteredModel> models, std::string_view name,
                                  std::string_view reference) {
  std::vector<std::string_view> known;
  for (const RegisteredModel& model : models) {
    if (model.name == name) {
      return model;
    }
    known.push_back(model.name);
  }
  fail(ErrorCode::kNotFound, "model '{}': the store has no '{}'; it has: {}", reference, name,
       known.empty() ? "none" : format("{}", join(known, ", ")));
}

std::int64_t parse_version(std::string_view text, std::string_view reference) {
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1) {
    fail(ErrorCode::kInvalidArgument, "model '{}': version '{}' is no number from 1", reference,
         text);
  }
  return version;
}

std::int64_t find_alias(const RegisteredModel& model, std::string_view alias,
                        std::string_view reference) {
  const auto found = model.aliases.find(std::string(alias));
  if (found != model.aliases.end()) {
    return found->second;
  }
  std::vector<std::string_view> known;
  for (const auto& [name, version] : model.aliases) {
    known.push_back(name);
  }
  fail(ErrorCode::kNotFound, "model '{}': there is no alias '{}'; '{}' has: {}", reference, alias,
       model.name, known.empty() ? "none" : format("{}", join(known, ", ")));
}

VersionKey resolve(std::span<const RegisteredModel> models, std::string_view reference) {
  const auto mark = reference.find_first_of("@:");
  const auto& model = find_model(models, reference.substr(0, mark), reference);
  if (mark == std::string_view::npos) {
    return {model.name, model.latest_version};
  }
  const auto rest = reference.substr(mark + 1);
  if (reference[mark] == '@') {
    return {model.name, find_alias(model, rest, reference)};
  }
  const std::int64_t version = parse_version(rest, reference);
  if (version > model.latest_version) {
    fail(ErrorCode::kNotFound, "model '{}': the latest version of '{}' is {}", reference,
         model.name, model.latest_version);
  }
  return {model.name, version};
}

}  // namespace

ServingPlan plan_serving(std::span<const RegisteredModel> models,
                         std::span<const std::string> references) {
  ServingPlan plan;
  for (const RegisteredModel& model : models) {
    plan.references[model.name] = {model.name, model.latest_version};
  }
  for (const std::string& reference : references) {
    plan.references[reference] = resolve(models, reference);
  }
  for (const auto& [reference, key] : plan.references) {
    plan.load.push_back(key);
  }
  std::sort(plan.load.begin(), plan.load.end());
  plan.load.erase(std::unique(plan.load.begin(), plan.load.end()), plan.load.end());
  return plan;
}

}  // namespace onnxop
