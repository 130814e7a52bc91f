// What is announced, when, and which text defines it.
#include "imapd/capability.h"

#include <array>

namespace postern::imap {
namespace {

enum class Announce : std::uint8_t { always, before_login, after_login };

struct CapabilityRow {
  std::string_view name;
  Announce when;
  std::string_view text;  // where it is defined
};

constexpr std::array kCapabilities{
    CapabilityRow{"IMAP4rev1", Announce::always, "RFC 3501"},
    CapabilityRow{"LITERAL-", Announce::before_login, "RFC 7888"},
    CapabilityRow{"LITERAL+", Announce::after_login, "RFC 7888"},
    CapabilityRow{"ENABLE", Announce::always, "RFC 5161"},
    CapabilityRow{"ID", Announce::always, "RFC 2971"},
};

}  // namespace

std::string capabilities(const Context& ctx) {
  const bool known = ctx.conn.state != Connection::State::not_authenticated;
  std::string out;
  for (const CapabilityRow& row : kCapabilities) {
    if (row.when == (known ? Announce::before_login : Announce::after_login)) continue;
    if (!out.empty()) out += ' ';
    out += row.name;
  }
  return out;
}

}  // namespace postern::imap
