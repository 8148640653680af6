#include "onnxop/registry/artifacts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/sha256.h"
#include "onnxop/registry/artifact_rows.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

// Paths are compared byte by byte, in every database. '0' comes after '/'.
struct PathRange {
  std::string from;
  std::string past;  // the first path behind the range; "": no end
};

// All that is in a folder, at any depth; "": the root.
PathRange range_below(const std::string& folder) {
  return folder.empty() ? PathRange{} : PathRange{folder + "/", folder + "0"};
}

// Up to `most` (0: all), sorted by path.
std::vector<Artifact> artifacts_in(Session& session, const PathRange& range, std::int64_t most) {
  const std::string query = format(
      "SELECT path, bytes, sha256, created_ms FROM artifacts WHERE path >= :first AND {} "
      "ORDER BY path{}",
      range.past.empty() ? "path <> :past" : "path < :past",
      most == 0 ? std::string() : format(" LIMIT {}", most));
  std::vector<Artifact> found;
  Artifact row;
  long long bytes = 0;
  long long created_ms = 0;
  soci::statement select = (session.prepare << query, use(range.from), use(range.past),
                            into(row.path), into(bytes), into(row.sha256), into(created_ms));
  select.execute();
  while (select.fetch()) {
    row.bytes = bytes;
    row.created_ms = created_ms;
    found.push_back(row);
  }
  return found;
}

std::optional<Artifact> find_artifact(Session& session, const std::string& path) {
  Artifact artifact;
  artifact.path = path;
  long long bytes = 0;
  long long created_ms = 0;
  session << "SELECT bytes, sha256, created_ms FROM artifacts WHERE path = :path", use(path),
      into(bytes), into(artifact.sha256), into(created_ms);
  artifact.bytes = bytes;
  artifact.created_ms = created_ms;
  return session.got_data() ? std::optional(artifact) : std::nullopt;
}

// A path is a file or a folder, never both.
void refuse_conflict(Session& session, const std::string& path) {
  if (!artifacts_in(session, range_below(path), 1).empty()) {
    fail(ErrorCode::kFailedPrecondition, "the artifact '{}' is a folder: no file can have its name",
         path);
  }
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (find_artifact(session, path.substr(0, slash))) {
      fail(ErrorCode::kFailedPrecondition, "the artifact '{}' is a file: '{}' cannot be in it",
           path.substr(0, slash), path);
    }
  }
}

std::string check_folder(std::string_view folder) {
  const bool is_root = folder.find_first_not_of('/') == std::string_view::npos;
  return is_root && folder.size() <= 1 ? std::string() : check_artifact_path(folder);
}

// Of a blob: what is wrong with it; "": nothing.
std::string problem_of(const BlobStore& blobs, const Artifact& artifact) {
  try {
    const fs::path file = blobs.file(artifact.sha256);
    if (const auto bytes = static_cast<std::int64_t>(fs::file_size(file));
        bytes != artifact.bytes) {
      return format("{}: {} bytes, but {} were stored", file.native(), bytes, artifact.bytes);
    }
    if (const auto sha256 = sha256_file(file); sha256 != artifact.sha256) {
      return format("{}: its SHA-256 is {}, not what its name says", file.native(), sha256);
    }
    return {};
  } catch (const Error& error) {
    return error.what();
  } catch (const fs::filesystem_error& error) {
    return error.what();
  }
}

bool is_used(Session& session, const std::string& sha256) {
  int count = 0;
  session << "SELECT COUNT(*) FROM artifacts WHERE sha256 = :sha256", use(sha256), into(count);
  return count > 0;
}

}  // namespace

void remove_artifacts_below(Session& session, const std::string& folder) {
  const PathRange range = range_below(folder);
  session << "DELETE FROM artifacts WHERE path >= :first AND path < :past", use(range.from),
      use(range.past);
}

BlobStore& Artifacts::blobs() {
  return *core_.blobs;
}

Artifact Artifacts::put(std::string_view path, std::span<const std::byte> content) {
  check_artifact_path(path);
  const fs::path staged = core_.blobs->new_staging_file();
  write_file_atomically(staged, content);
  return put_staged(path, staged);
}

Artifact Artifacts::put_copy(std::string_view path, const fs::path& file) {
  check_artifact_path(path);
  const fs::path staged = core_.blobs->new_staging_file();
  const StagedFile remover(staged);
  copy_to_new_file(file, staged);
  return put_staged(path, staged);
}

