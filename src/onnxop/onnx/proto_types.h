#pragma once
// The messages of onnx.proto that this room's headers name; protobuf's own headers, which are
// large, are for files that look into them. Private to this room.

namespace onnx {
class GraphProto;
class ModelProto;
class NodeProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx
