// NAMESPACE (RFC 2342): where a user's own, others' and shared mailboxes begin.
#include "imapd/command/commands.h"
#include "imapd/name_codec.h"
#include "imapd/responder.h"

namespace postern::imap {
namespace {

std::string described(const std::string& prefix, NameForm form) {
  std::string out = "((";
  append_string(out, form == NameForm::utf8 ? prefix : to_modified_utf7(prefix),
                form == NameForm::utf8);
  return out + " \"/\"))";
}

}  // namespace

void Namespace::respond(const Nothing&, Context& ctx) {
  const meta::Namespace names = ctx.names();
  const NameForm form = ctx.conn.name_form();
  const std::string own = ctx.conn.who.admin ? "NIL" : described("", form);
  ctx.out.untagged("NAMESPACE ", own, " ", described(names.other_users_prefix(), form), " ",
                   described(names.shared_prefix(), form));
}

}  // namespace postern::imap
