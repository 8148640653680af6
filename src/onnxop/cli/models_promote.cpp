#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/models_verbs.h"
#include "onnxop/workflow/promote_model.h"

namespace onnxop {
namespace {

struct Options {
  std::string name;
  std::string version;
  std::string alias;
  std::string condition;
  std::string data;
  bool json = false;
};

Json promotion_json(const Promotion& promotion, const std::string& alias) {
  Json conditions = Json::array();
  for (const CheckedCondition& condition : promotion.conditions) {
    conditions.push_back({{"condition", condition.text},
                          {"metric", condition.metric},
                          {"value", condition.value ? Json(*condition.value) : Json()},
                          {"source", condition.source},
                          {"holds", condition.holds}});
  }
  return {{"name", promotion.version.name},
          {"version", promotion.version.version},
          {"alias", alias},
          {"promoted", promotion.done},
          {"before", promotion.before ? Json(*promotion.before) : Json()},
          {"conditions", conditions}};
}

std::string condition_text(const CheckedCondition& condition) {
  return condition.value
             ? format("{} is {} ({}), asked for: {}", condition.metric, *condition.value,
                      condition.source, condition.text)
             : format("{} has not been measured, asked for: {}", condition.metric, condition.text);
}

std::string promotion_text(const Promotion& promotion, const std::string& alias) {
  std::string text;
  for (const CheckedCondition& condition : promotion.conditions) {
    text += format("{} {}\n", condition.holds ? "ok      " : "not met ", condition_text(condition));
  }
  if (promotion.done) {
    text += format("{}@{} is version {} now{}\n", promotion.version.name, alias,
                   promotion.version.version,
                   promotion.before ? format(", was {}", *promotion.before) : std::string());
  }
  return text;
}

[[noreturn]] void fail_unmet(const Promotion& promotion, const std::string& alias) {
  std::vector<std::string> unmet;
  for (const CheckedCondition& condition : promotion.conditions) {
    if (!condition.holds) {
      unmet.push_back(condition_text(condition));
    }
  }
  fail(ErrorCode::kFailedPrecondition, "{}:{} is not made @{}: {}", promotion.version.name,
       promotion.version.version, alias, join(unmet, "; "));
}

}  // namespace

VerbAction declare_models_promote(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop models promote mnist 3 champion --if \"test_accuracy >= 0.99 and latency_ms "
              "< 1\" --data mnist:test");
  command.add_option("NAME", options->name, "The model")->required();
  command.add_option("VERSION", options->version, "A number, @alias or latest")->required();
  command.add_option("ALIAS", options->alias, "The alias that is to point to it")->required();
  command.add_option("--if", options->condition,
                     "Only if this holds; latency_ms is measured now, other values are the "
                     "version's or its run's");
  command.add_option("--data", options->data,
                     "Measure test_accuracy and test_loss on this data: mnist:test, folder:DIR");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    const std::string alias =
        options->alias.starts_with("@") ? options->alias.substr(1) : options->alias;
    const Promotion promotion =
        promote_version(registry,
                        {.name = options->name,
                         .version = find_version(registry, options->name, options->version).version,
                         .alias = alias,
                         .condition = options->condition,
                         .dataset = options->data},
                        clock);
    if (options->json) {
      print_json(promotion_json(promotion, alias));
    } else {
      print_text(promotion_text(promotion, alias));
    }
    if (!promotion.done) {
      fail_unmet(promotion, alias);
    }
  };
}

}  // namespace onnxop
