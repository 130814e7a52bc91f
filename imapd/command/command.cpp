// How an error becomes a tagged reply.
#include "imapd/command/command.h"

#include "imapd/response_code.h"
#include "lib/log/log.h"

namespace postern::imap {
namespace {

// What an administrator should look at; the rest is the client's or the user's affair.
bool is_our_trouble(Errc code) {
  return code == Errc::corrupt || code == Errc::io || code == Errc::unavailable;
}

}  // namespace

Completion failed(Context& ctx, const Error& error) {
  if (error.code == Errc::bad_syntax) return {Completion::Kind::bad, error.text, {}};
  if (error.code == Errc::closed) return {Completion::Kind::closed, error.text, {}};
  if (error.code == Errc::mailbox_deleted && ctx.selected)
    return {Completion::Kind::bye, "The mailbox was deleted", {}};
  if (is_our_trouble(error.code))
    LOG(warning, "imap.trouble", {"conn", ctx.facts.session_id}, {"user", ctx.conn.who.user.text()},
        {"errc", name_of(error.code)}, {"error", error.text});
  if (!ctx.out.has_code()) ctx.out.code(std::string(response_code(error.code)));
  return {Completion::Kind::no, std::string(sentence(error.code)), {}};
}

}  // namespace postern::imap
