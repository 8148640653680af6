#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/models_verbs.h"

namespace onnxop {
namespace {

struct Verified {
  std::size_t versions = 0;
  std::vector<Damage> damage;
};

void verify_model(const Registry& registry, const std::string& name, Verified& verified) {
  for (const ModelVersion& version : registry.models().versions(name)) {
    ++verified.versions;
    try {
      registry.models().verify(version);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kDataLoss) {
        throw;
      }
      verified.damage.push_back({format("{}:{}", version.name, version.version), error.what()});
    }
  }
}

Verified verify_store(const Registry& registry, const std::string& name) {
  Verified verified;
  if (!name.empty()) {
    verify_model(registry, name, verified);
    return verified;
  }
  for (const RegisteredModel& model : registry.models().list()) {
    verify_model(registry, model.name, verified);
  }
  for (Damage& damage : registry.artifacts().verify()) {
    verified.damage.push_back(std::move(damage));
  }
  return verified;
}

}  // namespace

VerbAction declare_models_verify(CLI::App& command) {
  struct Options {
    std::string name;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop models verify");
  command.add_option("NAME", options->name,
                     "Only the versions of this model (default: all, and all artifacts)");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    const Verified verified = verify_store(registry, options->name);
    Json damage = Json::array();
    std::string text;
    for (const auto& [path, problem] : verified.damage) {
      damage.push_back({{"path", path}, {"problem", problem}});
      text += format("{}: {}\n", path, problem);
    }
    if (options->json) {
      print_json({{"versions", verified.versions}, {"damage", damage}});
    } else {
      print_text(text + format("{} versions read, {} damaged\n", verified.versions,
                               verified.damage.size()));
    }
    if (!verified.damage.empty()) {
      fail(ErrorCode::kDataLoss, "{} damaged in {}", verified.damage.size(),
           registry.location().text());
    }
  };
}

}  // namespace onnxop
