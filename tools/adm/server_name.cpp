// Names of servers: see server_name.h.
#include "tools/adm/server_name.h"

#include <netdb.h>

#include <memory>
#include <string>

#include "lib/base/text.h"

namespace postern::tools {
namespace {

struct HostPort {
  std::string host;
  std::string_view port;  // may be empty
};

// An IPv6 address has colons of its own: with a port it stands in brackets.
HostPort split(std::string_view text) {
  const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  const auto colon = text.rfind(':');
  if (bracket != std::string_view::npos) {
    const std::string_view rest = text.substr(bracket + 1);
    return {std::string(text.substr(1, bracket - 1)), rest.empty() ? rest : rest.substr(1)};
  }
  if (colon == std::string_view::npos || text.find(':') != colon) return {std::string(text), {}};
  return {std::string(text.substr(0, colon)), text.substr(colon + 1)};
}

Result<net::Endpoint> numeric(const addrinfo& address, std::uint32_t port) {
  char host[NI_MAXHOST];
  const int failed = getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof host, nullptr, 0,
                                 NI_NUMERICHOST);
  if (failed != 0) return fail(Errc::unavailable, "getnameinfo: {}", gai_strerror(failed));
  const bool v6 = address.ai_family == AF_INET6;
  return net::Endpoint::parse(fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port));
}

}  // namespace

Result<std::vector<net::Endpoint>> find_server(std::string_view text, std::uint16_t default_port) {
  if (text.starts_with('/') || text.starts_with("unix:"))
    return std::vector{TRY(net::Endpoint::parse(text))};
  const HostPort parts = split(text);
  const auto port = parts.port.empty() ? default_port : parse_u32(parts.port);
  if (!port || *port == 0 || *port > 65535)
    return fail(Errc::bad_syntax, "\"{}\" is no port", parts.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(parts.host.c_str(), nullptr, &hints, &found);
  if (failed != 0)
    return fail(Errc::unavailable, "no host {}: {}", parts.host, gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, freeaddrinfo);
  std::vector<net::Endpoint> out;
  for (const addrinfo* one = all.get(); one != nullptr; one = one->ai_next)
    out.push_back(TRY(numeric(*one, *port)));
  return out;
}

}  // namespace postern::tools
