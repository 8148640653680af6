#pragma once
// Logged models as the tables hold them. No part of the room's interface; inside a transaction.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "onnxop/registry/key_values.h"
#include "onnxop/registry/logged_models.h"

namespace onnxop {

inline constexpr KeyValueTable kLoggedModelParams{"logged_model_params", "model"};
inline constexpr KeyValueTable kLoggedModelTags{"logged_model_tags", "model"};

enum class Deleted { kRefused, kTaken };

/// Its number. Throws Error{kNotFound} where there is none.
std::int64_t find_logged_model(Session& session, const RegistryCore& core,
                               std::string_view model_id, Deleted deleted = Deleted::kRefused);

/// The models of these numbers with all that belongs to them, in this order; deleted ones too, and
/// numbers of none are left out.
std::vector<LoggedModel> load_logged_models(Session& session,
                                            std::span<const std::int64_t> numbers);

}  // namespace onnxop
