// The Registry's models.

#include <algorithm>
#include <charconv>
#include <set>

#include <soci/soci.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/nearest.h"
#include "onnxop/base/sha256.h"
#include "onnxop/registry/registry_impl.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

constexpr std::string_view kModelFile = "model.onnx";
constexpr std::string_view kLatest = "latest";  // the alias that nobody sets: the newest version
constexpr std::size_t kLongestName = 128;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void check_name(std::string_view what, std::string_view name) {
  const auto allowed = [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
  };
  if (name.empty() || name.size() > kLongestName || !is_letter_or_digit(name.front()) ||
      !std::all_of(name.begin(), name.end(), allowed)) {
    fail(ErrorCode::kInvalidArgument,
         "'{}' is no {} name: expected 1 to {} letters, digits, '.', '_' or '-', a letter or digit "
         "first",
         name, what, kLongestName);
  }
}

// What is copied into a version's folder: from where, and under which relative path.
struct Copy {
  fs::path from;
  fs::path to;
};

std::vector<Copy> plan_copies(const fs::path& model_file, const std::vector<fs::path>& companions) {
  std::vector<Copy> copies{{model_file, fs::path(kModelFile)}};
  std::set<fs::path> taken{fs::path(kModelFile)};
  for (const fs::path& companion : companions) {
    const fs::path to = companion.lexically_normal();
    if (to.empty() || to.is_absolute() || *to.begin() == ".." || !to.has_filename() || to == ".") {
      fail(ErrorCode::kInvalidArgument,
           "the model's companion '{}' is not a path inside the folder of {}", companion.native(),
           model_file.native());
    }
    if (!taken.insert(to).second) {
      fail(ErrorCode::kInvalidArgument, "{}: two files would be stored as '{}'",
           model_file.native(), to.native());
    }
    copies.push_back({model_file.parent_path() / to, to});
  }
  for (const Copy& copy : copies) {
    std::error_code error;
    if (!fs::exists(copy.from, error)) {
      fail(ErrorCode::kNotFound, "{}: there is no such file to register", copy.from.native());
    }
    if (!fs::is_regular_file(copy.from, error)) {
      fail(ErrorCode::kInvalidArgument, "{}: not a regular file", copy.from.native());
    }
  }
  return copies;
}

