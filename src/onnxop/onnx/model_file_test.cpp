#include "onnxop/onnx/model_file.h"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "onnxop/base/json_value.h"
#include "onnxop/onnx/test_models.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace testing_models;

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes bytes_of(const std::string& text) {
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

TEST(SerializeModel, WritesWhatTheModelSays) {
  onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromString(text_of(serialize_model(conv_model()))));
  EXPECT_EQ(proto.ir_version(), 8);
  EXPECT_EQ(proto.opset_import(0).domain(), "");
  EXPECT_EQ(proto.opset_import(0).version(), 17);
  EXPECT_EQ(proto.producer_name(), "onnxop");
  EXPECT_EQ(proto.producer_version(), "1.2.3");
  EXPECT_EQ(proto.doc_string(), "A small network.");
  ASSERT_EQ(proto.metadata_props_size(), 2);
  EXPECT_EQ(proto.metadata_props(0).key(), "a");
  EXPECT_EQ(proto.metadata_props(1).value(), "second");
  const auto& graph = proto.graph();
  ASSERT_EQ(graph.node_size(), 8);
  const auto& gemm = graph.node(6);
  EXPECT_EQ(gemm.op_type(), "Gemm");
  EXPECT_EQ(gemm.attribute(0).name(), "alpha");
  EXPECT_EQ(gemm.attribute(0).type(), onnx::AttributeProto::FLOAT);
  EXPECT_EQ(gemm.attribute(0).f(), 1.0F);
  EXPECT_EQ(gemm.attribute(1).type(), onnx::AttributeProto::INT);
  EXPECT_EQ(gemm.attribute(1).i(), 1);
  EXPECT_EQ(graph.node(1).attribute(0).ints(3), 2);
  const auto& scale = graph.initializer(0);
  EXPECT_EQ(scale.data_type(), onnx::TensorProto::FLOAT);
  EXPECT_EQ(scale.raw_data().size(), 4U);
  EXPECT_EQ(scale.doc_string(), "of a pixel");
  const auto& shape = graph.input(0).type().tensor_type().shape();
  EXPECT_EQ(shape.dim(0).dim_param(), "N");
  EXPECT_EQ(shape.dim(1).dim_value(), 8);
}

TEST(SerializeModel, GivesTheSameBytesEachTime) {
  EXPECT_EQ(serialize_model(conv_model()), serialize_model(conv_model()));
  Model other = conv_model();
  other.metadata = {{"a", "first"}, {"b", "second"}};
  EXPECT_EQ(serialize_model(other), serialize_model(conv_model()));
}

TEST(SerializeModel, WritesEveryKindOfAttribute) {
  Model model = conv_model();
  model.graph.nodes = {node("Custom", {}, {"probabilities"},
                            {{"text", std::string("words")}, {"list", std::vector<float>{1, 2}}})};
  model.graph.nodes[0].doc_string = "why";
  onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromString(text_of(serialize_model(model))));
  const auto& made = proto.graph().node(0);
  EXPECT_EQ(made.attribute(0).floats_size(), 2);
  EXPECT_EQ(made.attribute(0).type(), onnx::AttributeProto::FLOATS);
  EXPECT_EQ(made.attribute(1).s(), "words");
  EXPECT_EQ(made.attribute(1).type(), onnx::AttributeProto::STRING);
  EXPECT_EQ(made.doc_string(), "why");
}

TEST(SerializeModel, RefusesAnInitializerWithoutValues) {
  Model model = conv_model();
  model.graph.initializers.push_back({"empty", Tensor(), ""});
  EXPECT_THAT(error_of([&] { serialize_model(model); }),
              AllOf(HasSubstr("unsupported"), HasSubstr("'empty'")));
}

class ModelFile : public testing::Test {
 protected:
  fs::path write(const onnx::ModelProto& proto, const std::string& name = "model.onnx") const {
    return folder_.write(name, as_bytes(proto.SerializeAsString()));
  }

  static onnx::ModelProto proto_of(const Model& model) {
    onnx::ModelProto proto;
    EXPECT_TRUE(proto.ParseFromString(text_of(serialize_model(model))));
    return proto;
  }

  std::string check_error(const onnx::ModelProto& proto) const {
    const fs::path path = write(proto);
    return error_of([&] { check_model(path); });
  }

  TemporaryFolder folder_;
};

TEST_F(ModelFile, AcceptsWhatIsWritten) {
  EXPECT_EQ(check_error(proto_of(conv_model())), "");
}

// --- Files that are no models ---

TEST_F(ModelFile, RefusesWhatIsNoModel) {
  const auto error = [&](const fs::path& path) { return error_of([&] { check_model(path); }); };
  EXPECT_THAT(error(folder_.path() / "none.onnx"),
              AllOf(HasSubstr("not_found"), HasSubstr("none.onnx")));
  EXPECT_THAT(error(folder_.path()),
              AllOf(HasSubstr("invalid_argument"), HasSubstr("got a folder")));
  EXPECT_THAT(error("/dev/null"), HasSubstr("no regular file"));
  EXPECT_THAT(error(folder_.write("empty.onnx", {})), HasSubstr("empty"));
  EXPECT_THAT(error(folder_.write("text.onnx", as_bytes("just a text"))),
              AllOf(HasSubstr("text.onnx"), HasSubstr("no ONNX model"), HasSubstr("at byte")));
  EXPECT_THAT(error(folder_.write("png.onnx", as_bytes("\x89PNG\r\n\x1a\n and more"))),
              HasSubstr("no ONNX model"));
  EXPECT_THAT(error(folder_.write("zeros.onnx", Bytes(1000))),
              HasSubstr("no ONNX model: at byte 0 of 1000"));
  // "\x0a\x03abc" is a fine message with field 1 as text.
  EXPECT_THAT(error(folder_.write("other.onnx", as_bytes("\x0a\x03"
                                                         "abc"))),
              HasSubstr("no ONNX model"));
  for (const auto& read :
       {std::function<void(const fs::path&)>([](const fs::path& p) { describe_model(p); }),
        std::function<void(const fs::path&)>([](const fs::path& p) { read_contract(p); })}) {
    EXPECT_THAT(error_of([&] { read(folder_.path() / "text.onnx"); }), HasSubstr("no ONNX model"));
    EXPECT_THAT(error_of([&] { read(folder_.path() / "none.onnx"); }), HasSubstr("not_found"));
  }
}

