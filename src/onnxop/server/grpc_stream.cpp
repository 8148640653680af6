#include "onnxop/server/grpc_stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/server/compression.h"
#include "onnxop/server/grpc_access.h"
#include "onnxop/server/grpc_inference.h"
#include "onnxop/server/grpc_status.h"

namespace onnxop {
namespace {

constexpr std::string_view kContentType = "application/grpc";
constexpr Http2Field kStatusOk{":status", "200"};
constexpr Http2Field kContentTypeField{"content-type", kContentType};
constexpr Http2Field kAcceptEncoding{"grpc-accept-encoding", "identity,deflate,gzip"};

/// "application/grpc", also with "+proto" or parameters.
bool is_grpc(std::string_view type) {
  return type.starts_with(kContentType) &&
         (type.size() == kContentType.size() || type[kContentType.size()] == '+' ||
          type[kContentType.size()] == ';');
}

/// What every client of gRPC sends, and nobody asks for.
bool is_of_protocol(std::string_view name) {
  return name == "te" || name == "grpc-accept-encoding" || name == ":scheme" ||
         name == ":authority";
}

}  // namespace

GrpcStream::GrpcStream(std::int32_t number, const GrpcOptions& options, const GrpcMethods& methods,
                       Http2Session& session, GrpcStreamOwner& owner)
    : number_(number),
      options_(options),
      methods_(methods),
      session_(session),
      owner_(owner),
      max_message_bytes_(options.limits.max_message_bytes),
      reader_(max_message_bytes_) {
  head_.address = [this] { return owner_.address(); };
}

GrpcStream::~GrpcStream() {
  call_.reset();
  charge_only(0);
}

void GrpcStream::on_field(const Http2Field& field) {
  constexpr std::size_t kOfField = 32;  // beside its texts, as HTTP/2 counts it
  metadata_bytes_ += field.name.size() + field.value.size() + kOfField;
  // A byte can stand for a field of some thousand: who sends many of them is not listened to.
  constexpr std::size_t kTimesTheLimit = 16;
  if (metadata_bytes_ > kTimesTheLimit * options_.limits.max_metadata_bytes) {
    fail(ErrorCode::kTooLarge, "a call has more than {} bytes of metadata, expected at most {}",
         metadata_bytes_, options_.limits.max_metadata_bytes);
  }
  if (metadata_bytes_ > options_.limits.max_metadata_bytes) {
    return;
  }
  if (field.name == ":path") {
    head_.path = field.value;
  } else if (field.name == ":method") {
    http_method_ = field.value;
  } else if (field.name == "content-type") {
    content_type_ = field.value;
  } else if (field.name == "grpc-timeout") {
    timeout_ = field.value;
  } else if (field.name == "grpc-encoding") {
    head_.encoding = field.value;
  } else if (!is_of_protocol(field.name) &&
             ++metadata_fields_ <= options_.limits.max_metadata_fields) {
    head_.metadata.emplace_back(field.name, field.value);
  }
}

void GrpcStream::on_head() {
  // Over the limit, these may not have been looked at.
  const bool complete = metadata_bytes_ <= options_.limits.max_metadata_bytes;
  if (complete && http_method_ != "POST") {
    refuse_http("405");
  } else if (complete && !is_grpc(content_type_)) {
    refuse_http("415");
  } else {
    guarded([this] {
      const GrpcStatus begun = begin_call();
      if (!begun.ok()) {
        finish(begun);
      }
    });
  }
}

GrpcStatus GrpcStream::begin_call() {
  const GrpcLimits& limits = options_.limits;
  if (metadata_bytes_ > limits.max_metadata_bytes) {
    return {GrpcCode::kResourceExhausted, format("the call's metadata have more than {} bytes, "
                                                 "expected at most that",
                                                 limits.max_metadata_bytes)};
  }
  if (metadata_fields_ > limits.max_metadata_fields) {
    return {GrpcCode::kResourceExhausted, format("the call has {} metadata fields, expected at "
                                                 "most {}",
                                                 metadata_fields_, limits.max_metadata_fields)};
  }
  const auto found = methods_.find(head_.path);
  if (found == methods_.end()) {
    return {GrpcCode::kUnimplemented, format("there is no method {}", head_.path)};
  }
  if (!timeout_.empty()) {
    const auto timeout = read_grpc_timeout(timeout_);
    if (!timeout) {
      return {GrpcCode::kInvalidArgument,
              format("grpc-timeout: got '{}', expected up to eight digits and a unit", timeout_)};
    }
    constexpr std::chrono::hours kFar{24 * 365};
    head_.deadline =
        *timeout > kFar ? SteadyTime::max() : std::chrono::steady_clock::now() + *timeout;
  }
  const GrpcMethod& method = found->second;
  GrpcStatus admitted = admit(options_, head_, method.name, method.permission, method.asks);
  if (admitted.ok()) {
    max_message_bytes_ = std::min(max_message_bytes_, method.max_message_bytes);
    reader_ = GrpcMessageReader(max_message_bytes_);
    charges_ = method.max_message_bytes == kAnySize;
    call_ = method.make(head_, *this);
  }
  return admitted;
}

/// With what is thrown, the call ends.
void GrpcStream::guarded(const std::function<void()>& work) {
  const GrpcStatus status = status_of(work);
  if (!status.ok()) {
    finish(status);
  }
}

/// A client that reads no answers is not asked for questions.
bool GrpcStream::wants_more() {
  constexpr std::size_t kMostUnsent = 64U << 10;
  return call_->wants_more() && session_.unsent(number_) < kMostUnsent;
}

void GrpcStream::on_data(std::span<const std::byte> bytes) {
  if (!call_ || finished_) {
    session_.consume(number_, bytes.size());
    return;
  }
  if (held_.empty()) {
    guarded([&] { bytes = bytes.subspan(read(bytes)); });
  }
  if (finished_) {
    session_.consume(number_, bytes.size());
  } else {
    if (held_begin_ > held_.size() / 2) {
      held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(held_begin_));
      held_begin_ = 0;
    }
    held_.insert(held_.end(), bytes.begin(), bytes.end());
  }
}

