#include "lib/service/transport_message.h"

#include "lib/base/wire.h"

namespace postern::service::transport {
namespace {

enum Tag : std::uint16_t {
  kName = 1,
  kHasOcsp,
  kTls12,
  kCiphers,
  kTickets,
  kService,
  kAlpn,
  kProxyNetworks,
  kError,
  kAllowNetworks,
  kDenyNetworks
};

void put_text(TlvWriter& out, Tag tag, const std::string& text) {
  if (!text.empty()) out.bytes(tag, text);
}

Result<void> take_field(const TlvField& field, ControlMessage& message) {
  switch (field.tag) {
    case kName:
      message.names.emplace_back(field.value);
      break;
    case kHasOcsp:
      message.has_ocsp = TRY(field.number<std::uint8_t>()) != 0;
      break;
    case kTls12:
      message.tls12 = TRY(field.number<std::uint8_t>()) != 0;
      break;
    case kCiphers:
      message.ciphers = field.value;
      break;
    case kTickets:
      message.tickets = field.value;
      break;
    case kService:
      message.service = field.value;
      break;
    case kAlpn:
      message.alpn = field.value;
      break;
    case kProxyNetworks:
      message.proxy_networks = field.value;
      break;
    case kAllowNetworks:
      message.allow_networks = field.value;
      break;
    case kDenyNetworks:
      message.deny_networks = field.value;
      break;
    case kError:
      message.error = field.value;
      break;
    default:
      if ((field.tag & kCriticalTag) != 0)
        return fail(Errc::not_supported, "critical field {}", field.tag);
  }
  return {};
}

}  // namespace

std::string encode(const ControlMessage& message) {
  TlvWriter out;
  for (const std::string& name : message.names) out.bytes(kName, name);
  out.number(kHasOcsp, static_cast<std::uint8_t>(message.has_ocsp));
  out.number(kTls12, static_cast<std::uint8_t>(message.tls12));
  put_text(out, kProxyNetworks, message.proxy_networks);
  put_text(out, kAllowNetworks, message.allow_networks);
  put_text(out, kDenyNetworks, message.deny_networks);
  put_text(out, kCiphers, message.ciphers);
  put_text(out, kTickets, message.tickets);
  put_text(out, kService, message.service);
  put_text(out, kAlpn, message.alpn);
  put_text(out, kError, message.error);
  return std::string(1, static_cast<char>(message.kind)) + std::move(out).take();
}

Result<ControlMessage> decode_control(std::string_view bytes) {
  if (bytes.empty()) return fail(Errc::bad_syntax, "empty message");
  ControlMessage message;
  message.kind = static_cast<Kind>(bytes.front());
  TlvReader in(bytes.substr(1));
  while (!in.at_end()) TRY(take_field(TRY(in.next()), message));
  return message;
}

}  // namespace postern::service::transport
