#pragma once
// Pages of a search: a token is the place where the next page begins, and the search that it
// belongs to. Opaque to callers. No part of the room's interface.

#include <cstdint>
#include <string>
#include <vector>

#include "onnxop/registry/search.h"

namespace onnxop {

struct SearchPage {
  std::int64_t offset = 0;
  std::int64_t size = 0;
  std::string query = {};  // which search this is of
};

/// `scope` is what the search depends on beside filter and order: "runs 1,2 active". Throws
/// Error{kInvalidArgument} for max_results below 1, and for a token that is damaged or of another
/// search.
SearchPage open_page(const SearchOptions& options, const std::string& scope);

std::string page_token_after(const SearchPage& page);

/// Cuts off what was fetched beyond the page; the token for what follows, "" when nothing does.
template <typename Row>
std::string close_page(const SearchPage& page, std::vector<Row>& rows) {
  const auto size = static_cast<std::size_t>(page.size);
  if (rows.size() <= size) {
    return {};
  }
  rows.resize(size);
  return page_token_after(page);
}

}  // namespace onnxop