/// As many of them as are wanted; how many that were.
std::size_t GrpcStream::read(std::span<const std::byte> bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !finished_ && wants_more()) {
    const std::size_t of_message = reader_.feed(bytes.subspan(taken));
    taken += of_message;
    session_.consume(number_, of_message);
    charge(of_message);
    if (reader_.done()) {
      take_message();
    }
  }
  return taken;
}

/// What has not begun takes the room of its connection, which ends somewhere.
void GrpcStream::charge(std::size_t bytes) {
  constexpr std::size_t kMessages = 4;
  if (!charges_) {
    return;
  }
  owner_.gathering() += bytes;
  charged_ += bytes;
  if (owner_.gathering() > kMessages * options_.limits.max_message_bytes) {
    fail(ErrorCode::kResourceExhausted,
         "what this connection has sent and has not begun is more than {} bytes, expected at most "
         "that",
         kMessages * options_.limits.max_message_bytes);
  }
}

void GrpcStream::charge_only(std::size_t bytes) {
  owner_.gathering() -= std::exchange(charged_, bytes) - bytes;
}

void GrpcStream::on_begun() {
  charge_only(std::min(charged_, reader_.gathered()));
}

void GrpcStream::take_message() {
  const bool compressed = reader_.compressed();
  GrpcMessage message = reader_.take();
  if (compressed) {
    if (head_.encoding != "gzip" && head_.encoding != "deflate") {
      fail(ErrorCode::kUnsupported,
           "a message is compressed, and grpc-encoding is '{}', expected gzip or deflate",
           head_.encoding);
    }
    const auto bytes = decompressed(message.bytes(), 0, max_message_bytes_, "message");
    charge(bytes.size());
    message = GrpcMessage(bytes.size());
    message.append(bytes);
  }
  call_->on_message(std::move(message));
}

void GrpcStream::on_end() {
  ended_ = true;
  if (!call_ || finished_ || !held_.empty()) {
    return;
  }
  guarded([this] {
    if (reader_.began()) {
      fail(ErrorCode::kInvalidArgument, "the call ends in the middle of a message");
    }
    call_->on_end();
  });
}

void GrpcStream::on_drain() {
  if (call_ && !finished_) {
    call_->on_drain();
  }
}

void GrpcStream::on_retire() {
  if (call_ && !finished_) {
    call_->on_retire();
  }
}

void GrpcStream::read_on() {
  if (held_.empty() || finished_) {
    return;
  }
  guarded([this] { held_begin_ += read(std::span(held_).subspan(held_begin_)); });
  if (!finished_ && held_begin_ == held_.size()) {
    held_ = {};
    held_begin_ = 0;
    if (ended_) {
      on_end();
    }
  }
}

void GrpcStream::add_metadata(std::string name, std::string value) {
  initial_metadata_.emplace_back(std::move(name), std::move(value));
}

void GrpcStream::send(std::string frame) {
  if (finished_) {
    return;
  }
  if (!std::exchange(head_sent_, true)) {
    std::vector<Http2Field> fields{kStatusOk, kContentTypeField, kAcceptEncoding};
    for (const auto& [name, value] : initial_metadata_) {
      fields.push_back({name, value});
    }
    session_.send_head(number_, fields);
  }
  session_.send_body(number_, std::move(frame));
  owner_.flush_soon();
}

void GrpcStream::finish(const GrpcStatus& status) {
  if (std::exchange(finished_, true)) {
    return;
  }
  const std::string code = format("{}", static_cast<int>(status.code));
  // Clients refuse header fields of more than 8 KiB, and would tell of that instead.
  constexpr std::size_t kMostTold = 1000;
  const std::string message =
      grpc_message_field(std::string_view(status.message).substr(0, kMostTold));
  std::vector<Http2Field> fields;
  if (!head_sent_) {
    fields = {kStatusOk, kContentTypeField, kAcceptEncoding};
    for (const auto& [name, value] : initial_metadata_) {
      fields.push_back({name, value});
    }
  }
  fields.push_back({"grpc-status", code});
  if (!message.empty()) {
    fields.push_back({"grpc-message", message});
  }
  if (head_sent_) {
    session_.send_trailers(number_, fields);
  } else {
    session_.send_head_only(number_, fields);
  }
  held_ = {};
  held_begin_ = 0;
  charge_only(0);
  owner_.flush_soon();
}

/// Who does not speak gRPC at all.
void GrpcStream::refuse_http(std::string_view status) {
  finished_ = true;
  const std::array<Http2Field, 1> fields{{{":status", status}}};
  session_.send_head_only(number_, fields);
  owner_.flush_soon();
}

void GrpcStream::begin_soon(std::shared_ptr<GrpcInference> inference) {
  owner_.begin_soon(number_, std::move(inference));
}

void GrpcStream::log_soon(std::shared_ptr<GrpcInference> inference) {
  owner_.log_soon(std::move(inference));
}

}  // namespace onnxop
