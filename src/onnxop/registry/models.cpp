// Models as a whole: names, descriptions, tags, and their end.

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/registry/model_claims.h"
#include "onnxop/registry/model_events.h"
#include "onnxop/registry/model_names.h"
#include "onnxop/registry/model_writes.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

RegisteredModel load_model(Session& session, const ModelKey& model) {
  const std::array<long long, 1> numbers{model.model};
  return load_models(session, numbers).at(0);
}

void refuse_taken_name(Session& session, const RegistryCore& core, std::string_view name) {
  if (has_model(session, name)) {
    fail(ErrorCode::kAlreadyExists, "there is a model '{}' already in the store {}", name,
         core.location.text());
  }
}

std::optional<std::string> model_tag(Session& session, const ModelKey& model,
                                     const std::string& key) {
  std::string value;
  session << "SELECT value FROM registered_model_tags WHERE model = :model AND key = :key",
      use(model.model), use(key), into(value);
  return session.got_data() ? std::optional(value) : std::nullopt;
}

void put_model_tag(Session& session, const RegistryCore& core, const ModelKey& model,
                   const std::string& key, const std::string& value) {
  const auto before = model_tag(session, model, key);
  if (before == value) {
    return;
  }
  session << "INSERT INTO registered_model_tags (model, key, value) VALUES (:model, :key, :value) "
             "ON CONFLICT (model, key) DO UPDATE SET value = excluded.value",
      use(model.model), use(key), use(value);
  record_event(session, core, model,
               {model_event::kTagSet, {}, key, before.value_or(std::string()), value});
}

}  // namespace

RegisteredModel Models::create(std::string_view name, std::string_view description,
                               const Texts& tags) {
  check_model_name(name);
  check_model_text("description", name, description);
  for (const auto& [key, value] : tags) {
    check_model_tag(key, value);
  }
  return core_.database.write([&](Session& session) {
    refuse_taken_name(session, core_, name);
    const ModelKey model = key_for_new_model(session, core_, name);
    insert_model(session, core_, model, description);
    for (const auto& [key, value] : tags) {
      put_model_tag(session, core_, model, key, value);
    }
    return load_model(session, model);
  });
}

RegisteredModel Models::get(std::string_view name) const {
  return core_.database.read(
      [&](Session& session) { return load_model(session, find_model(session, core_, name)); });
}

std::vector<RegisteredModel> Models::list() const {
  return core_.database.read(load_all_models);
}

RegisteredModel Models::rename(std::string_view name, std::string_view new_name) {
  check_model_name(new_name);
  const std::string after(new_name);
  return core_.database.write([&](Session& session) {
    ModelKey model = find_model(session, core_, name);
    refuse_taken_name(session, core_, new_name);
    session << "UPDATE registered_models SET name = :name WHERE model = :model", use(after),
        use(model.model);
    record_event(session, core_, model, {model_event::kModelRenamed, {}, "", model.name, after});
    touch_model(session, core_, model);
    return load_model(session, model);
  });
}

RegisteredModel Models::describe(std::string_view name, std::string_view description) {
  const std::string after(description);
  check_model_text("description", name, after);
  return core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const RegisteredModel before = load_model(session, model);
    if (before.description == after) {
      return before;
    }
    session << "UPDATE registered_models SET description = :text WHERE model = :model", use(after),
        use(model.model);
    touch_model(session, core_, model);
    record_event(session, core_, model,
                 {model_event::kDescriptionChanged, {}, "", before.description, after});
    return load_model(session, model);
  });
}

void Models::set_tag(std::string_view name, std::string_view key, std::string_view value) {
  check_model_tag(key, value);
  core_.database.write([&](Session& session) {
    put_model_tag(session, core_, find_model(session, core_, name), std::string(key),
                  std::string(value));
  });
}

void Models::delete_tag(std::string_view name, std::string_view key) {
  const std::string text(key);
  check_key("tag", key, kModelKeyChars);
  core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const auto before = model_tag(session, model, text);
    if (!before) {
      return;
    }
    session << "DELETE FROM registered_model_tags WHERE model = :model AND key = :key",
        use(model.model), use(text);
    record_event(session, core_, model, {model_event::kTagDeleted, {}, text, *before, ""});
  });
}

// The rows go first, with a claim on the folder: a version that is visible has its files.
void Models::remove(std::string_view name) {
  finish_abandoned_claims(core_);
  const Claim claim = core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    for (const std::string_view table :
         {"version_aliases", "version_metrics", "version_tags", "version_files", "versions",
          "registered_model_tags", "registered_models"}) {
      session << format("DELETE FROM {} WHERE model = {}", table, model.model);
    }
    record_event(session, core_, model, {model_event::kModelDeleted, {}, "", "", ""});
    const Claim folder{model, 0};
    insert_claim(session, folder);
    return folder;
  });
  empty_claimed_folder(core_, claim);
}

}  // namespace onnxop
