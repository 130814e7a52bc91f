#include "lib/meta/acl.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"

namespace postern::meta {
namespace {

struct Letter {
  char letter;
  Rights rights;
};
// The order of the answer: RFC 4314 §2.1, then n (RFC 5257 §4.2).
constexpr std::array kLetters{
    Letter{'l', Right::lookup},         Letter{'r', Right::read},
    Letter{'s', Right::seen},           Letter{'w', Right::write},
    Letter{'i', Right::insert},         Letter{'p', Right::post},
    Letter{'k', Right::create},         Letter{'x', Right::delete_mailbox},
    Letter{'t', Right::delete_message}, Letter{'e', Right::expunge},
    Letter{'a', Right::administer},     Letter{'n', Right::annotate},
};
// RFC 4314 §2.1.1: read as all of these, shown when any is there.
constexpr std::array kObsolete{
    Letter{'c', Right::create | Right::delete_mailbox},
    Letter{'d', Right::delete_message | Right::expunge},
};

// By octet; no rights: not a letter of either table. A LIST reads ACLs by the thousand.
constexpr std::array<Rights, 256> kByLetter = [] {
  std::array<Rights, 256> all{};
  for (const auto& row : kLetters) all[static_cast<unsigned char>(row.letter)] = row.rights;
  for (const auto& row : kObsolete) all[static_cast<unsigned char>(row.letter)] = row.rights;
  return all;
}();

/// A domain's own "anyone" and groups reach no other domain; a mailbox without one serves all.
bool same_house(const Identity& who, const MailboxName& mailbox) {
  return mailbox.domain().empty() || who.user.empty() || mailbox.domain() == who.user.domain();
}

bool matches(std::string_view identifier, const Identity& who, const MailboxName& mailbox) {
  if (identifier == "anyone") return same_house(who, mailbox);
  if (identifier == "anonymous") return who.anonymous;
  if (identifier.starts_with("group:"))
    return same_house(who, mailbox) &&
           std::ranges::find(who.groups, identifier) != who.groups.end();
  return !who.anonymous && identifier == who.user.text();
}

}  // namespace

Result<Rights> Rights::from_text(std::string_view letters) {
  Rights rights;
  for (const char c : letters) {
    const Rights some = kByLetter[static_cast<unsigned char>(c)];
    if (some.empty()) return fail(Errc::bad_syntax, "'{}' is no right", c);
    rights = rights | some;
  }
  return rights;
}

std::string Rights::text(bool with_obsolete) const {
  std::string out;
  for (const auto& row : kLetters)
    if ((bits_ & row.rights.bits()) != 0) out += row.letter;
  if (!with_obsolete) return out;
  for (const auto& row : kObsolete)
    if ((bits_ & row.rights.bits()) != 0) out += row.letter;
  return out;
}

Result<std::string> canonical_identifier(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string name(negative ? text.substr(1) : text);
  const bool group = name.starts_with("group:");
  if (group && (name.size() == 6 || name.find('\t') != std::string::npos || !is_utf8(name)))
    return fail(Errc::bad_syntax, "\"{}\" is no group", name);
  if (!group && name != "anyone" && name != "anonymous")
    name = TRY(UserName::from_utf8(name)).text();
  return negative ? '-' + name : name;
}

Acl Acl::standard_for(const MailboxName& mailbox) {
  Acl acl;
  const UserName owner = mailbox.owner();
  if (!owner.empty()) acl.set(owner.text(), Rights::all());
  return acl;
}

void Acl::set(std::string_view identifier, Rights rights) {
  const auto at = std::ranges::find(entries_, identifier, &AclEntry::identifier);
  if (rights.empty()) {
    if (at != entries_.end()) entries_.erase(at);
  } else if (at != entries_.end()) {
    at->rights = rights;
  } else {
    entries_.push_back({std::string(identifier), rights});
  }
}

Rights Acl::rights_of(const Identity& who, const MailboxName& mailbox) const {
  Rights granted;
  Rights denied;
  for (const auto& [identifier, rights] : entries_) {
    const std::string_view name(identifier);
    if (name.starts_with('-')) {
      if (matches(name.substr(1), who, mailbox)) denied = denied | rights;
    } else if (matches(name, who, mailbox)) {
      granted = granted | rights;
    }
  }
  Rights out = granted - denied;
  if (who.admin)
    out = out | Right::lookup | Right::create | Right::delete_mailbox | Right::administer;
  if (!who.anonymous && mailbox.is_owned_by(who.user))
    out = out | Right::lookup | Right::administer;
  return out;
}

std::string Acl::text() const {
  std::string out;
  for (const auto& [identifier, rights] : entries_)
    out += identifier + '\t' + rights.text(false) + '\t';
  return out;
}

Result<Acl> Acl::from_text(std::string_view text) {
  Acl acl;
  while (!text.empty()) {
    const auto first = text.find('\t');
    const auto second = first == std::string_view::npos ? first : text.find('\t', first + 1);
    if (second == std::string_view::npos || first == 0)
      return fail(Errc::bad_syntax, "an ACL that ends early");
    const Rights rights = TRY(Rights::from_text(text.substr(first + 1, second - first - 1)));
    acl.set(text.substr(0, first), rights);
    text.remove_prefix(second + 1);
  }
  return acl;
}

}  // namespace postern::meta
