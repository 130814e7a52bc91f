// COMPRESS (RFC 4978): the command; transportd does the work (lib/service/daemon.h, Compress).
#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "lib/base/text.h"

namespace postern::imap {

// compress = "COMPRESS" SP algorithm
Result<Compress::Request> Compress::parse(Cursor& in) {
  TRY(in.space());
  return Request{to_upper(TRY(parse_atom(in)))};
}

Result<void> Compress::plan(const Request& request, Context& ctx) {
  if (request.mechanism != "DEFLATE")
    return fail(Errc::bad_syntax, "No such compression: {}", request.mechanism);
  if (ctx.facts.compressed) return fail(Errc::bad_syntax, "COMPRESS is active already");
  if (!ctx.runtime.tls_available()) return fail(Errc::not_supported, "no transportd");
  return {};
}

Completion Compress::respond(const Request&, Context&) {
  return {Completion::Kind::compress, {}, {}};
}

}  // namespace postern::imap
