#include "onnxop/server/known_hosts.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <boost/asio/ip/address.hpp>
#include <unistd.h>

namespace onnxop {
namespace {

std::string lower(std::string_view text) {
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return low;
}

std::string own_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? lower(name.data()) : std::string();
}

/// "[::1]:8080" -> "::1", "LocalHost.:8080" -> "localhost"
std::string name_of(std::string_view host) {
  if (host.starts_with('[')) {
    return lower(host.substr(1, host.find(']') - 1));
  }
  host = host.substr(0, host.rfind(':'));
  return lower(host.ends_with('.') ? host.substr(0, host.size() - 1) : host);
}

bool is_address(const std::string& name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

/// "https://example.org:8443" -> "example.org:8443"
std::string_view host_of_origin(std::string_view origin) {
  const auto scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

}  // namespace

KnownHosts::KnownHosts(const std::vector<std::string>& names) : names_{"localhost", ".localhost"} {
  if (std::string own = own_name(); !own.empty()) {
    names_.push_back(std::move(own));
  }
  for (const std::string& name : names) {
    all_ = all_ || name == "*";
    names_.push_back(lower(name.starts_with("*.") ? std::string_view(name).substr(1) : name));
  }
}

bool KnownHosts::knows(std::string_view host) const {
  if (all_) {
    return true;
  }
  const std::string name = name_of(host);
  return is_address(name) ||
         std::any_of(names_.begin(), names_.end(), [&](const std::string& known) {
           return known.starts_with('.') ? name.size() > known.size() && name.ends_with(known)
                                         : name == known;
         });
}

void check_host(const KnownHosts& hosts, const Request& request, bool origin_allowed,
                RouteTable::Match& match) {
  if (match.route == nullptr || !match.route->own_hosts) {
    return;
  }
  const std::string_view origin = request.field("origin");
  const bool reads = request.method == "GET" || request.method == "HEAD";
  std::string problem;
  if (!hosts.knows(request.host)) {
    problem = format(
        "Invalid Host header: '{}' is no host of this server, which --allowed-hosts "
        "would name",
        request.host.substr(0, 200));
  } else if (!origin.empty() && !reads && !origin_allowed && !hosts.knows(host_of_origin(origin))) {
    problem = format("Invalid Origin header: pages of '{}' may not change anything here",
                     origin.substr(0, 200));
  }
  if (!problem.empty()) {
    match.route = nullptr;
    match.refusal = error_response(403, problem, error_form(request.target));
  }
}

}  // namespace onnxop
