#pragma once
// Files of models that are on their way in or out. A claim is a row that names a folder below
// models/ and the process that fills or empties it. What is claimed is never visible; a claim whose
// process has ended is finished by whoever comes next. No part of the room's interface.

#include <string>
#include <string_view>

#include "onnxop/registry/model_rows.h"

namespace onnxop {

struct Claim {
  ModelKey model;
  long long version = 0;  // 0: the whole folder of the model
};

/// Numbers and folder for a model that is not there: those of a version of it that is being copied
/// just now, or new ones. A folder that some model had is not given out again. Inside a transaction
/// that writes.
ModelKey key_for_new_model(Session& session, const RegistryCore& core, std::string_view name);

/// The version's number is the highest of the model's so far, and 1. Inside a transaction that
/// writes.
Claim claim_next_version(Session& session, const RegistryCore& core, std::string_view name);
void insert_claim(Session& session, const Claim& claim);
void delete_claim(Session& session, const Claim& claim);

/// Removes what is in the claimed folder, then the claim. Does nothing when the claim is not there
/// (any more). What cannot be removed is logged, and its claim stays.
void empty_claimed_folder(RegistryCore& core, const Claim& claim);

/// The same for all claims of processes that are gone.
void finish_abandoned_claims(RegistryCore& core);

}  // namespace onnxop