Artifact Artifacts::put_staged(std::string_view path, const fs::path& staged) {
  const StagedFile remover(staged);
  Artifact artifact;
  artifact.path = check_artifact_path(path);
  core_.database.read([&](Session& session) { refuse_conflict(session, artifact.path); });
  const Blob blob = core_.blobs->seal(staged);
  artifact.bytes = blob.bytes;
  artifact.sha256 = blob.sha256;
  artifact.created_ms = core_.now_ms();
  const long long bytes = artifact.bytes;
  const long long created_ms = artifact.created_ms;
  core_.database.write([&](Session& session) {
    refuse_conflict(session, artifact.path);
    // gc() removes blobs alone among all writers, as this adds one: it sees this one used.
    core_.blobs->add(staged, blob);
    session << "INSERT INTO artifacts (path, bytes, sha256, created_ms) VALUES (:path, :bytes, "
               ":sha256, :created) ON CONFLICT (path) DO UPDATE SET bytes = excluded.bytes, sha256 "
               "= excluded.sha256, created_ms = excluded.created_ms",
        use(artifact.path), use(bytes), use(artifact.sha256), use(created_ms);
  });
  return artifact;
}

std::optional<Artifact> Artifacts::find(std::string_view path) const {
  const std::string checked = check_artifact_path(path);
  return core_.database.read([&](Session& session) { return find_artifact(session, checked); });
}

fs::path Artifacts::file(const Artifact& artifact) const {
  return core_.blobs->file(artifact.sha256);
}

std::vector<ArtifactEntry> Artifacts::list(std::string_view folder) const {
  constexpr std::int64_t kPageRows = 500;
  const std::string checked = check_folder(folder);
  const std::size_t prefix = checked.empty() ? 0 : checked.size() + 1;
  std::vector<ArtifactEntry> entries;
  core_.database.read([&](Session& session) {
    PathRange range = range_below(checked);
    while (true) {
      const auto rows = artifacts_in(session, range, kPageRows);
      for (const Artifact& row : rows) {
        const auto slash = row.path.find('/', prefix);
        const std::string child = row.path.substr(0, slash);
        const bool is_dir = slash != std::string::npos;
        if (!is_dir) {
          entries.push_back({child, false, row.bytes});
        } else if (entries.empty() || !entries.back().is_dir || entries.back().path != child) {
          entries.push_back({child, true, 0});
        }
      }
      if (std::cmp_less(rows.size(), kPageRows)) {
        return;
      }
      // A folder that fills the page is left behind as a whole.
      range.from = entries.back().path + (entries.back().is_dir ? "0" : "\x01");
    }
  });
  // In byte order "a-b" is before "a/b": folders are found where their files are.
  std::sort(entries.begin(), entries.end(),
            [](const ArtifactEntry& a, const ArtifactEntry& b) { return a.path < b.path; });
  return entries;
}

std::vector<Artifact> Artifacts::tree(std::string_view folder) const {
  const std::string checked = check_folder(folder);
  return core_.database.read(
      [&](Session& session) { return artifacts_in(session, range_below(checked), 0); });
}

std::size_t Artifacts::remove(std::string_view path) {
  const std::string checked = check_artifact_path(path);
  return core_.database.write([&](Session& session) {
    const PathRange range = range_below(checked);
    std::size_t count = artifacts_in(session, range, 0).size();
    count += find_artifact(session, checked) ? 1 : 0;
    if (count == 0) {
      fail(ErrorCode::kNotFound, "there is no artifact '{}'", checked);
    }
    session << "DELETE FROM artifacts WHERE path = :path OR (path >= :first AND path < :past)",
        use(checked), use(range.from), use(range.past);
    return count;
  });
}

std::vector<Damage> Artifacts::verify() const {
  std::map<std::string, std::string> problems;  // of blobs, each read once
  std::vector<Damage> damages;
  for (const Artifact& artifact : tree("")) {
    const auto [problem, is_new] = problems.try_emplace(artifact.sha256);
    if (is_new) {
      problem->second = problem_of(*core_.blobs, artifact);
    }
    if (!problem->second.empty()) {
      damages.push_back({artifact.path, problem->second});
    }
  }
  return damages;
}

std::int64_t Artifacts::gc(std::int64_t min_age_seconds) {
  std::vector<Blob> old;
  core_.blobs->for_each([&](const Blob& blob, std::int64_t age_seconds) {
    if (age_seconds >= min_age_seconds) {
      old.push_back(blob);
    }
  });
  std::int64_t bytes = core_.blobs->remove_staged(min_age_seconds);
  for (const Blob& blob : old) {
    if (core_.database.read([&](Session& session) { return is_used(session, blob.sha256); })) {
      continue;
    }
    // Once more, alone among all writers: somebody may have stored the same content.
    core_.database.write([&](Session& session) {
      if (!is_used(session, blob.sha256) && core_.blobs->remove(blob.sha256, min_age_seconds)) {
        bytes += blob.bytes;
      }
    });
  }
  return bytes;
}

}  // namespace onnxop
