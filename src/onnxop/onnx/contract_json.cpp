#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/nearest.h"
#include "onnxop/onnx/contract.h"

namespace onnxop {
namespace {

constexpr int kLargestSide = 65535;

template <typename E>
using Word = std::pair<std::string_view, E>;

enum class InputKind { kImage };
constexpr std::array<Word<InputKind>, 1> kInputKinds{{{"image", InputKind::kImage}}};
constexpr std::array<Word<ImageColor>, 2> kColors{
    {{"gray", ImageColor::kGray}, {"rgb", ImageColor::kRgb}}};
constexpr std::array<Word<ImageResize>, 3> kResizes{{{"area", ImageResize::kArea},
                                                     {"bilinear", ImageResize::kBilinear},
                                                     {"nearest", ImageResize::kNearest}}};
constexpr std::array<Word<ImageLayout>, 2> kLayouts{
    {{"nhwc", ImageLayout::kNhwc}, {"nchw", ImageLayout::kNchw}}};
constexpr std::array<Word<OutputKind>, 2> kOutputKinds{
    {{"classification", OutputKind::kClassification}, {"regression", OutputKind::kRegression}}};

template <typename E, std::size_t N>
std::string word_of(const std::array<Word<E>, N>& words, E value) {
  for (const auto& [word, meaning] : words) {
    if (meaning == value) {
      return std::string(word);
    }
  }
  fail(ErrorCode::kInternal, "contract: no word for the value {}", static_cast<int>(value));
}

/// The double whose shortest text is also the float's: 0.1, not 0.10000000149011612.
double readable(float value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double result = 0;
  std::from_chars(text.data(), end, result);
  return result;
}

Json readable_list(const std::vector<float>& values) {
  Json list = Json::array();
  for (const float value : values) {
    list.push_back(readable(value));
  }
  return list;
}

/// The value, or where that is long, what it is.
std::string shown(const Json& value) {
  constexpr std::size_t kMost = 60;
  std::string text = dump_json(value);
  return text.size() <= kMost ? text : format("a long {}", value.type_name());
}

/// One JSON object with a known set of keys. Complaints name the place: "side.json: input.width:
/// got ...".
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string_view what, std::string path,
               const std::vector<std::string_view>& known)
      : json_(json), what_(what), path_(std::move(path)) {
    if (!json.is_object()) {
      refuse(path_, json, "an object");
    }
    for (const auto& [key, value] : json.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        const auto nearest = nearest_word(key, known);
        fail(ErrorCode::kInvalidArgument, "{}: {}: unknown key{}; expected one of: {}", what_,
             place(key), nearest ? format(" (did you mean '{}'?)", *nearest) : "",
             join(known, ", "));
      }
    }
  }

  bool has(const char* key) const { return json_.contains(key); }

  const Json& need(const char* key, std::string_view expected) const {
    const auto at = json_.find(key);
    if (at == json_.end()) {
      fail(ErrorCode::kInvalidArgument, "{}: {}: missing, expected {}", what_, place(key),
           expected);
    }
    return *at;
  }

  [[noreturn]] void refuse(const std::string& where, const Json& got,
                           std::string_view expected) const {
    fail(ErrorCode::kInvalidArgument, "{}: {}: got {}, expected {}", what_,
         where.empty() ? "contract" : where, shown(got), expected);
  }

  std::string place(const std::string& key) const {
    return path_.empty() ? key : format("{}.{}", path_, key);
  }

  std::string name(const char* key) const {
    constexpr std::string_view kExpected = "a text that is not empty";
    const Json& value = need(key, kExpected);
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
      refuse(place(key), value, kExpected);
    }
    return value.get<std::string>();
  }

  std::string sha256(const char* key) const {
    constexpr std::string_view kExpected = "a SHA-256 of 64 lower-case hexadecimal digits";
    const Json& value = need(key, kExpected);
    const std::string* text = value.get_ptr<const std::string*>();
    if (text == nullptr || text->size() != 64 ||
        text->find_first_not_of("0123456789abcdef") != std::string::npos) {
      refuse(place(key), value, kExpected);
    }
    return *text;
  }

  int integer(const char* key, int low, int high) const {
    const std::string expected =
        low == high ? format("{}", low) : format("an integer from {} to {}", low, high);
    const Json& value = need(key, expected);
    if (!value.is_number_integer() || value < low || value > high) {
      refuse(place(key), value, expected);
    }
    return value.get<int>();
  }

  bool boolean(const char* key) const {
    const Json& value = need(key, "true or false");
    if (!value.is_boolean()) {
      refuse(place(key), value, "true or false");
    }
    return value.get<bool>();
  }

  double number(const char* key, double low, double high, std::string_view expected) const {
    const Json& value = need(key, expected);
    return number_at(place(key), value, low, high, expected);
  }

  double number_at(const std::string& where, const Json& value, double low, double high,
                   std::string_view expected) const {
    if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
      refuse(where, value, expected);
    }
    return value.get<double>();
  }

  template <typename E, std::size_t N>
  E word(const char* key, const std::array<Word<E>, N>& words) const {
    std::vector<std::string_view> known;
    for (const auto& [text, meaning] : words) {
      known.push_back(text);
    }
    std::string expected =
        N == 1 ? format("\"{}\"", known[0]) : format("one of: {}", join(known, ", "));
    const Json& value = need(key, expected);
    if (const auto* got = value.get_ptr<const std::string*>()) {
      for (const auto& [text, meaning] : words) {
        if (text == *got) {
          return meaning;
        }
      }
      if (const auto nearest = nearest_word(*got, known)) {
        expected += format(" (did you mean '{}'?)", *nearest);
      }
    }
    refuse(place(key), value, expected);
  }

 private:
  const Json& json_;
  std::string_view what_;
  std::string path_;
};