// Copies into `folder`; what is there afterwards is what counts, so sizes and hashes are taken from
// the copies.
std::vector<ModelFile> copy_files(const std::vector<Copy>& copies, const fs::path& folder) {
  std::vector<ModelFile> files;
  for (const Copy& copy : copies) {
    const fs::path to = folder / copy.to;
    try {
      fs::create_directories(to.parent_path());
      copy_to_new_file(copy.from, to);
      fs::permissions(to, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
      files.push_back({copy.to.generic_string(), static_cast<std::int64_t>(fs::file_size(to)),
                       sha256_file(to)});
    } catch (const fs::filesystem_error& error) {
      fail(ErrorCode::kIo, "cannot copy {} to {}: {}", copy.from.native(), to.native(),
           error.code().message());
    }
  }
  return files;
}

std::vector<std::string> published_names(soci::session& session) {
  std::vector<std::string> names;
  std::string name;
  soci::statement select =
      (session.prepare << "SELECT DISTINCT name FROM model_versions ORDER BY name", into(name));
  select.execute();
  while (select.fetch()) {
    names.push_back(name);
  }
  return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  const auto nearest = nearest_word(word, candidates);
  return nearest ? format("; did you mean '{}'?", *nearest) : std::string();
}

[[noreturn]] void fail_no_model(soci::session& session, const fs::path& store,
                                std::string_view name) {
  const auto names = published_names(session);
  if (names.empty()) {
    fail(ErrorCode::kNotFound, "no model '{}' in the store {}: it has no models yet", name,
         store.native());
  }
  fail(ErrorCode::kNotFound, "no model '{}' in the store {}; there are: {}{}", name, store.native(),
       join(names, ", "), did_you_mean(name, names));
}

// Versions of `name`, newest first; only the one of that number unless it is 0.
std::vector<ModelVersion> load_versions(soci::session& session, const Registry& registry,
                                        const std::string& name, long long number) {
  std::vector<ModelVersion> versions;
  ModelVersion row;
  long long version = 0;
  long long created_ms = 0;
  const std::string model_file(kModelFile);
  soci::statement select =
      (session.prepare << "SELECT v.version, COALESCE(v.run_id, ''), v.source, f.sha256, "
                          "v.created_ms FROM model_versions v JOIN model_files f "
                          "ON f.name = v.name AND f.version = v.version AND f.path = :file "
                          "WHERE v.name = :name AND (v.version = :number OR :all = 0) "
                          "ORDER BY v.version DESC",
       use(model_file), use(name), use(number), use(number), into(version), into(row.run_id),
       into(row.source), into(row.sha256), into(created_ms));
  select.execute();
  while (select.fetch()) {
    row.name = name;
    row.version = version;
    row.created_ms = created_ms;
    row.model_path =
        registry.dir() / "models" / name / std::to_string(version) / std::string(kModelFile);
    versions.push_back(row);
  }
  return versions;
}

ModelVersion load_version(soci::session& session, const Registry& registry, const std::string& name,
                          long long number) {
  auto found = load_versions(session, registry, name, number);
  if (!found.empty()) {
    return found.front();
  }
  const auto all = load_versions(session, registry, name, 0);
  if (all.empty()) {
    fail_no_model(session, registry.dir(), name);
  }
  std::vector<std::int64_t> numbers;
  for (const ModelVersion& version : all) {
    numbers.push_back(version.version);
  }
  fail(ErrorCode::kNotFound, "model '{}' in the store {} has no version {}; there are: {}", name,
       registry.dir().native(), number, join(numbers, ", "));
}

std::map<std::string, std::int64_t> load_aliases(soci::session& session, const std::string& name) {
  std::map<std::string, std::int64_t> aliases;
  std::string alias;
  long long version = 0;
  soci::statement select =
      (session.prepare << "SELECT alias, version FROM model_aliases WHERE name = :name", use(name),
       into(alias), into(version));
  select.execute();
  while (select.fetch()) {
    aliases[alias] = version;
  }
  return aliases;
}

ModelVersion load_latest(soci::session& session, const Registry& registry,
                         const std::string& name) {
  auto versions = load_versions(session, registry, name, 0);
  if (versions.empty()) {
    fail_no_model(session, registry.dir(), name);
  }
  return versions.front();
}

ModelVersion load_alias(soci::session& session, const Registry& registry, const std::string& name,
                        const std::string& alias) {
  const ModelVersion latest = load_latest(session, registry, name);
  if (alias == kLatest) {
    return latest;
  }
  const auto aliases = load_aliases(session, name);
  if (const auto found = aliases.find(alias); found != aliases.end()) {
    return load_version(session, registry, name, found->second);
  }
  std::vector<std::string> known;
  for (const auto& [known_alias, version] : aliases) {
    known.push_back(known_alias);
  }
  if (known.empty()) {
    fail(ErrorCode::kNotFound, "model '{}' in the store {} has no alias '{}', nor any other", name,
         registry.dir().native(), alias);
  }
  fail(ErrorCode::kNotFound, "model '{}' in the store {} has no alias '{}'; there are: {}{}", name,
       registry.dir().native(), alias, join(known, ", "), did_you_mean(alias, known));
}

std::vector<ModelFile> load_files(soci::session& session, const std::string& name,
                                  long long version) {
  std::vector<ModelFile> files;
  ModelFile file;
  long long bytes = 0;
  soci::statement select =
      (session.prepare << "SELECT path, bytes, sha256 FROM model_files "
                          "WHERE name = :name AND version = :version ORDER BY path",
       use(name), use(version), into(file.path), into(bytes), into(file.sha256));
  select.execute();
  while (select.fetch()) {
    file.bytes = bytes;
    files.push_back(file);
  }
  return files;
}

struct Reference {
  std::string name;
  std::optional<std::int64_t> version;
  std::optional<std::string> alias;
};

Reference parse_reference(std::string_view text) {
  const auto at = text.find_first_of(":@");
  Reference reference;
  reference.name = text.substr(0, at);
  check_name("model", reference.name);
  if (at == std::string_view::npos) {
    return reference;
  }
  const std::string_view rest = text.substr(at + 1);
  if (text[at] == '@') {
    check_name("alias", rest);
    reference.alias = rest;
    return reference;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || end != rest.data() + rest.size() || number < 1) {
    fail(ErrorCode::kInvalidArgument, "model '{}': the version '{}' is no number from 1 on", text,
         rest);
  }
  reference.version = number;
  return reference;
}

}  // namespace

