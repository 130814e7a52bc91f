#include "tools/mailbox_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "sieve/site/named_flags.h"
#include "tools/stored_message.h"

namespace postern::tools {
namespace {

using Flags = std::optional<store::NamedFlags>;

/// A script that names no flag leaves those of the message alone.
Flags flags_of(const std::vector<std::string>& names) {
  if (names.empty()) return std::nullopt;
  return site::named_flags(names);
}

store::NamedFlags stored_flags(const store::Mailbox& mailbox, store::RecNo record) {
  return site::named_flags(site::flag_names(mailbox.flags(record), mailbox.keywords()));
}

/// The record of `uid`, if it is still there.
std::optional<store::RecNo> find(store::Mailbox& mailbox, Uid uid) {
  const store::View view = mailbox.snapshot();
  const auto record = mailbox.find(uid);
  return record && view.shows(*record) ? record : std::nullopt;
}

Result<void> replace_flags(store::Mailbox& mailbox, Uid uid, const store::NamedFlags& flags,
                           store::FlagOp op = store::FlagOp::replace) {
  const auto record = find(mailbox, uid);
  if (!record) return {};
  const std::vector<store::RecNo> records{*record};
  TRY(mailbox.store_flags(records, {.op = op, .flags = flags}));
  return {};
}

/// What each action means for a message that is stored already.
class Decide {
 public:
  Decide(const meta::MailboxEntry& source, const site::SieveMailboxes& mailboxes,
         FilterVerdict& out)
      : source_(source), mailboxes_(mailboxes), out_(out) {}

  std::size_t version = 0;  // of the message that the action means

  void operator()(const sieve::Keep& action) { into(source_, action.flags); }
  void operator()(const sieve::FileInto& action) {
    const auto place = mailboxes_.place(action.target);
    if (place) return into(*place, action.target.flags);
    leave_out(fmt::format("fileinto \"{}\": {}", action.target.mailbox, place.error().text));
  }
  void operator()(const sieve::Discard&) { out_.discarded = true; }
  void operator()(const sieve::Redirect&) { leave_out("redirect: its delivery is over"); }
  void operator()(const sieve::Reject&) { leave_out("reject: its delivery is over"); }
  void operator()(const sieve::Vacation&) { skip("vacation: its delivery is over"); }
  void operator()(const sieve::Notify&) { skip("notify: its delivery is over"); }
  void operator()(const sieve::Pipe&) { leave_out("pipe: its delivery is over"); }
  void operator()(const sieve::Snooze&) { leave_out("snooze: its delivery is over"); }
  void operator()(const sieve::LogLine&) {}
  // These are in the versions already.
  void operator()(const sieve::AddHeader&) {}
  void operator()(const sieve::DeleteHeader&) {}
  void operator()(const sieve::Replace&) {}
  void operator()(const sieve::Enclose&) {}

 private:
  void into(const meta::MailboxEntry& mailbox, const std::vector<std::string>& flags) {
    if (mailbox.id == source_.id && version == 0) {
      out_.stays = true;
      out_.flags = flags_of(flags);
      return;
    }
    const auto same = std::ranges::find_if(out_.copies, [&](const FilterVerdict::Copy& other) {
      return other.mailbox.id == mailbox.id;
    });
    if (same != out_.copies.end())
      same->flags = flags_of(flags);
    else
      out_.copies.push_back({mailbox, flags_of(flags), version});
  }
  /// An action that would have taken the message elsewhere: it stays where it is.
  void leave_out(std::string why) {
    out_.stays = true;
    skip(std::move(why));
  }
  void skip(std::string why) { out_.left_out.push_back(std::move(why)); }

  const meta::MailboxEntry& source_;
  const site::SieveMailboxes& mailboxes_;
  FilterVerdict& out_;
};

}  // namespace

std::vector<Uid> MailboxFilter::uids_of(store::Mailbox& mailbox) {
  const store::View view = mailbox.snapshot();
  std::vector<Uid> out;
  for (auto at = view.next_from(store::RecNo(0)); at;
       at = view.next_from(store::RecNo(at->value() + 1)))
    out.push_back(mailbox.uid(*at));
  return out;
}

void MailboxFilter::decide(const meta::MailboxEntry& source, Done& done) {
  FilterVerdict& out = done.verdict;
  Decide decide(source, mailboxes_, out);
  for (const auto& step : done.outcome.actions) {
    decide.version = step.version;
    std::visit(decide, step.action);
  }
  out.discarded = out.discarded && !out.stays && out.copies.empty();
  // Whatever went wrong, or if nothing said what is to become of it.
  if (done.outcome.error || (!out.discarded && out.copies.empty())) out.stays = true;
}

Result<void> MailboxFilter::copy(store::Mailbox& mailbox, const Done& done,
                                 const FilterVerdict::Copy& copy) {
  const auto record = find(mailbox, done.uid);
  if (!record) return fail(Errc::expunged, "another session expunged it");
  if (copy.version != 0) {
    store::Staged text = store_.stage();
    TRY(text.add(done.outcome.versions[copy.version]));
    store::AppendItem item;
    item.message = &text;
    item.flags = copy.flags ? *copy.flags : stored_flags(mailbox, *record);
    item.internal_date = mailbox.internal_date(*record);
    item.internal_zone = mailbox.internal_zone(*record);
    TRY(store_.append(copy.mailbox, {&item, 1}));
    return {};
  }
  const std::vector<store::RecNo> records{*record};
  const auto copied = TRY(store_.copy(mailbox, records, copy.mailbox));
  if (copied.destination.empty()) return fail(Errc::expunged, "another session expunged it");
  if (!copy.flags) return {};
  const auto target = TRY(store_.open_mailbox(copy.mailbox));
  return replace_flags(*target, copied.destination.front(), *copy.flags);
}

/// Copies first: whatever stops us in between leaves the message twice, never nowhere.
Result<void> MailboxFilter::carry_out(store::Mailbox& mailbox, const Done& done) {
  const FilterVerdict& verdict = done.verdict;
  for (const auto& one : verdict.copies) TRY(copy(mailbox, done, one));
  if (verdict.stays)
    return verdict.flags ? replace_flags(mailbox, done.uid, *verdict.flags) : Result<void>();
  if (verdict.discarded && !options_.expunge)
    return replace_flags(mailbox, done.uid, {store::flag::deleted}, store::FlagOp::add);
  const auto record = find(mailbox, done.uid);
  if (!record) return {};
  const std::vector<store::RecNo> records{*record};
  TRY(mailbox.expunge(records, false));
  return {};
}

std::optional<MailboxFilter::Done> MailboxFilter::filter(const meta::MailboxEntry& source,
                                                         store::Mailbox& mailbox, Uid uid) {
  const auto record = find(mailbox, uid);
  if (!record) return std::nullopt;
  Done done;
  done.uid = uid;
  const auto message = mailbox.message(*record);
  if (!message) {
    done.verdict.stays = true;
    done.error = message.error();
    return done;
  }
  auto envelope = stored_envelope(message->bytes());
  if (!envelope.to) envelope.to = options_.user_address;
  host_.set_message(message->bytes());
  done.outcome = sieve::run(*options_.script, {message->bytes(), envelope}, host_,
                            options_.script->environment.limits);
  decide(source, done);
  if (options_.dry_run) return done;
  if (const auto carried = carry_out(mailbox, done); !carried) done.error = carried.error();
  return done;
}

}  // namespace postern::tools
