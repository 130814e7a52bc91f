// ENABLE (RFC 5161): switches extensions on; unknown ones are passed over.
#include <array>

#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "lib/base/text.h"

namespace postern::imap {
namespace {

struct Feature {
  std::string_view name;
  std::uint32_t bits;
};
constexpr std::array kFeatures{
    Feature{"CONDSTORE", enabled::condstore},
    Feature{"QRESYNC", enabled::qresync | enabled::condstore},  // RFC 7162 §3.2.3
    Feature{"UTF8=ACCEPT", enabled::utf8},
};

}  // namespace

// enable = "ENABLE" 1*(SP capability)
Result<Enable::Request> Enable::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.names = TRY(separated_by(
      in, ' ', [](Cursor& at) -> Result<std::string> { return std::string(TRY(parse_atom(at))); }));
  return request;
}

void Enable::respond(const Request& request, Context& ctx) {
  std::string done;
  for (const std::string& name : request.names)
    for (const Feature& feature : kFeatures)
      if (iequals(name, feature.name)) {
        ctx.conn.enabled |= feature.bits;
        done += ' ';
        done += feature.name;
      }
  ctx.out.untagged("ENABLED", done);
}

}  // namespace postern::imap