fs::path Registry::Impl::version_dir(std::string_view name, std::int64_t version) const {
  return dir / "models" / name / std::to_string(version);
}

ModelVersion Registry::register_model(std::string_view name, const fs::path& model_file,
                                      std::string_view run_id, std::string_view source,
                                      const std::vector<fs::path>& companions) {
  check_name("model", name);
  const auto copies = plan_copies(model_file, companions);
  if (!run_id.empty()) {
    impl_->database.read([&](soci::session& session) { impl_->require_run(session, run_id); });
  }
  impl_->discard_abandoned_claims();

  ModelVersion version;
  version.name = name;
  version.version = impl_->claim_version(name);
  version.run_id = run_id;
  version.source = source;
  version.created_ms = impl_->now_ms();
  const fs::path folder = impl_->version_dir(name, version.version);
  version.model_path = folder / std::string(kModelFile);
  try {
    StagedDirectory staged(folder);
    const auto files = copy_files(copies, staged.path());
    version.sha256 = files.front().sha256;
    staged.publish();
    impl_->publish_claim(version, files);
  } catch (...) {
    impl_->discard_claim(name, version.version);
    throw;
  }
  return version;
}

std::vector<RegisteredModel> Registry::list_models() const {
  return impl_->database.read([](soci::session& session) {
    std::vector<RegisteredModel> models;
    for (const std::string& name : published_names(session)) {
      long long latest = 0;
      session << "SELECT MAX(version) FROM model_versions WHERE name = :name", use(name),
          into(latest);
      models.push_back({name, latest, load_aliases(session, name)});
    }
    return models;
  });
}

std::vector<ModelVersion> Registry::list_versions(std::string_view name) const {
  const std::string model(name);
  return impl_->database.read([&](soci::session& session) {
    auto versions = load_versions(session, *this, model, 0);
    if (versions.empty()) {
      fail_no_model(session, dir(), model);
    }
    return versions;
  });
}

ModelVersion Registry::get_version(std::string_view name, std::int64_t version) const {
  if (version < 1) {
    fail(ErrorCode::kInvalidArgument, "model '{}': {} is no version: they count from 1", name,
         version);
  }
  const std::string model(name);
  return impl_->database.read(
      [&](soci::session& session) { return load_version(session, *this, model, version); });
}

void Registry::set_alias(std::string_view name, std::string_view alias, std::int64_t version) {
  check_name("alias", alias);
  if (alias == kLatest) {
    fail(ErrorCode::kInvalidArgument,
         "the alias '{}' cannot be set: it always means the newest version", alias);
  }
  const std::string model(name);
  const std::string text(alias);
  const long long number = version;
  impl_->database.write([&](soci::session& session) {
    load_version(session, *this, model, number);
    session << "INSERT INTO model_aliases (name, alias, version) VALUES (:name, :alias, :version) "
               "ON CONFLICT (name, alias) DO UPDATE SET version = excluded.version",
        use(model), use(text), use(number);
  });
}

ModelVersion Registry::resolve(std::string_view reference) const {
  const Reference wanted = parse_reference(reference);
  return impl_->database.read([&](soci::session& session) {
    if (wanted.alias) {
      return load_alias(session, *this, wanted.name, *wanted.alias);
    }
    if (wanted.version) {
      return load_version(session, *this, wanted.name, *wanted.version);
    }
    return load_latest(session, *this, wanted.name);
  });
}

std::vector<ModelFile> Registry::version_files(std::string_view name, std::int64_t version) const {
  const ModelVersion found = get_version(name, version);
  return impl_->database.read(
      [&](soci::session& session) { return load_files(session, found.name, found.version); });
}

void Registry::verify(const ModelVersion& version) const {
  const fs::path folder = impl_->version_dir(version.name, version.version);
  for (const ModelFile& file : version_files(version.name, version.version)) {
    const fs::path path = folder / file.path;
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    if (error) {
      fail(ErrorCode::kDataLoss, "{}: a published file is missing: {}", path.native(),
           error.message());
    }
    if (static_cast<std::int64_t>(bytes) != file.bytes) {
      fail(ErrorCode::kDataLoss, "{}: {} bytes, but {} were published", path.native(), bytes,
           file.bytes);
    }
    if (const auto sha256 = sha256_file(path); sha256 != file.sha256) {
      fail(ErrorCode::kDataLoss, "{}: its SHA-256 is {}, but {} was published", path.native(),
           sha256, file.sha256);
    }
  }
}

}  // namespace onnxop
