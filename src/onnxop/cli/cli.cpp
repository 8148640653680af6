#include <cstdio>
#include <iostream>
#include <memory>
#include <vector>

#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/log.h"
#include "onnxop/base/nearest.h"
#include "onnxop/cli/verb.h"

namespace onnxop {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

struct Globals {
  std::string store = "onnxop-store";
  std::string store_files;
  std::string log_level = "info";
  std::string log_format = "auto";
};

LogOptions log_options(const Globals& globals) {
  LogOptions options;
  options.level = globals.log_level == "debug"     ? LogLevel::kDebug
                  : globals.log_level == "warning" ? LogLevel::kWarning
                  : globals.log_level == "error"   ? LogLevel::kError
                                                   : LogLevel::kInfo;
  options.format = globals.log_format == "json"   ? LogFormat::kJson
                   : globals.log_format == "text" ? LogFormat::kText
                                                  : LogFormat::kAuto;
  return options;
}

void declare_globals(CLI::App& app, Globals& globals) {
  app.add_option("--store", globals.store,
                 "Where runs and models live: a folder, or postgresql://USER@HOST/DATABASE")
      ->envname("ONNXOP_STORE")
      ->capture_default_str();
  app.add_option("--store-files", globals.store_files,
                 "Folder of the files of a postgresql:// store (default onnxop-store)")
      ->envname("ONNXOP_STORE_FILES");
  app.add_option("--log-level", globals.log_level, "Least important messages to log")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", globals.log_format, "text, json, or auto: text on a terminal")
      ->check(CLI::IsMember({"auto", "text", "json"}))
      ->capture_default_str();
}

int report_usage(std::string_view message, std::string_view help_of) {
  std::cerr << "onnxop: " << message << "\nTry: " << help_of << " --help\n";
  return kExitUsage;
}

StoreLocation store_location(const Globals& globals) {
  auto location = parse_store_location(
      globals.store, globals.store_files.empty() ? "onnxop-store" : globals.store_files);
  if (!location.is_postgresql() && !globals.store_files.empty()) {
    throw UsageError("--store-files (or ONNXOP_STORE_FILES) goes with a postgresql:// store");
  }
  return location;
}

int run_action(const VerbAction& action, const Globals& globals, std::string_view program) {
  try {
    init_logging(log_options(globals));
    action(CliContext{.store = store_location(globals)});
    return 0;
  } catch (const UsageError& e) {
    return report_usage(e.what(), program);
  } catch (const Error& e) {
    std::cerr << "onnxop: error: " << e.what() << '\n';
  } catch (const std::exception& e) {
    std::cerr << "onnxop: internal error: " << e.what() << '\n';
  }
  return kExitFailed;
}

}  // namespace

std::string_view find_verb_word(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--store" || word == "--store-files" || word == "--log-level" ||
        word == "--log-format") {
      ++i;
    } else if (!word.starts_with("-")) {
      return word;
    }
  }
  return {};
}

int run_cli(std::span<const Verb> verbs, int argc, char** argv) {
  CLI::App app("From a data set to a trained network, to ONNX, to a registry, to a web service.",
               "onnxop");
  app.set_version_flag("--version", std::string("onnxop ") + ONNXOP_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.get_formatter()->column_width(34);
  set_example(app, "onnxop data fetch mnist && onnxop train examples/mnist.yaml && onnxop serve");
  Globals globals;
  declare_globals(app, globals);

  VerbAction chosen;
  for (const Verb& verb : verbs) {
    CLI::App* command = app.add_subcommand(std::string(verb.name), std::string(verb.summary));
    command->fallthrough();
    VerbAction action = verb.declare(*command);
    command->final_callback([&chosen, action = std::move(action)] { chosen = action; });
  }

  std::vector<std::string_view> names;
  for (const Verb& verb : verbs) {
    names.push_back(verb.name);
  }
  const std::string_view word = find_verb_word(argc, argv);
  if (!word.empty() && std::find(names.begin(), names.end(), word) == names.end()) {
    const auto near = nearest_word(word, names);
    return report_usage(
        format("'{}' is no verb{}; known: {}", word,
               near ? format(", did you mean '{}'?", *near) : std::string(), join(names, ", ")),
        "onnxop");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return app.exit(e);  // --help and --version
    }
    const auto given = app.get_subcommands();
    return report_usage(e.what(), given.empty() ? "onnxop" : "onnxop " + given.front()->get_name());
  }
  return run_action(chosen, globals, "onnxop " + app.get_subcommands().front()->get_name());
}

VerbAction declare_subverbs(CLI::App& command, std::span<const Verb> verbs, VerbAction otherwise) {
  auto chosen = std::make_shared<VerbAction>(std::move(otherwise));
  for (const Verb& verb : verbs) {
    CLI::App* sub = command.add_subcommand(std::string(verb.name), std::string(verb.summary));
    sub->fallthrough();
    VerbAction action = verb.declare(*sub);
    sub->final_callback([chosen, action = std::move(action)] { *chosen = action; });
  }
  return [chosen](const CliContext& context) { (*chosen)(context); };
}

void set_example(CLI::App& command, std::string_view example) {
  command.footer("Example:\n  " + std::string(example));
}

void add_json_flag(CLI::App& command, bool& flag) {
  command.add_flag("--json", flag, "Print the result as one JSON object");
}

void print_json(const Json& value) {
  print_text(dump_json_pretty(value) + "\n");
}

void print_text(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    fail(ErrorCode::kIo, "standard output cannot be written");
  }
}

std::string table_text(std::span<const std::vector<std::string>> rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) {
        line.append(widths[i] - row[i].size() + 2, ' ');
      }
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace onnxop
