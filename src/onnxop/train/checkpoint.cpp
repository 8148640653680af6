#include "onnxop/train/checkpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/sha256.h"

namespace onnxop {
namespace {

constexpr std::string_view kMagic = "onnxop checkpoint 1\n";
constexpr std::size_t kSizeDigits = 20;
constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kHeaderAt = kMagic.size() + kSizeDigits + 1;

template <typename T>
auto arrays_of(T& checkpoint) {
  return std::array{&checkpoint.parameters, &checkpoint.state, &checkpoint.best_parameters,
                    &checkpoint.best_state, &checkpoint.optimizer_state};
}

Json optional_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<double> optional_number(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

Json epoch_json(const EpochResult& epoch) {
  return {{"epoch", epoch.epoch},
          {"train_loss", epoch.train_loss},
          {"train_accuracy", optional_json(epoch.train_accuracy)},
          {"val_loss", epoch.val_loss},
          {"val_accuracy", optional_json(epoch.val_accuracy)},
          {"learning_rate", epoch.learning_rate},
          {"seconds", epoch.seconds},
          {"train_seconds", epoch.train_seconds}};
}

EpochResult epoch_from_json(const Json& json) {
  EpochResult epoch;
  epoch.epoch = json.at("epoch").get<std::int64_t>();
  epoch.train_loss = json.at("train_loss").get<double>();
  epoch.train_accuracy = optional_number(json.at("train_accuracy"));
  epoch.val_loss = json.at("val_loss").get<double>();
  epoch.val_accuracy = optional_number(json.at("val_accuracy"));
  epoch.learning_rate = json.at("learning_rate").get<double>();
  epoch.seconds = json.at("seconds").get<double>();
  epoch.train_seconds = json.at("train_seconds").get<double>();
  return epoch;
}

std::string header_text(const Checkpoint& checkpoint) {
  Json epochs = Json::array();
  for (const auto& epoch : checkpoint.epochs) {
    epochs.push_back(epoch_json(epoch));
  }
  Json sizes = Json::array();
  for (const auto* array : arrays_of(checkpoint)) {
    sizes.push_back(array->size());
  }
  return dump_json({{"spec_sha256", checkpoint.spec_sha256},
                    {"data_sha256", checkpoint.data_sha256},
                    {"optimizer_steps", checkpoint.optimizer_steps},
                    {"epochs", std::move(epochs)},
                    {"array_sizes", std::move(sizes)}});
}

Checkpoint from_text(std::string_view text) {
  std::size_t header_size = 0;
  const std::string_view digits = text.substr(kMagic.size(), kSizeDigits);
  std::from_chars(digits.data(), digits.data() + digits.size(), header_size);
  const Json header = parse_json(text.substr(kHeaderAt, header_size), "checkpoint header");
  Checkpoint checkpoint;
  checkpoint.spec_sha256 = header.at("spec_sha256").get<std::string>();
  checkpoint.data_sha256 = header.at("data_sha256").get<std::string>();
  checkpoint.optimizer_steps = header.at("optimizer_steps").get<std::int64_t>();
  for (const auto& epoch : header.at("epochs")) {
    checkpoint.epochs.push_back(epoch_from_json(epoch));
  }
  std::size_t at = kHeaderAt + header_size;
  std::size_t index = 0;
  for (auto* array : arrays_of(checkpoint)) {
    array->resize(header.at("array_sizes").at(index++).get<std::size_t>());
    const std::string_view bytes = text.substr(at, array->size() * sizeof(float));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(array->data()));
    at += array->size() * sizeof(float);
  }
  return checkpoint;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  const std::string header = header_text(checkpoint);
  std::string content = format("{}{:020}\n{}", kMagic, header.size(), header);
  for (const auto* array : arrays_of(checkpoint)) {
    content.append(reinterpret_cast<const char*>(array->data()), array->size() * sizeof(float));
  }
  content += sha256_hex(as_bytes(content));
  write_file_atomically(path, as_bytes(content));
}

std::optional<Checkpoint> load_checkpoint(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    return std::nullopt;
  }
  const std::string content = read_text_file(path);
  const std::string_view text = content;
  if (!text.starts_with(kMagic)) {
    fail(ErrorCode::kDataLoss, "{}: is no checkpoint: does not begin with \"onnxop checkpoint 1\"",
         path.string());
  }
  if (text.size() < kHeaderAt + kHashDigits) {
    fail(ErrorCode::kDataLoss, "{}: checkpoint is truncated to {} bytes", path.string(),
         text.size());
  }
  const std::string_view body = text.substr(0, text.size() - kHashDigits);
  const std::string hash = sha256_hex(as_bytes(body));
  if (hash != text.substr(body.size())) {
    fail(ErrorCode::kDataLoss,
         "{}: checkpoint is damaged or truncated: its content of {} bytes has SHA-256 {}, "
         "but it says {}",
         path.string(), body.size(), hash, text.substr(body.size()));
  }
  return from_text(body);
}

}  // namespace onnxop
