#include "onnxop/registry/version_needs.h"

#include "onnxop/base/format.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

std::vector<std::string> bare_versions(Session& session, std::string_view condition,
                                       const std::string& id) {
  std::vector<std::string> found;
  std::string name;
  long long version = 0;
  soci::statement select =
      (session.prepare << "SELECT n.name, v.version FROM versions v JOIN registered_models n ON "
                          "n.model = v.model WHERE "
                       << condition
                       << " AND NOT EXISTS (SELECT 1 FROM version_files f WHERE f.model = v.model "
                          "AND f.version = v.version) ORDER BY n.name, v.version",
       use(id), into(name), into(version));
  select.execute();
  while (select.fetch()) {
    found.push_back(format("{}:{}", name, version));
  }
  return found;
}

}  // namespace

// One that names a logged model too has its files there, but for those that the run's own address
// says, and for copies of other versions, which do not say.
std::vector<std::string> versions_that_need_run(Session& session, const std::string& run_id) {
  return bare_versions(session,
                       "v.run_id = :id AND (v.logged_model_id = '' OR v.source LIKE 'runs:/%' OR "
                       "(v.source LIKE 'models:/%' AND v.source NOT LIKE 'models:/m-%'))",
                       run_id);
}

std::vector<std::string> versions_that_need_model(Session& session, const std::string& model_id) {
  return bare_versions(session, "v.logged_model_id = :id", model_id);
}

}  // namespace onnxop
