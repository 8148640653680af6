#pragma once
// The text of a configuration to the message, with the place of everything in it. Private to this
// room.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/text_format.h>
#include <triton_config.pb.h>

namespace onnxop {

/// Lines and columns count from 0, as protobuf's do.
struct UnknownField {
  int line = 0;
  int column = 0;
  std::string name;
};

struct ConfigText {
  triton::ModelConfig message;
  google::protobuf::TextFormat::ParseInfoTree places;
  std::vector<UnknownField> unknown;
};

/// Throws Error{kInvalidArgument} with line and column.
std::unique_ptr<ConfigText> parse_config_text(std::string_view text);

using PlaceTree = google::protobuf::TextFormat::ParseInfoTree;

/// The line, counted from 1, of a field's value; 0 where it is not set. A list has the place of its
/// beginning only, which stands for the others too.
int line_of(const PlaceTree& places, const google::protobuf::Message& message,
            std::string_view field, int index = -1);

}  // namespace onnxop
