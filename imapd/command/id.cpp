// ID (RFC 2971): both sides say what they are. The client's answer goes into the log line.
#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "lib/base/text.h"
#include "lib/log/log.h"

namespace postern::imap {
namespace {

constexpr std::size_t kMostFields = 30;    // RFC 2971 §3.3
constexpr std::size_t kMostOctets = 1024;  // of one value, the same

}  // namespace

// id = "ID" SP id-params-list
// id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
Result<Id::Request> Id::parse(Cursor& in) {
  TRY(in.space());
  Request request;
  if (in.take_word("NIL")) return request;
  TRY(in.expect('('));
  if (in.take(')')) return request;
  do {
    std::string name = TRY(parse_string(in));
    TRY(in.space());
    auto value = TRY(parse_nstring(in));
    if (request.fields.size() == kMostFields || (value && value->size() > kMostOctets))
      return fail(Errc::bad_syntax, "ID has at most 30 fields of 1024 octets");
    request.fields.emplace_back(std::move(name), value.value_or(""));
  } while (in.take(' '));
  TRY(in.expect(')'));
  return request;
}

void Id::respond(const Request& request, Context& ctx) {
  ctx.conn.client_id.clear();
  for (const auto& [name, value] : request.fields) {
    if (!iequals(name, "name") && !iequals(name, "version")) continue;
    if (!ctx.conn.client_id.empty()) ctx.conn.client_id += '/';
    ctx.conn.client_id += value.substr(0, 100);
  }
  LOG(notice, "imap.id", {"conn", ctx.facts.session_id}, {"user", ctx.conn.who.user.text()},
      {"client", ctx.conn.client_id});
  ctx.out.untagged("ID (\"name\" \"Postern\" \"support-url\" \"https://example.org/postern\")");
}

}  // namespace postern::imap
