#include "onnxop/serving/model_manager.h"

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/base/thread_pool.h"
#include "onnxop/serving/golden.h"

namespace onnxop {
namespace {

// Of more versions that are loaded together, those that are never used would cost start-up time and
// memory: their batch sizes are tried out once they are in use.
constexpr std::size_t kProbedAtOnce = 8;

std::string title(const VersionKey& key) {
  return format("{}:{}", key.first, key.second);
}

const OfferedVersion* find_version(const ModelOffer& offer, std::int64_t version) {
  for (const OfferedVersion& each : offer.versions) {
    if (each.version == version) {
      return &each;
    }
  }
  return nullptr;
}

}  // namespace

std::string_view version_state_name(VersionState state) {
  switch (state) {
    case VersionState::kLoading:
      return "LOADING";
    case VersionState::kReady:
      return "READY";
    case VersionState::kUnavailable:
      break;
  }
  return "UNAVAILABLE";
}

ModelManager::ModelManager(std::vector<std::unique_ptr<ModelProvider>> providers,
                           ManagerOptions options, LoadScorer load_scorer,
                           std::function<void(const std::filesystem::path&)> check_file,
                           Catalog& catalog)
    : providers_(std::move(providers)),
      options_(std::move(options)),
      load_scorer_(std::move(load_scorer)),
      check_file_(std::move(check_file)),
      catalog_(catalog),
      offers_(providers_.size()),
      troubles_(providers_.size()) {}

bool ModelManager::refresh() {
  const std::lock_guard lock(work_);
  return bring_in_line().settling;
}

bool ModelManager::refresh(std::size_t place) {
  const std::lock_guard lock(work_);
  bool changed = false;
  try {
    changed = providers_[place]->changed();
    note_trouble(place, "");
  } catch (const std::exception& e) {
    note_trouble(place, e.what());
  }
  if (changed) {
    return bring_in_line(place).settling;
  }
  probe_what_is_used();
  return false;
}

/// The lock is held.
ModelManager::Round ModelManager::bring_in_line(std::optional<std::size_t> place) {
  std::vector<Found> found = look(place);
  Round round;
  for (const Found& each : found) {
    for (const OfferedVersion& version : each.offer.versions) {
      round.settling = round.settling || !version.settled;
    }
  }
  ServingWishes wishes = options_.wishes;
  wishes.references.merge(traffic_.references());
  do {  // a version that turns out to be broken may give way to an older one
    std::vector<ModelOffer> offers;
    for (Found& each : found) {
      mark_known(each.offer);
      offers.push_back(each.offer);
    }
    round.plan = plan_serving(offers, wishes);
  } while (!load_missing(round.plan, found));
  publish(round.plan);
  take_status(round.plan);
  probe_what_is_used();
  return round;
}

void ModelManager::probe_what_is_used() {
  for (auto& [key, loaded] : loaded_) {
    if (loaded.unprobed && loaded.lease->stats->snapshot().runs > 0) {
      probe_batch_size(*loaded.lease, *loaded.unprobed);
      loaded.unprobed.reset();
    }
  }
}

/// What all places have, or only `place` anew; of two models with one name the first place's. One
/// that cannot be read has what it had.
std::vector<ModelManager::Found> ModelManager::look(std::optional<std::size_t> place) {
  std::vector<Found> found;
  for (std::size_t i = 0; i < providers_.size(); ++i) {
    if (place.value_or(i) == i) {
      look_at(i);
    }
    for (const ModelOffer& offer : offers_[i]) {
      const bool taken = std::any_of(found.begin(), found.end(), [&](const Found& each) {
        return each.offer.name == offer.name && each.provider != providers_[i].get();
      });
      if (taken) {
        log_warning("model {} is in two places; the first one's is served", offer.name);
      } else {
        found.push_back({offer, providers_[i].get()});
      }
    }
  }
  last_found_ = found;
  return found;
}

void ModelManager::look_at(std::size_t place) {
  try {
    offers_[place] = providers_[place]->offers();
    note_trouble(place, "");
  } catch (const std::exception& e) {
    note_trouble(place, e.what());
  }
}

/// Logs what is new of it: a place may be asked several times a second.
void ModelManager::note_trouble(std::size_t place, const std::string& what) {
  if (what == troubles_[place]) {
    return;
  }
  if (what.empty()) {
    log_info("models can be looked up again");
  } else {
    log_error("models cannot be looked up, what is served stays: {}", what);
  }
  troubles_[place] = what;
}

/// What could not be loaded, as long as it is the same, and nothing of it is live. What is live and
/// being written again counts as what it was.
void ModelManager::mark_known(ModelOffer& offer) const {
  for (OfferedVersion& version : offer.versions) {
    const VersionKey key{offer.name, version.version};
    const auto live = loaded_.find(key);
    const auto failed = failures_.find(key);
    if (live != loaded_.end()) {
      version.fingerprint = version.settled ? version.fingerprint : live->second.fingerprint;
      version.settled = true;
    } else if (failed != failures_.end() && failed->second.fingerprint == version.fingerprint) {
      version.broken = failed->second.reason;
    }
  }
}

/// False when a version turned out to be broken.
bool ModelManager::load_missing(const ServingPlan& plan, const std::vector<Found>& found) {
  struct Task {
    VersionKey key;
    const Found* found;
    std::string fingerprint;
    Loaded result;
    std::string failure;
  };
  std::vector<Task> tasks;
  for (const VersionKey& key : plan.load) {
    const auto from = std::find_if(found.begin(), found.end(),
                                   [&](const Found& each) { return each.offer.name == key.first; });
    const OfferedVersion* offered = find_version(from->offer, key.second);
    const auto live = loaded_.find(key);
    const auto failed = failures_.find(key);
    const bool is_live = live != loaded_.end() && live->second.fingerprint == offered->fingerprint;
    const bool has_failed =
        failed != failures_.end() && failed->second.fingerprint == offered->fingerprint;
    if (!is_live && !has_failed) {
      tasks.push_back({key, &*from, offered->fingerprint, {}, {}});
      set_status(key, VersionState::kLoading, "");
    }
  }
  if (tasks.empty()) {
    return true;
  }
  const bool probe = tasks.size() <= kProbedAtOnce;
  for (const Task& task : tasks) {
    stats_.try_emplace(task.key, std::make_shared<ModelStats>());
  }
  ThreadPool pool(std::clamp(options_.load_threads, 1, static_cast<int>(tasks.size())));
  pool.run(static_cast<int>(tasks.size()), [&](int index, int) {
    Task& task = tasks[static_cast<std::size_t>(index)];
    try {
      task.result = load_one(task.key, *task.found, probe);
    } catch (const std::exception& e) {
      task.failure = e.what();
    }
  });
  unloader_.give_memory_back();
  bool all_good = true;
  for (Task& task : tasks) {
    const bool good = task.failure.empty();
    all_good = all_good && good;
    if (good) {
      failures_.erase(task.key);
      log_info("model {} is loaded", title(task.key));
      loaded_[task.key] = std::move(task.result);
    } else {
      failures_[task.key] = {task.fingerprint, task.failure};
      log_error("model {} is not served: {}", title(task.key), task.failure);
    }
    const std::lock_guard lock(state_);
    ++(good ? counts_.loaded : counts_.failed);
  }
  return all_good;
}

/// Loaded, checked, warmed; safe from several threads for different versions.
ModelManager::Loaded ModelManager::load_one(const VersionKey& key, const Found& found, bool probe) {
  ModelSource source;
  {
    static std::mutex provider_use;
    const std::lock_guard lock(provider_use);
    source = found.provider->source(key.first, key.second);
  }
  if (!found.provider->checked()) {
    check_file_(source.path);
  }
  QueueSettings settings = found.offer.queue;
  settings.probe_seconds = probe ? settings.probe_seconds : 0;
  ModelLease lease = load_served_model(source, load_scorer_, settings, stats_.at(key));
  const auto golden = source.path.parent_path() / kGoldenFile;
  if (std::filesystem::exists(golden)) {
    check_golden(*lease->scorer, read_golden(golden));
  }
  Loaded loaded{unloader_.watch(std::move(lease)),
                find_version(found.offer, key.second)->fingerprint};
  if (!probe) {
    loaded.unprobed = found.offer.queue;
  }
  return loaded;
}

/// Each reference gets its version if that is ready, and keeps what it had otherwise.
void ModelManager::publish(const ServingPlan& plan) {
  auto before = catalog_.snapshot();
  auto set = std::make_shared<ServingSet>();
  std::map<VersionKey, Loaded> kept;
  for (const auto& [reference, key] : plan.references) {
    const auto live = loaded_.find(key);
    ModelLease lease = live != loaded_.end() ? live->second.lease : before->find(reference);
    if (!lease) {
      continue;
    }
    if (live != loaded_.end()) {
      kept[key] = live->second;
    } else {
      const VersionKey old{lease->name, lease->version};
      kept[old] = loaded_.contains(old) ? loaded_[old] : Loaded{lease, ""};
      log_warning("'{}' goes on with version {}, as version {} cannot be served", reference,
                  lease->version, key.second);
      set->add(format("{}:{}", old.first, old.second), lease);
    }
    set->add(reference, lease);
  }
  std::uint64_t gone = 0;
  for (const auto& [key, loaded] : loaded_) {
    if (!kept.contains(key)) {
      log_info("model {} is unloaded", title(key));
      ++gone;
    }
  }
  loaded_ = std::move(kept);
  traffic_.attach(*set);
  catalog_.publish(std::move(set));
  before.reset();
  if (gone > 0) {
    const std::lock_guard lock(state_);
    counts_.unloaded += gone;
  }
}

void ModelManager::take_status(const ServingPlan& plan) {
  const std::lock_guard lock(state_);
  status_.clear();
  const auto put = [this](const VersionKey& key, VersionState state, std::string reason) {
    status_[key] = {key.first, key.second, state, std::move(reason)};
  };
  for (const auto& [key, reason] : plan.not_chosen) {
    put(key, VersionState::kUnavailable, reason);
  }
  for (const auto& [key, failure] : failures_) {
    if (plan.load.contains(key) || plan.not_chosen.contains(key)) {
      put(key, VersionState::kUnavailable, failure.reason);
    }
  }
  for (const auto& [key, loaded] : loaded_) {
    const auto found = std::find_if(last_found_.begin(), last_found_.end(), [&](const Found& each) {
      return each.offer.name == key.first;
    });
    put(key, VersionState::kReady, found == last_found_.end() ? "" : found->offer.notice);
  }
  unmet_.clear();
  for (const auto& [reference, problem] : plan.problems) {
    unmet_.push_back(problem);
  }
}

void ModelManager::set_status(const VersionKey& key, VersionState state, std::string reason) {
  const std::lock_guard lock(state_);
  status_[key] = {key.first, key.second, state, std::move(reason)};
}

std::vector<std::string> ModelManager::unmet() const {
  const std::lock_guard lock(state_);
  return unmet_;
}

void ModelManager::load(const std::string& name) {
  bool known = false;
  {
    const std::lock_guard lock(work_);
    options_.wishes.unloaded.erase(name);
    std::erase_if(failures_, [&](const auto& each) { return each.first.first == name; });
  }
  refresh();
  std::string reason;
  for (const VersionStatus& status : index()) {
    if (status.name != name) {
      continue;
    }
    known = true;
    if (status.state == VersionState::kReady) {
      return;
    }
    reason = status.reason;
  }
  if (!known) {
    fail(ErrorCode::kNotFound, "model '{}' is not there", name);
  }
  fail(ErrorCode::kFailedPrecondition, "model '{}' cannot be served: {}", name, reason);
}

void ModelManager::unload(const std::string& name) {
  const auto versions = index();
  if (std::none_of(versions.begin(), versions.end(),
                   [&](const VersionStatus& status) { return status.name == name; })) {
    fail(ErrorCode::kNotFound, "model '{}' is not there", name);
  }
  {
    const std::lock_guard lock(work_);
    options_.wishes.unloaded.insert(name);
  }
  refresh();
}

std::vector<VersionStatus> ModelManager::index() const {
  const std::lock_guard lock(state_);
  std::vector<VersionStatus> result;
  for (const auto& [key, status] : status_) {
    result.push_back(status);
  }
  return result;
}

LoadCounts ModelManager::counts() const {
  const std::lock_guard lock(state_);
  return counts_;
}

std::vector<std::filesystem::path> ModelManager::watched(std::size_t place) {
  const std::lock_guard lock(work_);
  return providers_[place]->watched();
}

std::optional<std::chrono::milliseconds> ModelManager::poll_time(std::size_t place) const {
  return providers_[place]->poll_time();
}

}  // namespace onnxop
