// Context: finding mailboxes and rights for commands.
#include "imapd/context.h"

#include "imapd/name_codec.h"
#include "lib/base/clock.h"
#include "lib/net/trace.h"

namespace postern::imap {

Result<meta::MailboxName> Context::internal_name(std::string_view client) const {
  auto name = names().to_internal(client);
  // A name that can't be one is a mistake of meaning, not of the command's syntax.
  if (!name && name.error().code == Errc::bad_syntax)
    return fail(Errc::not_supported, "{}", name.error().text);
  return name;
}

std::string Context::wire_name(const meta::MailboxName& name) const {
  return encode_name(names().to_client(name), conn.name_form());
}

Result<Found> Context::find(const meta::MailboxName& name) {
  Found found;
  found.entry = TRY(back.meta.lookup(name));
  found.rights = found.entry.acl.rights_of(conn.who, name);
  if (!found.rights.has(meta::Right::lookup))
    return fail(Errc::no_such_mailbox, "{} may not look up {}", conn.who.user.text(), name.text());
  return found;
}

Result<Found> Context::find(std::string_view client_name) {
  return find(TRY(internal_name(client_name)));
}

Result<Found> Context::find_with(std::string_view client_name, meta::Right right) {
  auto found = TRY(find(client_name));
  if (!found.rights.has(right))
    return fail(Errc::no_permission, "{} on {}", conn.who.user.text(), found.entry.name.text());
  return found;
}

void Context::begin_user() const {
  back.store.set_reader(conn.who.anonymous ? meta::UserName() : conn.who.user);
  out.stream().set_trace(net::Trace::begin(back.options.trace_directory, conn.who.user.text(),
                                           facts.service, facts.session_id));
}

Result<void> Context::refresh_rights() {
  Selected& now = *selected;
  const std::int64_t at = steady_millis();
  if (at - now.looked_at < back.options.rights_refresh.count()) return {};
  auto entry = back.meta.lookup(now.entry.id);
  if (!entry && entry.error().code == Errc::no_such_mailbox)
    return fail(Errc::mailbox_deleted, "{}", now.entry.name.text());
  now.entry = TRY(std::move(entry));
  now.rights = now.entry.acl.rights_of(conn.who, now.entry.name);
  now.looked_at = at;
  if (!now.rights.has(meta::Right::read))
    return fail(Errc::mailbox_deleted, "no right to read {}", now.entry.name.text());
  return {};
}

Result<Selected*> Context::changeable(meta::Rights any_of) {
  TRY(refresh_rights());
  if (conn.selected->read_only) return fail(Errc::no_permission, "the mailbox is read-only");
  if ((selected->rights.bits() & any_of.bits()) == 0)
    return fail(Errc::no_permission, "{} on {}", conn.who.user.text(), selected->entry.name.text());
  return selected.get();
}

}  // namespace postern::imap
