#include "sieve/site/sieve_host.h"

#include <ctime>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "sieve/site/digest.h"
#include "sieve/site/remote.h"
#include "sieve/site/webhook.h"

namespace postern::site {
namespace {

/// Of an answer about a mailbox: a failure of the server stays one.
Result<bool> found(const Result<meta::MailboxEntry>& entry) {
  if (entry) return true;
  switch (entry.error().code) {
    case Errc::no_such_mailbox:
    case Errc::no_permission:
    case Errc::bad_syntax:
      return false;
    default:
      return Error(entry.error());
  }
}

}  // namespace

meta::Mark duplicate_mark(const meta::UserName& user, std::string_view handle,
                          std::string_view unique_id) {
  return {meta::MarkKind::sieve_duplicate, user.text(), digest_of({handle, unique_id})};
}

meta::Mark vacation_mark(const meta::UserName& user, std::string_view handle,
                         std::string_view address) {
  return {meta::MarkKind::vacation, user.text(), digest_of({handle, to_lower(address)})};
}

std::int64_t SieveHost::now() { return wall_seconds(); }

int SieveHost::zone_minutes(std::int64_t at) {
  const std::time_t seconds = at;
  std::tm tm{};
  localtime_r(&seconds, &tm);
  return static_cast<int>(tm.tm_gmtoff / 60);
}

Result<bool> SieveHost::mailbox_exists(std::string_view name) {
  return found(mailboxes_.named(name));
}

Result<bool> SieveHost::mailbox_id_exists(std::string_view id) {
  return found(mailboxes_.with_id(id));
}

Result<bool> SieveHost::special_use_exists(std::string_view mailbox, std::string_view use) {
  if (mailbox.empty()) return found(mailboxes_.with_special_use(use));
  const auto entry = mailboxes_.named(mailbox);
  if (!TRY(found(entry))) return false;
  return has_special_use(entry->special_use, use);
}

Result<std::optional<std::string>> SieveHost::metadata(std::string_view mailbox,
                                                       std::string_view annotation) {
  meta::MailboxName name;  // empty: the server
  if (!mailbox.empty()) {
    const auto entry = mailboxes_.named(mailbox);
    if (!TRY(found(entry))) return std::optional<std::string>();
    name = entry->name;
  }
  for (auto& one : TRY(meta_.annotations(name, mailboxes_.user())))
    if (iequals(one.entry, annotation)) return std::optional(std::move(one.value));
  return std::optional<std::string>();
}

Result<std::optional<std::string>> SieveHost::script(sieve::Location location,
                                                     std::string_view name) {
  return scripts_.text_of(meta_, mailboxes_.user(), location, name);
}

Result<bool> SieveHost::duplicate_seen(std::string_view handle, std::string_view unique_id) {
  return TRY(meta_.find_mark(duplicate_mark(mailboxes_.user(), handle, unique_id))).has_value();
}

Result<bool> SieveHost::vacation_answered(std::string_view handle, std::string_view address,
                                          std::int64_t seconds) {
  const auto mark = TRY(meta_.find_mark(vacation_mark(mailboxes_.user(), handle, address)));
  if (!mark) return false;
  // The period may be shorter now than when the reply was sent.
  const auto replied = parse_u64(*mark);
  return replied && wall_seconds() - static_cast<std::int64_t>(*replied) < seconds;
}

std::vector<std::string> SieveHost::own_addresses() {
  return {settings_.address_of(mailboxes_.user())};
}

bool SieveHost::can_notify(std::string_view method) {
  return istarts_with(method, "mailto:") || istarts_with(method, "log:") ||
         webhook_allowed(settings_.webhooks, method);
}

bool SieveHost::list_known(std::string_view list) { return lists_.known(list); }

Result<bool> SieveHost::list_contains(std::string_view list, std::string_view value) {
  return TRY(lists_.list(meta_, mailboxes_.user(), list))->contains(value);
}

Result<std::vector<std::string>> SieveHost::list_addresses(std::string_view list) {
  return TRY(lists_.list(meta_, mailboxes_.user(), list))->addresses();
}

std::optional<std::string> SieveHost::environment(std::string_view item) {
  if (item.starts_with("imap.")) return std::string();  // RFC 6785 §4.2: at delivery
  if (item == "host") return settings_.hostname;
  if (item == "domain") return settings_.domain;
  if (item == "remote-host") return remote_of(message_).host;  // "" where it isn't known
  if (item == "remote-ip") {
    auto remote = remote_of(message_);
    return remote.ip.empty() ? std::nullopt : std::optional(std::move(remote.ip));
  }
  if (item == "vnd.dovecot.username") return mailboxes_.user().text();
  if (item == "vnd.dovecot.default-mailbox") return "INBOX";
  return std::nullopt;
}

}  // namespace postern::site
