#include "lib/service/settings.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/net/endpoint.h"
#include "lib/service/scoreboard.h"

namespace postern::service {
namespace {

/// Reads the options under service.<name>.
class Reader {
 public:
  Reader(const config::Config& config, std::string_view name) : config_(config), name_(name) {}
  [[nodiscard]] std::string path(std::string_view option) const {
    return fmt::format("service.{}.{}", name_, option);
  }
  [[nodiscard]] std::uint32_t number(std::string_view option) const {
    return static_cast<std::uint32_t>(config_.integer(path(option)));
  }
  [[nodiscard]] std::string text(std::string_view option) const {
    return config_.text(path(option));
  }

 private:
  const config::Config& config_;
  std::string_view name_;
};

ServiceSettings read_service(const config::Config& config, const std::string& name) {
  const Reader in(config, name);
  ServiceSettings out;
  out.name = name;
  out.daemon = in.text("daemon");
  out.listen = config.list(in.path("listen"));
  out.tls = in.text("tls");
  out.socket_group = in.text("socket_group");
  out.socket_mode =
      static_cast<std::uint32_t>(std::stoul("0" + in.text("socket_mode"), nullptr, 8));
  out.max_connections = in.number("max_connections");
  out.max_per_address = in.number("max_per_address");
  out.max_per_user = in.number("max_per_user");
  out.max_active_per_user = in.number("max_active_per_user");
  out.login_timeout = config.duration(in.path("login_timeout"));
  const auto networks = [&](std::string_view option) {
    return fmt::format("{}", fmt::join(config.list(in.path(option)), " "));
  };
  out.proxy_networks = networks("proxy_networks");
  out.allow_networks = networks("allow_networks");
  out.deny_networks = networks("deny_networks");
  return out;
}

}  // namespace

Result<void> check_networks(const ServiceSettings& service) {
  const auto check = [&](std::string_view option, std::string_view networks) -> Result<void> {
    if (networks.size() >= kMostNetworks)
      return fail(Errc::limit, "service.{}.{}: more than {} octets", service.name, option,
                  kMostNetworks);
    if (networks.empty()) return {};
    for (const std::string_view network : split(networks, ' '))
      if (const auto known = net::in_network("", network); !known)
        return fail(Errc::bad_syntax, "service.{}.{}: {}", service.name, option,
                    known.error().text);
    return {};
  };
  TRY(check("proxy_networks", service.proxy_networks));
  TRY(check("allow_networks", service.allow_networks));
  return check("deny_networks", service.deny_networks);
}

net::Limits stream_limits(const config::Config& config, std::string_view service) {
  return {config.duration(fmt::format("service.{}.command_timeout", service)),
          config.duration(fmt::format("service.{}.write_timeout", service))};
}

std::vector<ServiceSettings> service_settings(const config::Config& config) {
  std::vector<ServiceSettings> out;
  for (const std::string& name : config.names_under("service"))
    if (config.boolean(fmt::format("service.{}.enabled", name)))
      out.push_back(read_service(config, name));
  return out;
}

PoolSettings pool_settings(const config::Config& config, std::string_view daemon) {
  for (const ServiceSettings& service : service_settings(config)) {
    if (service.daemon != daemon) continue;
    const Reader in(config, service.name);
    PoolSettings out;
    out.min_spare = in.number("min_spare");
    out.max_spare = in.number("max_spare");
    out.max_workers = in.number("max_workers");
    out.fork_rate = in.number("fork_rate");
    out.max_sessions = in.number("max_sessions");
    out.max_growth = config.size(in.path("max_growth"));
    out.max_pipelined = in.number("max_pipelined");
    out.linger = config.duration(in.path("linger"));
    return out;
  }
  return {};
}

}  // namespace postern::service
