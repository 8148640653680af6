#include "onnxop/cli/serve_traffic.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

/// "MODEL=REST" in its two parts.
std::pair<std::string, std::string_view> model_and_rest(std::string_view option,
                                                        std::string_view text,
                                                        std::string_view form) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals + 1 == text.size() ||
      text.substr(0, equals).find_first_of("@:") != std::string_view::npos) {
    fail(ErrorCode::kInvalidArgument, "{}: got '{}', expected {}", option, text, form);
  }
  return {std::string(text.substr(0, equals)), text.substr(equals + 1)};
}

template <typename Number>
Number parse_number(std::string_view option, std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(ErrorCode::kInvalidArgument, "{}: '{}' is no number", option, text);
  }
  return number;
}

std::vector<SplitTarget> parse_split(std::string_view text, std::string_view whole) {
  std::vector<SplitTarget> split;
  while (true) {
    const auto comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const auto colon = part.find(':');
    if (colon == std::string_view::npos) {
      fail(ErrorCode::kInvalidArgument, "--split: got '{}' in '{}', expected TARGET:WEIGHT", part,
           whole);
    }
    split.push_back({std::string(part.substr(0, colon)),
                     parse_number<std::int64_t>("--split", part.substr(colon + 1))});
    if (comma == std::string_view::npos) {
      return split;
    }
    text.remove_prefix(comma + 1);
  }
}

ShadowRule parse_shadow(std::string_view text) {
  const auto colon = text.find(':');
  ShadowRule shadow{std::string(text.substr(0, colon))};
  if (colon != std::string_view::npos) {
    shadow.percent = parse_number<double>("--shadow", text.substr(colon + 1));
  }
  return shadow;
}

}  // namespace

void declare_traffic_options(CLI::App& command, TrafficOptions& options) {
  constexpr const char* kGroup = "Traffic";
  command
      .add_option("--split", options.splits,
                  "MODEL=TARGET:WEIGHT,…: share the requests for MODEL alone among aliases or "
                  "versions; the first is the primary (mnist=champion:90,challenger:10)")
      ->allow_extra_args(false)
      ->group(kGroup);
  command
      .add_option("--shadow", options.shadows,
                  "MODEL=TARGET[:PERCENT]: have that alias or version answer too, unseen, and "
                  "compare (mnist=challenger:25)")
      ->allow_extra_args(false)
      ->group(kGroup);
  command
      .add_option("--sticky-header", options.sticky_header,
                  "Requests with the same value of this header field go to the same target")
      ->capture_default_str()
      ->group(kGroup);
}

std::map<std::string, TrafficPlan> traffic_plans(const TrafficOptions& options) {
  std::map<std::string, TrafficPlan> plans;
  for (const std::string& text : options.splits) {
    const auto [model, rest] = model_and_rest("--split", text, "MODEL=TARGET:WEIGHT,…");
    TrafficPlan& plan = plans[model];
    if (!plan.split.empty()) {
      fail(ErrorCode::kInvalidArgument, "--split: model '{}' is given twice", model);
    }
    plan.split = parse_split(rest, text);
  }
  for (const std::string& text : options.shadows) {
    const auto [model, rest] = model_and_rest("--shadow", text, "MODEL=TARGET[:PERCENT]");
    TrafficPlan& plan = plans[model];
    if (plan.shadow) {
      fail(ErrorCode::kInvalidArgument, "--shadow: model '{}' is given twice", model);
    }
    plan.shadow = parse_shadow(rest);
  }
  for (const auto& [model, plan] : plans) {
    check_traffic_plan(plan);
  }
  return plans;
}

std::string sticky_header_of(const TrafficOptions& options) {
  constexpr std::string_view kAllowed = "!#$%&'*+-.^_`|~";  // RFC 9110, section 5.6.2
  std::string name = options.sticky_header;
  for (char& c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter) == 0 && kAllowed.find(c) == std::string_view::npos) {
      fail(ErrorCode::kInvalidArgument, "--sticky-header: '{}' is no name of a header field",
           options.sticky_header);
    }
    c = static_cast<char>(std::tolower(letter));
  }
  return name;
}

void begin_traffic(ModelManager& manager, const std::map<std::string, TrafficPlan>& plans) {
  for (const auto& [model, plan] : plans) {
    manager.set_traffic(model, plan, true);
  }
}

}  // namespace onnxop