TEST_F(ModelFile, RefusesAModelWithoutItsParts) {
  auto proto = proto_of(conv_model());
  proto.clear_graph();
  EXPECT_THAT(check_error(proto), AllOf(HasSubstr("no ONNX model"), HasSubstr("graph")));
  proto = proto_of(conv_model());
  proto.clear_ir_version();
  EXPECT_THAT(check_error(proto), HasSubstr("ir_version"));
  proto = proto_of(conv_model());
  proto.clear_opset_import();
  EXPECT_THAT(check_error(proto), HasSubstr("opset_import"));
}

TEST_F(ModelFile, SaysWhereAFileIsTruncated) {
  const Bytes whole = serialize_model(conv_model());
  const std::string text = text_of(whole);
  const std::size_t inside =
      text.find("dense_w", text.find("conv_b")) - 100;  // in that initializer's raw_data
  const auto path = folder_.write("half.onnx", std::span(whole).first(inside));
  EXPECT_THAT(
      error_of([&] { check_model(path); }),
      AllOf(HasSubstr("invalid_argument"), HasSubstr("half.onnx: truncated or damaged at byte"),
            HasSubstr(format("of {}", inside)), HasSubstr("needs")));
}

TEST_F(ModelFile, SaysInWhichPartAFileIsDamaged) {
  auto proto = proto_of(conv_model());
  std::string text = proto.SerializeAsString();
  const std::size_t at =
      text.find("planes", text.find("conv_w") - 20) - 1;  // the length of an input's name
  text[at] = '\x7f';
  const auto path = folder_.write("damaged.onnx", as_bytes(text));
  EXPECT_THAT(error_of([&] { check_model(path); }),
              AllOf(HasSubstr("in graph.node["), HasSubstr("needs 127 bytes")));
}

TEST_F(ModelFile, RefusesAFileOverProtobufsLimit) {
  const auto path = write(proto_of(conv_model()));
  fs::resize_file(path, (std::uintmax_t{1} << 31) + 5);  // sparse
  EXPECT_THAT(error_of([&] { check_model(path); }),
              AllOf(HasSubstr("too_large"), HasSubstr("external data")));
}

// --- Contracts in the metadata ---

TEST_F(ModelFile, ReadsTheContractThatWasWritten) {
  const Bytes plain = serialize_model(conv_model());
  EXPECT_FALSE(read_contract(folder_.write("plain.onnx", plain)));
  const auto path = folder_.write("with.onnx", with_contract(plain, conv_contract()));
  check_model(path);
  const auto read = read_contract(path);
  ASSERT_TRUE(read);
  EXPECT_EQ(dump_json(contract_to_json(*read)), dump_json(contract_to_json(conv_contract())));
}

TEST_F(ModelFile, WithContractChangesNothingElse) {
  // A field that this version of ONNX does not know, before and after the contract.
  const std::string unknown = "\xca\x3e\x05hello";
  const Bytes plain = bytes_of(unknown + text_of(serialize_model(conv_model())) + unknown);
  const Bytes once = with_contract(plain, conv_contract());
  EXPECT_TRUE(std::equal(plain.begin(), plain.end(), once.begin()));

  Contract other = conv_contract();
  other.input.width = 9;
  const Bytes twice = with_contract(once, other);
  EXPECT_EQ(twice.size(), once.size());
  EXPECT_EQ(with_contract(twice, conv_contract()), once);
  EXPECT_EQ(read_contract(folder_.write("two.onnx", twice))->input.width, 9);

  const std::string entry = text_of(once).substr(plain.size());
  const Bytes doubled = bytes_of(text_of(once) + entry);
  EXPECT_EQ(with_contract(doubled, conv_contract()), once);
}

TEST_F(ModelFile, WithContractRefusesWhatIsNoModel) {
  const auto error = [](const std::string& text) {
    return error_of([&] { with_contract(bytes_of(text), conv_contract()); });
  };
  EXPECT_THAT(error("text that is none"), HasSubstr("no ONNX model: at byte"));
  EXPECT_THAT(error(""), HasSubstr("no graph"));
}

TEST_F(ModelFile, NamesTheFileOfABrokenContract) {
  Model model = conv_model();
  model.metadata[std::string(kContractKey)] = R"({"version": 1, "inputs": {}})";
  const auto path = folder_.write("bad.onnx", serialize_model(model));
  EXPECT_THAT(error_of([&] { read_contract(path); }),
              AllOf(HasSubstr("bad.onnx"), HasSubstr("onnxop.contract"),
                    HasSubstr("did you mean 'input'?")));
  EXPECT_THAT(describe_model(path).problems, ElementsAre(HasSubstr("did you mean 'input'?")));
  model.metadata[std::string(kContractKey)] = "{";
  EXPECT_THAT(error_of([&] { read_contract(folder_.write("bad.onnx", serialize_model(model))); }),
              AllOf(HasSubstr("bad.onnx"), HasSubstr("not valid JSON")));
}

}  // namespace
}  // namespace onnxop