constexpr float kLargestFloat = std::numeric_limits<float>::max();

/// One number per channel; none where the key is absent.
std::vector<float> channel_values(const ObjectReader& object, const char* key, std::size_t channels,
                                  float low) {
  if (!object.has(key)) {
    return {};
  }
  const std::string expected =
      format("a list of {} number{}, one per channel", channels, channels == 1 ? "" : "s");
  const Json& list = object.need(key, expected);
  if (!list.is_array() || list.size() != channels) {
    object.refuse(object.place(key), list, expected);
  }
  std::vector<float> values;
  for (std::size_t i = 0; i < channels; ++i) {
    values.push_back(static_cast<float>(
        object.number_at(format("{}[{}]", object.place(key), i), list[i], low, kLargestFloat,
                         low > 0 ? "a number greater than 0" : "a float32 number")));
  }
  return values;
}

ImageInput input_from_json(const Json& json, std::string_view what) {
  const ObjectReader object(
      json, what, "input",
      {"name", "kind", "color", "width", "height", "resize", "layout", "scale", "mean", "std"});
  ImageInput input;
  input.name = object.name("name");
  object.word("kind", kInputKinds);
  input.color = object.word("color", kColors);
  input.width = object.integer("width", 1, kLargestSide);
  input.height = object.integer("height", 1, kLargestSide);
  if (std::int64_t{input.width} * input.height > kMostContractPixels) {
    fail(ErrorCode::kInvalidArgument, "{}: input: got {} x {} pixels, expected at most {}", what,
         input.width, input.height, kMostContractPixels);
  }
  if (object.has("resize")) {
    input.resize = object.word("resize", kResizes);
  }
  if (object.has("layout")) {
    input.layout = object.word("layout", kLayouts);
  }
  if (object.has("scale")) {
    constexpr std::string_view kExpected = "a float32 number other than 0";
    input.scale =
        static_cast<float>(object.number("scale", -kLargestFloat, kLargestFloat, kExpected));
    if (input.scale == 0.0F) {
      object.refuse("input.scale", object.need("scale", kExpected), kExpected);
    }
  }
  const std::size_t channels = input.color == ImageColor::kGray ? 1 : 3;
  input.mean = channel_values(object, "mean", channels, -kLargestFloat);
  input.std_dev = channel_values(object, "std", channels, std::numeric_limits<float>::min());
  return input;
}

