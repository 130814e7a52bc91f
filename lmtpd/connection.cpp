// The record is TLV (lib/base/wire.h): version, then one field each. All are critical: a session
// that would lose one is ended instead.
#include "lmtpd/connection.h"

#include "lib/base/wire.h"

namespace postern::lmtp {
namespace {

enum Tag : std::uint16_t {
  version = kCriticalTag | 1,
  lhlo_name = kCriticalTag | 2,
  authenticated = kCriticalTag | 3,
  transactions = kCriticalTag | 4,
  delivered = kCriticalTag | 5,
  mistakes = kCriticalTag | 6,
};

constexpr std::uint32_t kVersion = 1;

Result<void> take_field(const TlvField& field, Connection& to) {
  switch (field.tag) {
    case version:
      if (TRY(field.number<std::uint32_t>()) == kVersion) return {};
      return fail(Errc::not_supported, "session record of another version");
    case lhlo_name:
      to.lhlo_name = field.value;
      return {};
    case authenticated:
      to.authenticated = field.value;
      return {};
    case transactions:
      to.transactions = TRY(field.number<std::uint32_t>());
      return {};
    case delivered:
      to.delivered = TRY(field.number<std::uint32_t>());
      return {};
    case mistakes:
      to.mistakes = TRY(field.number<std::uint32_t>());
      return {};
    default:
      if ((field.tag & kCriticalTag) == 0) return {};
      return fail(Errc::not_supported, "session record with unknown field {:#x}", field.tag);
  }
}

}  // namespace

std::string Connection::record() const {
  TlvWriter out;
  out.number(version, kVersion);
  out.bytes(Tag::lhlo_name, lhlo_name);
  out.bytes(Tag::authenticated, authenticated);
  out.number(Tag::transactions, transactions);
  out.number(Tag::delivered, delivered);
  out.number(Tag::mistakes, mistakes);
  return std::move(out).take();
}

Result<Connection> Connection::restore(std::string_view record) {
  Connection out;
  TlvReader in(record);
  while (!in.at_end()) TRY(take_field(TRY(in.next()), out));
  return out;
}

}  // namespace postern::lmtp
