#pragma once
// GET /: a short page for people.

#include <span>
#include <string>
#include <string_view>

#include "onnxop/server/http_message.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {

struct IndexEntry {
  std::string path;       // "/api/classify_digit"
  std::string reference;  // what the route names: "mnist@champion"
  ModelLease model;       // null: not loaded at this time
};

/// `host` is the request's Host, used in the curl lines where it is a plain host and port;
/// `address` is used elsewhere.
Response index_page(std::span<const IndexEntry> entries, std::string_view host,
                    std::string_view address, std::string_view program_version);

}  // namespace onnxop
