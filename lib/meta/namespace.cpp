#include "lib/meta/namespace.h"

#include <optional>

#include "lib/base/text.h"

namespace postern::meta {
namespace {

/// What follows "prefix/" in `text`; empty for the prefix alone; nothing if it doesn't begin so.
std::optional<std::string_view> below(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  if (text.empty()) return text;
  if (text.front() != '/') return std::nullopt;
  return text.substr(1);
}

struct FirstLevel {
  std::string_view level;
  std::string_view rest;  // with its leading '/', or empty
};
FirstLevel first_level(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {text, {}};
  return {text.substr(0, slash), text.substr(slash)};
}

struct Split {
  std::string_view name;
  std::optional<std::string_view> domain;
};
Split split_domain(std::string_view level) {
  const auto at = level.rfind('@');
  if (at == std::string_view::npos) return {level, std::nullopt};
  return {level.substr(0, at), level.substr(at + 1)};
}

/// path@domain. The trailing '@' keeps an '@' of the path from being taken for a domain's.
Result<MailboxName> make(std::string path, std::string_view domain) {
  return MailboxName::from_utf8(std::move(path) + '@' + std::string(domain));
}

}  // namespace

NamespacePrefixes NamespacePrefixes::from(const config::Config& config) {
  return {config.text("namespace.other_users"), config.text("namespace.shared")};
}

Namespace::Namespace(Identity who, NamespacePrefixes prefixes)
    : who_(std::move(who)), prefixes_(std::move(prefixes)) {}

Result<MailboxName> Namespace::personal(std::string_view client) const {
  const auto [level, rest] = first_level(client);
  const MailboxName inbox = MailboxName::inbox_of(who_.user);
  if (!iequals(level, "INBOX")) return inbox.child(client);
  return rest.empty() ? inbox : inbox.child("INBOX" + std::string(rest));
}

Result<MailboxName> Namespace::of_other_user(std::string_view rest) const {
  const auto [level, tail] = first_level(rest);
  const auto [user, domain] = split_domain(level);
  return make("user/" + std::string(user) + std::string(tail), domain.value_or(who_.user.domain()));
}

Result<MailboxName> Namespace::of_shared(std::string_view rest) const {
  const auto [level, tail] = first_level(rest);
  const auto [name, domain] = split_domain(level);
  if (name == "user") return fail(Errc::no_such_mailbox, "users are not shared mailboxes");
  return make(std::string(name) + std::string(tail), domain.value_or(who_.user.domain()));
}

Result<MailboxName> Namespace::to_internal(std::string_view client) const {
  if (who_.admin) {
    if (iequals(first_level(client).level, "INBOX")) return personal(client);
    return MailboxName::from_utf8(client);
  }
  auto rest = below(client, prefixes_.other_users);
  const bool others = rest.has_value();
  if (!others) rest = below(client, prefixes_.shared);
  if (!rest) return personal(client);
  if (rest->empty()) return fail(Errc::no_such_mailbox, "\"{}\" is only a prefix", client);
  return others ? of_other_user(*rest) : of_shared(*rest);
}

std::string Namespace::with_domain(std::string_view level, std::string_view domain) const {
  std::string out(level);
  if (domain != who_.user.domain() || level.find('@') != std::string_view::npos)
    out.append("@").append(domain);
  return out;
}

std::string Namespace::to_client(const MailboxName& name) const {
  const MailboxName inbox = MailboxName::inbox_of(who_.user);
  const bool own = !who_.user.empty() && name.is_within(inbox);
  if (own && name.is_inbox()) return "INBOX";
  if (who_.admin) return name.text();
  if (own) return name.path().substr(inbox.path().size() + 1);
  const auto in_users = below(name.path(), "user");
  const bool others = in_users && !in_users->empty();
  const auto [level, rest] = first_level(others ? *in_users : std::string_view(name.path()));
  return (others ? other_users_prefix() : shared_prefix()) + with_domain(level, name.domain()) +
         std::string(rest);
}

std::string Namespace::other_users_prefix() const {
  return who_.admin ? "user/" : prefixes_.other_users + '/';
}

std::string Namespace::shared_prefix() const {
  return who_.admin ? std::string() : prefixes_.shared + '/';
}

}  // namespace postern::meta