ContractOutput output_from_json(const Json& json, std::string_view what) {
  const ObjectReader object(json, what, "output", {"name", "kind", "labels", "logits"});
  ContractOutput output;
  output.name = object.name("name");
  output.kind = object.word("kind", kOutputKinds);
  if (object.has("labels")) {
    const Json& labels = object.need("labels", "a list of texts");
    if (!labels.is_array()) {
      object.refuse("output.labels", labels, "a list of texts");
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (!labels[i].is_string()) {
        object.refuse(format("output.labels[{}]", i), labels[i], "a text");
      }
      output.labels.push_back(labels[i].get<std::string>());
    }
  }
  if (object.has("logits")) {
    output.logits = object.boolean("logits");
  }
  if (output.kind == OutputKind::kRegression && (output.logits || !output.labels.empty())) {
    const char* key = output.logits ? "logits" : "labels";
    object.refuse(object.place(key), object.need(key, ""),
                  "none where output.kind is \"regression\"");
  }
  return output;
}

ContractTraining training_from_json(const Json& json, std::string_view what) {
  const ObjectReader object(json, what, "training",
                            {"spec_sha256", "data_sha256", "test_accuracy", "test_loss"});
  ContractTraining training;
  training.spec_sha256 = object.sha256("spec_sha256");
  training.data_sha256 = object.sha256("data_sha256");
  if (object.has("test_accuracy")) {
    training.test_accuracy = object.number("test_accuracy", 0, 1, "a number from 0 to 1");
  }
  if (object.has("test_loss")) {
    constexpr double kLargest = std::numeric_limits<double>::max();
    training.test_loss = object.number("test_loss", -kLargest, kLargest, "a number");
  }
  return training;
}

Json input_to_json(const ImageInput& input) {
  Json json = {{"name", input.name},
               {"kind", word_of(kInputKinds, InputKind::kImage)},
               {"color", word_of(kColors, input.color)},
               {"width", input.width},
               {"height", input.height},
               {"resize", word_of(kResizes, input.resize)}};
  if (input.layout != ImageLayout::kNhwc) {
    json["layout"] = word_of(kLayouts, input.layout);
  }
  if (input.scale != 1.0F) {
    json["scale"] = readable(input.scale);
  }
  if (!input.mean.empty()) {
    json["mean"] = readable_list(input.mean);
  }
  if (!input.std_dev.empty()) {
    json["std"] = readable_list(input.std_dev);
  }
  return json;
}

Json output_to_json(const ContractOutput& output) {
  Json json = {{"name", output.name}, {"kind", word_of(kOutputKinds, output.kind)}};
  if (!output.labels.empty()) {
    json["labels"] = output.labels;
  }
  if (output.logits) {
    json["logits"] = true;
  }
  return json;
}

Json training_to_json(const ContractTraining& training) {
  Json json = {{"spec_sha256", training.spec_sha256}, {"data_sha256", training.data_sha256}};
  if (training.test_accuracy) {
    json["test_accuracy"] = *training.test_accuracy;
  }
  if (training.test_loss) {
    json["test_loss"] = *training.test_loss;
  }
  return json;
}

}  // namespace

Json contract_to_json(const Contract& contract) {
  Json json = {{"version", contract.version},
               {"input", input_to_json(contract.input)},
               {"output", output_to_json(contract.output)}};
  if (contract.training) {
    json["training"] = training_to_json(*contract.training);
  }
  return json;
}

Contract contract_from_json(const Json& json, std::string_view what) {
  const ObjectReader object(json, what, "", {"version", "input", "output", "training"});
  Contract contract;
  contract.version = object.integer("version", 1, 1);
  contract.input = input_from_json(object.need("input", "an object"), what);
  contract.output = output_from_json(object.need("output", "an object"), what);
  if (object.has("training")) {
    contract.training = training_from_json(object.need("training", "an object"), what);
  }
  return contract;
}

}  // namespace onnxop
