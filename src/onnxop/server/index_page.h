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

/// What the curl lines ask.
struct IndexOrigin {
  std::string_view scheme;   // "http", "https"
  std::string_view host;     // the request's Host, if it is a plain host and port; else
  std::string_view address;  // this
};

Response index_page(std::span<const IndexEntry> entries, const IndexOrigin& origin,
                    std::string_view program_version);

}  // namespace onnxop
