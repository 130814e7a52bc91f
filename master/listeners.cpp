#include "master/listeners.h"

#include "lib/log/log.h"
#include "lib/net/endpoint.h"

namespace postern::master {
namespace {

Result<Fd> bind_one(const net::Endpoint& endpoint, const service::ServiceSettings& service,
                    ActivatedSockets& activated) {
  if (Fd given = activated.take(endpoint)) return given;
  net::ListenOptions options;
  options.mode = service.socket_mode;
  options.group = service.socket_group;
  return net::listen_on(endpoint, options);
}

}  // namespace

Result<void> Listeners::configure(const std::vector<service::ServiceSettings>& services,
                                  ActivatedSockets& activated) {
  std::map<std::string, Socket> wanted;
  for (const service::ServiceSettings& service : services) {
    for (const std::string& text : service.listen) {
      const auto endpoint = net::Endpoint::parse(text);
      if (!endpoint)
        return fail(Errc::bad_syntax, "service.{}.listen: {}", service.name, endpoint.error().text);
      const std::string key = endpoint->text();
      if (wanted.contains(key))
        return fail(Errc::in_use, "service.{}.listen: {} is listed twice", service.name, key);
      const auto old = sockets_.find(key);
      if (old != sockets_.end()) {
        // Moved only when all have succeeded.
        wanted[key] = {service.name, Fd{}};
        continue;
      }
      auto bound = bind_one(*endpoint, service, activated);
      if (!bound)
        return fail(bound.error().code, "service.{}.listen: {}", service.name, bound.error().text);
      wanted[key] = {service.name, std::move(*bound)};
      LOG(notice, "service.listen", {"service", service.name}, {"address", key});
    }
  }
  for (auto& [key, socket] : wanted)
    if (!socket.fd) socket.fd = std::move(sockets_[key].fd);
  sockets_ = std::move(wanted);
  return {};
}

std::vector<Listeners::Bound> Listeners::all() const {
  std::vector<Bound> out;
  for (const auto& [key, socket] : sockets_) out.push_back({socket.service, socket.fd.get()});
  return out;
}

}  // namespace postern::master
