#pragma once
// Logged models as the tables hold them. No part of the room's interface; inside a transaction.

#include <cstdint>
#include <span>
#include <vector>

#include "onnxop/registry/key_values.h"
#include "onnxop/registry/logged_models.h"

namespace onnxop {

inline constexpr KeyValueTable kLoggedModelParams{"logged_model_params", "model"};
inline constexpr KeyValueTable kLoggedModelTags{"logged_model_tags", "model"};

/// The models of these numbers with all that belongs to them, in this order; deleted ones too, and
/// numbers of none are left out.
std::vector<LoggedModel> load_logged_models(soci::session& session,
                                            std::span<const std::int64_t> numbers);

}  // namespace onnxop
