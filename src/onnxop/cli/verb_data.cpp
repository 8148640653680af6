#include <fstream>
#include <memory>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/data/dataset.h"
#include "onnxop/data/mnist.h"
#include "onnxop/image/codec.h"
#include "onnxop/workflow/dataset_ref.h"

namespace onnxop {
namespace {

struct FetchOptions {
  std::string name;
  std::string to;
  bool json = false;
};

struct ImagesOptions {
  std::string dataset;
  std::string to;
  std::int64_t first = 10;
  bool json = false;
};

void fetch(const FetchOptions& options) {
  const std::filesystem::path dir =
      options.to.empty() ? default_data_dir() / "mnist" : std::filesystem::path(options.to);
  const bool fetched = fetch_mnist(dir);
  if (options.json) {
    print_json({{"data", options.name}, {"dir", dir.string()}, {"fetched", fetched}});
  } else {
    print_text(format("{} is in {}{}\n", options.name, dir.string(),
                      fetched ? "" : " (was there already)"));
  }
}

/// Without the fsync of write_file_atomically, which takes longer than all else: such a file is
/// made again at will.
void write_picture(const std::filesystem::path& path, const Image& image) {
  const auto bytes = encode_png(image);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  file.close();
  if (!file) {
    fail(ErrorCode::kIo, "{}: cannot be written", path.string());
  }
}

void write_images(const ImagesOptions& options) {
  const Dataset dataset = open_dataset(options.dataset);
  const Shape shape = dataset.sample_shape();
  if (shape.size() != 3) {
    fail(ErrorCode::kInvalidArgument, "{}: samples of shape {} are no images", options.dataset,
         shape_text(shape));
  }
  std::error_code error;
  std::filesystem::create_directories(options.to, error);
  if (error) {
    fail(ErrorCode::kIo, "{}: the folder cannot be made: {}", options.to, error.message());
  }
  const std::int64_t count = std::min(options.first, dataset.size());
  const std::int64_t pixels = element_count(shape);
  Json files = Json::array();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto from = dataset.samples.values<std::uint8_t>().subspan(
        static_cast<std::size_t>(i * pixels), static_cast<std::size_t>(pixels));
    const Image image{.width = static_cast<int>(shape[1]),
                      .height = static_cast<int>(shape[0]),
                      .channels = static_cast<int>(shape[2]),
                      .pixels = {from.begin(), from.end()}};
    const std::string& label =
        dataset.labels.at(static_cast<std::size_t>(dataset.classes[static_cast<std::size_t>(i)]));
    const auto path = std::filesystem::path(options.to) / format("{:05}-{}.png", i, label);
    write_picture(path, image);
    files.push_back({{"path", path.string()}, {"label", label}});
  }
  if (options.json) {
    print_json({{"files", files}});
  } else {
    print_text(format("{} images in {}\n", count, options.to));
  }
}

}  // namespace

VerbAction declare_data(CLI::App& command) {
  set_example(command,
              "onnxop data fetch mnist\n  onnxop data images mnist:test --first 10 --to digits");
  command.require_subcommand(1);
  auto chosen = std::make_shared<std::function<void()>>();

  auto fetch_options = std::make_shared<FetchOptions>();
  CLI::App* fetch_command = command.add_subcommand("fetch", "Download a data set and check it");
  fetch_command->fallthrough();
  set_example(*fetch_command, "onnxop data fetch mnist --to data/mnist");
  fetch_command->add_option("NAME", fetch_options->name, "Which data set: mnist")
      ->required()
      ->check(CLI::IsMember({"mnist"}));
  fetch_command->add_option("--to", fetch_options->to, "Folder for the files (default: the cache)");
  add_json_flag(*fetch_command, fetch_options->json);
  fetch_command->final_callback([=] { *chosen = [=] { fetch(*fetch_options); }; });

  auto images_options = std::make_shared<ImagesOptions>();
  CLI::App* images_command =
      command.add_subcommand("images", "Write a data set's first images as PNG files");
  images_command->fallthrough();
  set_example(*images_command, "onnxop data images mnist:test --first 10 --to digits");
  images_command
      ->add_option("DATA", images_options->dataset, "mnist:train, mnist:test or folder:DIR")
      ->required();
  images_command->add_option("--first", images_options->first, "How many")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  images_command->add_option("--to", images_options->to, "Folder for NUMBER-LABEL.png")->required();
  add_json_flag(*images_command, images_options->json);
  images_command->final_callback([=] { *chosen = [=] { write_images(*images_options); }; });

  return [chosen](const CliContext&) { (*chosen)(); };
}

}  // namespace onnxop
