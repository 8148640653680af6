#include "onnxop/triton/remarks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::string_view kUnknown = "unknown";

/// Fields that are known and not applied. What is neither here nor made of other fields applies.
constexpr auto kNotApplied = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"runtime", "ONNX Runtime runs all models"},
    {"input.format", "the shape says where the channels are"},
    {"input.is_shape_tensor", "it is for TensorRT"},
    {"input.allow_ragged_batch", "requests of different shapes are not joined"},
    {"input.optional", "a model gets all its inputs"},
    {"input.is_non_linear_format_io", "it is for TensorRT"},
    {"output.is_shape_tensor", "it is for TensorRT"},
    {"output.is_non_linear_format_io", "it is for TensorRT"},
    {"optimization", "ONNX Runtime optimizes every graph as far as it can, on processors"},
    {"dynamic_batching.preferred_batch_size", "a batch is what waits when an executor is idle"},
    {"dynamic_batching.max_queue_delay_microseconds",
     "no request waits for others to come: the delay is always 0"},
    {"dynamic_batching.preserve_ordering",
     "each request gets its own answer as soon as there is one"},
    {"dynamic_batching.priority_levels", "first come, first served"},
    {"dynamic_batching.default_priority_level", "first come, first served"},
    {"dynamic_batching.priority_queue_policy", "first come, first served"},
    {"dynamic_batching.default_queue_policy.timeout_action",
     "a request whose time has passed is refused"},
    {"dynamic_batching.default_queue_policy.allow_timeout_override",
     "the shorter of the request's time and the default one holds"},
    {"instance_group.name", "executors belong to no model"},
    {"instance_group.kind", "models run on processors"},
    {"instance_group.count",
     "the executors (--executors) run all models, and one model on all of them at once"},
    {"instance_group.gpus", "models run on processors"},
    {"instance_group.secondary_devices", "models run on processors"},
    {"instance_group.profile", "it is for TensorRT"},
    {"instance_group.passive", "executors belong to no model"},
    {"instance_group.host_policy", "executors belong to no model"},
    {"instance_group.rate_limiter", "executors are shared fairly by time"},
    {"cc_model_filenames", "models run on processors"},
    {"metric_tags", "metrics are labelled with model and version"},
    {"parameters", "the engine's settings are the server's"},
    {"model_warmup", "a model is warmed with zeros, and by trying out batch sizes"},
    {"model_operations", "operators from other libraries are not loaded"},
    {"model_transaction_policy.decoupled", "a request has one answer"},
    {"model_repository_agents", "files are checked by ONNX's rules"},
    {"response_cache.enable", "answers are not kept"},
    {"model_metrics", "the metrics are the server's"},
});

std::optional<std::string_view> reason_against(std::string_view path) {
  const auto* const found = std::find_if(kNotApplied.begin(), kNotApplied.end(),
                                         [path](const auto& entry) { return entry.first == path; });
  return found == kNotApplied.end() ? std::nullopt : std::optional(found->second);
}

bool is_not_applied(const FieldDescriptor& field) {
  return field.message_type() == triton::NotApplied::descriptor();
}

/// False where a field that is there says what holds anyway: false, 0, the first enumerator.
bool says_something(const Message& message, const FieldDescriptor& field) {
  if (field.is_repeated()) {
    return true;
  }
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field) != 0;
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetUInt64(message, &field) != 0;
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetEnum(message, &field)->index() != 0;
    default:
      return true;
  }
}

std::string join_path(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

/// The messages of a field, one or several, with the places in each.
struct Nested {
  const Message* message;
  const PlaceTree* places;
};
std::vector<Nested> nested_in(const Message& message, const PlaceTree& places,
                              const FieldDescriptor& field) {
  std::vector<Nested> all;
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) {
    all.push_back({&reflection.GetMessage(message, &field), places.GetTreeForNested(&field, -1)});
  } else {
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      all.push_back(
          {&reflection.GetRepeatedMessage(message, &field, i), places.GetTreeForNested(&field, i)});
    }
  }
  std::erase_if(all, [](const Nested& each) { return each.places == nullptr; });
  return all;
}

std::vector<const FieldDescriptor*> set_fields(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields;
}

void walk(const Message& message, const PlaceTree& places, const std::string& prefix,
          std::vector<TritonRemark>& remarks) {
  for (const FieldDescriptor* field : set_fields(message)) {
    const std::string path = join_path(prefix, field->name());
    if (field->message_type() == triton::Parameter::descriptor()) {
      int index = 0;
      for (const Nested& each : nested_in(message, places, *field)) {
        const auto& parameter = dynamic_cast<const triton::Parameter&>(*each.message);
        const int of_key = line_of(*each.places, parameter, "key");
        remarks.push_back({of_key > 0 ? of_key : line_of(places, message, field->name(), index),
                           format("{}[\"{}\"]", path, parameter.key()),
                           std::string(*reason_against(path))});
        ++index;
      }
    } else if (const auto why = reason_against(path)) {
      if (says_something(message, *field)) {
        remarks.push_back({line_of(places, message, field->name(), field->is_repeated() ? 0 : -1),
                           path, std::string(*why)});
      }
    } else if (field->message_type() != nullptr) {
      for (const Nested& each : nested_in(message, places, *field)) {
        walk(*each.message, *each.places, path, remarks);
      }
    }
  }
}

bool is_in(const google::protobuf::TextFormat::ParseLocationRange& range, int line, int column) {
  const auto before = [](int line_a, int column_a, int line_b, int column_b) {
    return line_a < line_b || (line_a == line_b && column_a < column_b);
  };
  return range.start.line >= 0 && !before(line, column, range.start.line, range.start.column) &&
         before(line, column, range.end.line, range.end.column);
}

/// The path of the message that the place is in; none where nothing of that message applies.
std::optional<std::string> path_at(const Message& message, const PlaceTree& places, int line,
                                   int column, const std::string& prefix) {
  for (const FieldDescriptor* field : set_fields(message)) {
    bool inside = false;
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; field->message_type() != nullptr && i < count; ++i) {
      const auto range = places.GetLocationRange(field, field->is_repeated() ? i : -1);
      inside = inside || is_in(range, line, column);
    }
    if (!inside) {
      continue;
    }
    const std::string path = join_path(prefix, field->name());
    if (is_not_applied(*field) || reason_against(path)) {
      return std::nullopt;
    }
    for (const Nested& each : nested_in(message, places, *field)) {
      const auto deeper = path_at(*each.message, *each.places, line, column, path);
      if (!deeper || *deeper != path) {
        return deeper;
      }
    }
    return path;
  }
  return prefix;
}

}  // namespace

std::vector<TritonRemark> remarks_on(const ConfigText& config) {
  std::vector<TritonRemark> remarks;
  walk(config.message, config.places, "", remarks);
  for (const UnknownField& field : config.unknown) {
    if (const auto path = path_at(config.message, config.places, field.line, field.column, "")) {
      remarks.push_back({field.line + 1, join_path(*path, field.name), std::string(kUnknown)});
    }
  }
  std::stable_sort(remarks.begin(), remarks.end(),
                   [](const TritonRemark& a, const TritonRemark& b) { return a.line < b.line; });
  return remarks;
}

}  // namespace onnxop
