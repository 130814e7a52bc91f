#include "master/transport.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/log/log.h"
#include "lib/net/fd_passing.h"

namespace postern::master {
namespace {

using service::transport::Kind;

constexpr std::size_t kTicketKey = 80;  // octets: name 16, AES 32, HMAC 32
constexpr std::size_t kTicketKeys = 3;  // the present one and two old ones
constexpr std::int64_t kLook = 1000;

std::string option_of(const std::string& certificate, std::string_view what) {
  return fmt::format("tls.certificate.{}.{}", certificate, what);
}

Result<Fd> open_readable(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open", path);
  return fd;
}

std::vector<std::string> files_of(const config::Config& config) {
  std::vector<std::string> files{config.text("tls.client_ca")};
  for (const std::string& name : config.names_under("tls.certificate"))
    for (const char* what : {"chain", "key", "ocsp"})
      files.push_back(config.text(option_of(name, what)));
  std::erase(files, "");
  return files;
}

std::string fingerprint_of(const config::Config& config) {
  std::string out;
  for (const std::string& path : files_of(config)) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) continue;
    out += fmt::format("{} {} {} {}\n", path, facts.st_ino, facts.st_mtim.tv_sec,
                       facts.st_mtim.tv_nsec);
  }
  return out;
}

}  // namespace

bool Transport::is_wanted(const config::Config& config) {
  return !config.names_under("tls.certificate").empty();
}

std::uint32_t Transport::processes(const config::Config& config) {
  const auto wanted = config.integer("tls.processes");
  if (wanted > 0) return static_cast<std::uint32_t>(wanted);
  return static_cast<std::uint32_t>(std::clamp(sysconf(_SC_NPROCESSORS_ONLN), 1L, 64L));
}

Result<void> Transport::make_door() {
  auto pair = TRY(net::make_seqpacket_pair());
  door_inner_ = std::move(pair.a);
  door_outer_ = std::move(pair.b);
  rotate_tickets();
  return {};
}

Result<Fd> Transport::open_control(std::uint32_t number) {
  auto pair = TRY(net::make_seqpacket_pair());
  controls_[number] = std::move(pair.a);
  return std::move(pair.b);
}

void Transport::rotate_tickets() {
  std::string fresh(kTicketKey, '\0');
  random_bytes(fresh.data(), fresh.size());
  tickets_ = (fresh + tickets_).substr(0, kTicketKeys * kTicketKey);
  rotated_at_ = steady_millis();
}

/// Certificates and profile, ending with `apply`; all files are open, or nothing is sent.
Result<std::vector<Transport::Order>> Transport::key_orders(const config::Config& config) const {
  std::vector<Order> orders;
  for (const std::string& name : config.names_under("tls.certificate")) {
    Order& order = orders.emplace_back();
    order.message.kind = Kind::certificate;
    order.message.names = config.list(option_of(name, "names"));
    order.descriptors.push_back(TRY(open_readable(config.text(option_of(name, "chain")))));
    order.descriptors.push_back(TRY(open_readable(config.text(option_of(name, "key")))));
    const std::string ocsp = config.text(option_of(name, "ocsp"));
    order.message.has_ocsp = !ocsp.empty();
    if (!ocsp.empty()) order.descriptors.push_back(TRY(open_readable(ocsp)));
  }
  Order& profile = orders.emplace_back();
  profile.message.kind = Kind::profile;
  profile.message.tls12 = config.boolean("tls.tls12");
  profile.message.ciphers = config.text("tls.ciphers");
  if (const std::string ca = config.text("tls.client_ca"); !ca.empty())
    profile.descriptors.push_back(TRY(open_readable(ca)));
  orders.emplace_back().message.kind = Kind::apply;
  return orders;
}

void Transport::send(std::uint32_t number, const Order& order, int descriptor) {
  std::vector<int> descriptors;
  for (const Fd& fd : order.descriptors) descriptors.push_back(fd.get());
  if (descriptor >= 0) descriptors.push_back(descriptor);
  const auto sent =
      net::send_message(controls_[number].get(), encode(order.message), descriptors, net::Wait::no);
  if (!sent) LOG(error, "transportd.unreachable", {"error", sent.error().text});
}

void Transport::tell(std::uint32_t number, const config::Config& config,
                     const std::vector<Listener>& listeners) {
  Order tickets;
  tickets.message.kind = Kind::tickets;
  tickets.message.tickets = tickets_;
  send(number, tickets);
  fingerprint_ = fingerprint_of(config);
  const auto keys = key_orders(config);
  if (!keys) LOG(error, "tls.keys_unreadable", {"error", keys.error().text});
  if (keys)
    for (const Order& order : *keys) send(number, order);
  Order unlisten;
  unlisten.message.kind = Kind::unlisten;
  send(number, unlisten);
  for (const Listener& listener : listeners) {
    Order order;
    order.message.kind = Kind::listener;
    order.message.service = listener.service;
    order.message.alpn = listener.alpn;
    order.message.proxy_networks = listener.proxy_networks;
    order.message.allow_networks = listener.allow_networks;
    order.message.deny_networks = listener.deny_networks;
    send(number, order, listener.fd);
  }
}

void Transport::stop_all() {
  Order stop;
  stop.message.kind = Kind::stop;
  for (const auto& [number, control] : controls_) send(number, stop);
}

void Transport::read_answers() {
  for (const auto& [number, control] : controls_) {
    auto message =
        net::receive_message(control.get(), service::transport::kMaxMessage, net::Wait::no);
    if (!message) continue;
    const auto answer = service::transport::decode_control(message->bytes);
    if (answer && answer->kind == Kind::applied && !answer->error.empty())
      LOG(error, "tls.keys_refused", {"error", answer->error});
  }
}

bool Transport::look(const config::Config& config) {
  const std::int64_t now = steady_millis();
  if (now - looked_at_ < kLook) return false;
  looked_at_ = now;
  read_answers();
  const bool rotate = now - rotated_at_ >= config.duration("tls.ticket_rotation").count();
  if (rotate) rotate_tickets();
  const bool changed = fingerprint_of(config) != fingerprint_;
  if (changed) LOG(notice, "tls.keys_changed", {"files", files_of(config).size()});
  return rotate || changed;
}

}  // namespace postern::master
