#include "lib/meta/recipient.h"

#include "lib/base/text.h"
#include "lib/meta/namespace.h"

namespace postern::meta {
namespace {

Result<MailboxEntry> posting_place(Meta& meta, const MailboxName& name, const Identity& sender) {
  MailboxEntry entry = TRY(meta.lookup(name));
  const Rights rights = entry.acl.rights_of(sender, name);
  if (rights.has(Right::post)) return entry;
  // Who may not look it up must not learn that it is there.
  if (!rights.has(Right::lookup)) return fail(Errc::no_such_mailbox, "{}", name.text());
  return fail(Errc::no_permission, "{}: no right to post", name.text());
}

Result<MailboxEntry> inbox_of(Meta& meta, const UserName& user) {
  auto entry = meta.lookup(MailboxName::inbox_of(user));
  if (!entry && entry.error().code == Errc::no_such_mailbox)
    return fail(Errc::no_such_user, "{} has no INBOX", user.text());
  return entry;
}

bool is_about_the_name(Errc code) {
  return code == Errc::bad_syntax || code == Errc::no_such_mailbox || code == Errc::no_permission;
}

}  // namespace

Result<UserName> canonical_user(std::string_view text, std::string_view default_domain) {
  const auto at = text.rfind('@');
  if (at != std::string_view::npos && !default_domain.empty() &&
      iequals(text.substr(at + 1), default_domain))
    text = text.substr(0, at);
  return UserName::from_utf8(text);
}

Subaddress split_detail(std::string_view address) {
  const auto at = address.rfind('@');
  const std::string_view local = address.substr(0, at);
  const auto plus = local.find('+');
  if (plus == std::string_view::npos) return {std::string(address), {}};
  Subaddress out{std::string(local.substr(0, plus)), std::string(local.substr(plus + 1))};
  if (at != std::string_view::npos) out.user += address.substr(at);
  return out;
}

Result<Recipient> parse_recipient(std::string_view address, const AddressRules& rules) {
  Recipient out;
  Subaddress parts = split_detail(address);
  const auto at = parts.user.rfind('@');
  const std::string name = parts.user.substr(0, at);
  if (at != std::string::npos && !iequals(parts.user.substr(at + 1), rules.default_domain))
    out.domain = to_lower(parts.user.substr(at + 1));
  out.detail = std::move(parts.detail);
  const bool shared = name.empty() || (!rules.post_user.empty() && iequals(name, rules.post_user));
  if (shared && !out.detail.empty()) return out;
  const std::string domain = out.domain.empty() ? "" : '@' + out.domain;
  out.user = TRY(UserName::from_utf8(name + domain));
  return out;
}

Result<MailboxEntry> resolve_recipient(Meta& meta, const Recipient& recipient,
                                       const Identity& sender) {
  if (recipient.user.empty()) {
    const auto name = MailboxName::from_utf8(recipient.detail + '@' + recipient.domain);
    if (!name || !name->owner().empty())
      return fail(Errc::no_such_mailbox, "\"{}\" is no shared mailbox", recipient.detail);
    return posting_place(meta, *name, sender);
  }
  if (recipient.detail.empty()) return inbox_of(meta, recipient.user);
  const Namespace own(Identity{.user = recipient.user, .groups = {}});
  const auto name = own.to_internal(recipient.detail);
  if (name && name->owner() == recipient.user) {
    auto entry = posting_place(meta, *name, sender);
    if (entry || !is_about_the_name(entry.error().code)) return entry;
  }
  return inbox_of(meta, recipient.user);
}

Result<Acl> inherited_acl(Meta& meta, const MailboxName& name) {
  for (MailboxName above = name.parent(); !above.empty(); above = above.parent()) {
    auto entry = meta.lookup(above);
    if (entry) return std::move(entry->acl);
    if (entry.error().code != Errc::no_such_mailbox) return Error(entry.error());
  }
  return Acl::standard_for(name);
}

}  // namespace postern::meta
