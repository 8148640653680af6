#include "onnxop/serving/serving_plan.h"

#include <algorithm>
#include <charconv>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::string_view kUnloaded = "unloaded";
constexpr std::string_view kSettling = "its files were changed a moment ago";

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 1
             ? std::optional(number)
             : std::nullopt;
}

/// One model's part of the plan.
class ModelPlan {
 public:
  ModelPlan(const ModelOffer& offer, const ServingWishes& wishes, ServingPlan& plan)
      : offer_(offer), plan_(plan), policy_(policy_of(offer, wishes)) {}

  void add_chosen() {
    for (const std::int64_t version : chosen()) {
      plan_.load.insert({offer_.name, version});
      plan_.references[format("{}:{}", offer_.name, version)] = {offer_.name, version};
      plan_.references[offer_.name] = {offer_.name, version};  // the last is the largest
    }
    for (const auto& [alias, version] : offer_.aliases) {
      add_reference(format("{}@{}", offer_.name, alias));
    }
  }

  void add_reference(const std::string& reference) {
    const auto mark = reference.find_first_of("@:");
    if (mark == std::string::npos) {
      if (!plan_.references.contains(reference)) {
        plan_.problems[reference] =
            format("model '{}' has no version that can be served", reference);
      }
      return;
    }
    const std::string_view rest = std::string_view(reference).substr(mark + 1);
    const auto version = reference[mark] == '@' ? aliased(rest) : parse_number(rest);
    if (!version || find(*version) == nullptr) {
      plan_.problems[reference] = reference[mark] == '@' && !version
                                      ? format("model '{}': there is no alias '{}'; '{}' has: {}",
                                               reference, rest, offer_.name, alias_names())
                                      : format("model '{}': there is no version '{}'; '{}' has: {}",
                                               reference, rest, offer_.name, version_names());
      return;
    }
    if (!find(*version)->settled) {
      plan_.problems[reference] = format("model '{}': {}", reference, kSettling);
      return;
    }
    plan_.references[reference] = {offer_.name, *version};
    if (!find(*version)->broken.empty()) {
      plan_.problems[reference] = format("model '{}': {}", reference, find(*version)->broken);
      return;
    }
    plan_.load.insert({offer_.name, *version});
    plan_.references[format("{}:{}", offer_.name, *version)] = {offer_.name, *version};
  }

  void add_not_chosen() {
    for (const OfferedVersion& offered : offer_.versions) {
      const VersionKey key{offer_.name, offered.version};
      if (!plan_.load.contains(key)) {
        plan_.not_chosen[key] = !offered.settled ? std::string(kSettling)
                                : !offered.broken.empty()
                                    ? offered.broken
                                    : "not among the versions that the policy names";
      }
    }
  }

 private:
  static const VersionPolicy& policy_of(const ModelOffer& offer, const ServingWishes& wishes) {
    const auto own = wishes.policies.find(offer.name);
    return own != wishes.policies.end() ? own->second
           : offer.policy               ? *offer.policy
                                        : wishes.policy;
  }

  const OfferedVersion* find(std::int64_t version) const {
    const auto found =
        std::find_if(offer_.versions.begin(), offer_.versions.end(),
                     [version](const OfferedVersion& each) { return each.version == version; });
    return found == offer_.versions.end() ? nullptr : &*found;
  }

  /// Ascending.
  std::vector<std::int64_t> chosen() const {
    std::vector<std::int64_t> versions;
    for (const OfferedVersion& offered : offer_.versions) {
      const bool named = policy_.kind != VersionPolicy::Kind::kSpecific ||
                         std::find(policy_.versions.begin(), policy_.versions.end(),
                                   offered.version) != policy_.versions.end();
      if (offered.settled && offered.broken.empty() && named) {
        versions.push_back(offered.version);
      }
    }
    const auto most = static_cast<std::size_t>(std::max<std::int64_t>(policy_.latest, 1));
    if (policy_.kind == VersionPolicy::Kind::kLatest && versions.size() > most) {
      versions.erase(versions.begin(), versions.end() - static_cast<std::ptrdiff_t>(most));
    }
    return versions;
  }

  std::optional<std::int64_t> aliased(std::string_view alias) const {
    const auto found = offer_.aliases.find(std::string(alias));
    return found == offer_.aliases.end() ? std::nullopt : std::optional(found->second);
  }

  std::string alias_names() const {
    std::vector<std::string_view> names;
    for (const auto& [name, version] : offer_.aliases) {
      names.push_back(name);
    }
    return names.empty() ? "none" : format("{}", join(names, ", "));
  }

  std::string version_names() const {
    std::vector<std::int64_t> versions;
    for (const OfferedVersion& each : offer_.versions) {
      versions.push_back(each.version);
    }
    return versions.empty() ? "none" : format("{}", join(versions, ", "));
  }

  const ModelOffer& offer_;
  ServingPlan& plan_;
  const VersionPolicy& policy_;
};

std::string model_of(std::string_view reference) {
  return std::string(reference.substr(0, reference.find_first_of("@:")));
}

std::string names_of(std::span<const ModelOffer> offers) {
  std::vector<std::string_view> names;
  for (const ModelOffer& offer : offers) {
    names.push_back(offer.name);
  }
  return names.empty() ? "none" : format("{}", join(names, ", "));
}

}  // namespace

ServingPlan plan_serving(std::span<const ModelOffer> offers, const ServingWishes& wishes) {
  ServingPlan plan;
  std::set<std::string> known;
  for (const ModelOffer& offer : offers) {
    known.insert(offer.name);
    if (wishes.unloaded.contains(offer.name) || !offer.problem.empty()) {
      for (const OfferedVersion& version : offer.versions) {
        plan.not_chosen[{offer.name, version.version}] =
            offer.problem.empty() ? kUnloaded : offer.problem;
      }
      continue;
    }
    ModelPlan model(offer, wishes, plan);
    model.add_chosen();
    for (const std::string& reference : wishes.references) {
      if (model_of(reference) == offer.name) {
        model.add_reference(reference);
      }
    }
    model.add_not_chosen();
  }
  for (const std::string& reference : wishes.references) {
    const std::string name = model_of(reference);
    if (!known.contains(name)) {
      plan.problems[reference] =
          format("model '{}': there is no '{}'; there are: {}", reference, name, names_of(offers));
    } else if (!plan.references.contains(reference) && !plan.problems.contains(reference)) {
      plan.problems[reference] = format("model '{}' is unloaded, or broken", reference);
    }
  }
  return plan;
}

VersionPolicy parse_version_policy(std::string_view text) {
  const auto refuse = [&]() {
    fail(ErrorCode::kInvalidArgument,
         "version policy: got '{}', expected latest, latest:N, all, or versions like 1,3", text);
  };
  VersionPolicy policy;
  if (text == "latest") {
    return policy;
  }
  if (text == "all") {
    policy.kind = VersionPolicy::Kind::kAll;
    return policy;
  }
  if (text.starts_with("latest:")) {
    const auto number = parse_number(text.substr(7));
    if (!number) {
      refuse();
    }
    policy.latest = *number;
    return policy;
  }
  policy.kind = VersionPolicy::Kind::kSpecific;
  while (true) {
    const auto comma = text.find(',');
    const auto number = parse_number(text.substr(0, comma));
    if (!number) {
      refuse();
    }
    policy.versions.push_back(*number);
    if (comma == std::string_view::npos) {
      return policy;
    }
    text.remove_prefix(comma + 1);
  }
}

}  // namespace onnxop
