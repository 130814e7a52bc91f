#include "master/control_socket.h"

#include <sys/socket.h>

#include <algorithm>

#include "lib/net/endpoint.h"
#include "lib/net/fd_passing.h"

namespace postern::master {
namespace {

constexpr std::size_t kMostPeers = 16;
constexpr std::size_t kLongestRequest = 1024;

}  // namespace

Result<void> ControlSocket::open(const std::string& path) {
  net::Endpoint endpoint;
  endpoint.kind = net::Endpoint::Kind::unix_path;
  endpoint.host = path;
  net::ListenOptions options;
  options.seqpacket = true;
  options.mode = 0600;
  listener_ = TRY(net::listen_on(endpoint, options));
  return {};
}

std::vector<int> ControlSocket::descriptors() const {
  std::vector<int> out;
  if (listener_) out.push_back(listener_.get());
  for (const Fd& peer : peers_) out.push_back(peer.get());
  return out;
}

std::vector<ControlSocket::Request> ControlSocket::requests() {
  pollfd waiting{listener_.get(), POLLIN, 0};
  if (listener_ && ::poll(&waiting, 1, 0) > 0) {
    Fd peer{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (peer && peers_.size() < kMostPeers) peers_.push_back(std::move(peer));
  }
  std::vector<Request> out;
  for (Fd& peer : peers_) {
    const auto message = net::receive_message(peer.get(), kLongestRequest, net::Wait::no);
    if (message)
      out.push_back({message->bytes, peer.get()});
    else if (message.error().code != Errc::unavailable)
      peer.reset();
  }
  std::erase_if(peers_, [](const Fd& peer) { return !peer; });
  return out;
}

void ControlSocket::answer(const Request& request, std::string_view text,
                           std::span<const int> descriptors) {
  static_cast<void>(net::send_message(request.peer, text, descriptors, net::Wait::no));
}

}  // namespace postern::master
