// postern snooze wake, postern snooze list: messages that scripts put off
// (draft-ietf-extra-sieve-snooze) come back at their time.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sysexits.h>

#include <ctime>

#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "sieve/site/named_flags.h"
#include "sieve/site/settings.h"
#include "sieve/site/sieve_mailboxes.h"
#include "tools/command/commands.h"

namespace postern::tools {
namespace {

constexpr std::int64_t kForEver = std::int64_t{1} << 40;
constexpr std::uint32_t kMost = 100'000;
// It is noted before the message is stored; so long after its time the message will not come.
constexpr std::int64_t kPatience = 3600;  // seconds

std::optional<store::RecNo> find(store::Mailbox& mailbox, const Guid& guid) {
  const store::View view = mailbox.snapshot();
  for (std::uint32_t n = 1; n <= view.exists(); ++n) {
    const auto record = view.at(SeqNum(n));
    const auto facts = mailbox.record(record);
    if (facts && facts->guid == guid) return record;
  }
  return std::nullopt;
}

class Waker {
 public:
  Waker(store::Store& store, meta::Meta& meta, const auth::Authenticator& auth,
        const site::Settings& site)
      : store_(store), meta_(meta), auth_(auth), site_(site) {}

  /// Each step may be repeated: flags, one move, and only then it is struck off.
  /// @return  whether it has come back
  Result<bool> wake(const meta::Snoozed& message) {
    const auto entry = meta_.lookup(message.mailbox);
    if (!entry && entry.error().code == Errc::no_such_mailbox) return forget(message);
    if (!entry) return entry.error();
    const auto mailbox = TRY(store_.open_mailbox(*entry));
    const auto record = find(*mailbox, message.guid);
    if (!record) {
      const bool may_come = wall_seconds() - std::max(message.since, message.until) < kPatience;
      return may_come ? Result<bool>(false) : forget(message);
    }
    return bring_back(message, *entry, *mailbox, mailbox->uid(*record));
  }

 private:
  /// The user has moved or expunged it, it was brought back before, or it was never stored.
  Result<bool> forget(const meta::Snoozed& message) {
    TRY(meta_.end_snoozed(message));
    return false;
  }

  /// INBOX if the place has gone.
  Result<meta::MailboxEntry> place_of(const meta::Snoozed& message) {
    const site::SieveMailboxes mailboxes(store_, meta_, auth_.identity_of(message.user),
                                         site_.prefixes, site_.autocreate);
    const sieve::Target target{
        message.target, message.create, message.mailbox_id, message.special_use, {}};
    auto place = mailboxes.place(target);
    if (place) return place;
    return meta_.lookup(meta::MailboxName::inbox_of(message.user));
  }

  Result<bool> bring_back(const meta::Snoozed& message, const meta::MailboxEntry& from,
                          store::Mailbox& mailbox, Uid uid) {
    const auto target = TRY(place_of(message));
    TRY(change(mailbox, uid, store::FlagOp::add, message.add_flags));
    TRY(change(mailbox, uid, store::FlagOp::remove, message.remove_flags));
    if (target.id != from.id) {
      const std::vector<store::RecNo> records = record_of(mailbox, uid);
      TRY(store_.move(mailbox, records, target));
    }
    TRY(meta_.end_snoozed(message));
    LOG(notice, "snooze.wake", {"user", message.user.text()}, {"mailbox", from.name.text()},
        {"uid", uid}, {"destination", target.name.text()}, {"guid", message.guid.hex()});
    return true;
  }

  static std::vector<store::RecNo> record_of(const store::Mailbox& mailbox, Uid uid) {
    const auto record = mailbox.find(uid);
    return record ? std::vector{*record} : std::vector<store::RecNo>{};
  }

  static Result<void> change(store::Mailbox& mailbox, Uid uid, store::FlagOp op,
                             const std::vector<std::string>& flags) {
    if (flags.empty()) return {};
    TRY(mailbox.store_flags(record_of(mailbox, uid), {op, site::named_flags(flags), {}}));
    return {};
  }

  store::Store& store_;
  meta::Meta& meta_;
  const auth::Authenticator& auth_;
  const site::Settings& site_;
};

std::string local_time(std::int64_t at) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(static_cast<std::time_t>(at)));
}

}  // namespace

Result<int> snooze_wake(const Arguments& arguments, Context& context) {
  meta::Meta* const meta = TRY(context.meta());
  const std::int64_t now = arguments.has("--all") ? kForEver : wall_seconds();
  const auto due = TRY(meta->snoozed(now, kMost));
  if (due.empty()) return EX_OK;
  store::Store* const store = TRY(context.store());
  const auto auth = TRY(auth::Authenticator::create(context.config()));
  const auto site = TRY(site::Settings::from(context.config()));
  Waker waker(*store, *meta, *auth, site);
  std::size_t woken = 0, failed = 0;
  for (const auto& message : due) {
    const auto done = waker.wake(message);
    if (done && *done) ++woken;
    if (done) continue;
    ++failed;
    fmt::print(stderr, "{}: {}: {}\n", message.user.text(), name_of(done.error().code),
               done.error().text);
  }
  fmt::print(stderr, "{} messages woken, {} failed\n", woken, failed);
  return failed == 0 ? EX_OK : EX_TEMPFAIL;
}

Result<int> snooze_list(const Arguments&, Context& context) {
  meta::Meta* const meta = TRY(context.meta());
  for (const auto& message : TRY(meta->snoozed(kForEver, kMost)))
    fmt::print("{}  {}  {}\n", local_time(message.until), message.user.text(), message.target);
  return EX_OK;
}

}  // namespace postern::tools
