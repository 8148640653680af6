#pragma once
// Which hosts a request may be meant for. A page of the web can have the name of its own site stand
// for this machine's address, and then ask here as if it were of the same origin (DNS rebinding);
// the Host field tells. Immutable; read from any thread.

#include <string>
#include <string_view>
#include <vector>

#include "onnxop/server/route_table.h"

namespace onnxop {

class KnownHosts {
 public:
  /// Names besides those that are always known: addresses (no name stands for them, so no page can
  /// take them), localhost and names below it, and this machine's own. "*.example.org": names below
  /// it; "*": all.
  explicit KnownHosts(const std::vector<std::string>& names = {});

  /// Of a Host field, or behind the scheme of an Origin; a port at its end is not looked at.
  bool knows(std::string_view host) const;

 private:
  std::vector<std::string> names_;
  bool all_ = false;
};

/// Puts 403 in the place of a route that wants to be asked at known hosts alone, where the request
/// is for another one, or changes something and comes from a page of another (Origin).
/// `origin_allowed`: the CORS policy lets the page in.
void check_host(const KnownHosts& hosts, const Request& request, bool origin_allowed,
                RouteTable::Match& match);

}  // namespace onnxop
