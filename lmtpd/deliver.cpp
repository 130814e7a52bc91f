// One message, its recipients, their mailboxes. Stages: plan (recipient -> targets; here Sieve will
// decide), look for duplicates, store all targets in one call, mark, reply. A crash between the
// store's commit and the mark may repeat a message, never lose it.
#include "lmtpd/deliver.h"

#include <fmt/format.h>

#include <map>
#include <optional>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lmtpd/message_facts.h"
#include "lmtpd/resolve.h"

namespace postern::lmtp {
namespace {

/// A copy that a recipient is to get, and what became of it.
struct Copy {
  std::size_t recipient = 0;  // index into Transaction::recipients
  meta::MailboxEntry mailbox;
  store::NamedFlags flags;
  bool duplicate = false;              // delivered there before
  std::optional<std::size_t> same_as;  // another recipient's copy in the same mailbox, its index
  std::optional<Result<store::Appended>> outcome;

  [[nodiscard]] bool wanted() const { return !duplicate && !same_as; }
};

class Delivery {
 public:
  Delivery(const Backend& backend, std::uint64_t session, const meta::Identity& sender,
           Transaction& transaction, Receiver& receiver)
      : back_(backend),
        session_(session),
        sender_(sender),
        txn_(transaction),
        receiver_(receiver),
        started_(steady_micros()) {}

  DeliveryReport run();

 private:
  void plan(std::size_t recipient);
  void find_duplicates();
  [[nodiscard]] bool is_duplicate(const Copy& copy);
  [[nodiscard]] bool still_there(const meta::MailboxEntry& mailbox, std::string_view mark);
  void store_copies();
  void store_again_elsewhere(std::int64_t now);
  void mark(const Copy& copy);
  void log(const Copy& copy) const;
  [[nodiscard]] Reply reply_for(std::size_t recipient) const;
  [[nodiscard]] meta::Mark mark_of(const meta::MailboxEntry& mailbox) const;

  const Backend& back_;
  std::uint64_t session_;
  const meta::Identity& sender_;
  Transaction& txn_;
  Receiver& receiver_;
  std::int64_t started_;
  MessageFacts facts_;
  std::vector<Copy> copies_;
};

/// The targets of one recipient: the place where a Sieve script gives others, with flags.
void Delivery::plan(std::size_t recipient) {
  Copy copy;
  copy.recipient = recipient;
  copy.mailbox = txn_.recipients[recipient].mailbox;
  copies_.push_back(std::move(copy));
}

meta::Mark Delivery::mark_of(const meta::MailboxEntry& mailbox) const {
  return {meta::MarkKind::delivery, mailbox.id.hex(), facts_.fingerprint};
}

/// A mark counts only as long as the copy that it names is in the mailbox.
bool Delivery::still_there(const meta::MailboxEntry& mailbox, std::string_view mark) {
  const auto words = split(mark, ' ');
  const auto uid = parse_u32(words.back());
  if (words.size() != 2 || !uid || words[0] != fmt::to_string(mailbox.uidvalidity.value()))
    return false;
  const auto opened = back_.store.open_mailbox(mailbox);
  if (!opened) return false;
  const store::View view = (*opened)->snapshot();
  const auto record = (*opened)->lower_bound(Uid(*uid));
  return record && (*opened)->uid(*record) == Uid(*uid) && view.shows(*record);
}

bool Delivery::is_duplicate(const Copy& copy) {
  if (facts_.fingerprint.empty() || back_.options.duplicate_life.count() == 0) return false;
  const auto mark = back_.meta.find_mark(mark_of(copy.mailbox));
  // If nobody can say, a second copy is better than none.
  return mark && *mark && still_there(copy.mailbox, **mark);
}

/// Two recipients that lead to one mailbox get one copy; a message that was delivered there before
/// gets none.
void Delivery::find_duplicates() {
  std::map<MailboxId, std::size_t> served;
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    const auto [first, fresh] = served.try_emplace(copies_[i].mailbox.id, i);
    if (fresh)
      copies_[i].duplicate = is_duplicate(copies_[i]);
    else
      copies_[i].same_as = first->second;
  }
}

void Delivery::store_copies() {
  const std::int64_t now = wall_seconds();
  std::vector<store::DeliveryTarget> targets;
  std::vector<Copy*> in_order;
  for (Copy& copy : copies_) {
    if (!copy.wanted()) continue;
    targets.push_back({copy.mailbox, copy.flags});
    in_order.push_back(&copy);
  }
  if (targets.empty()) return;
  auto outcomes = back_.store.deliver(receiver_.staged(), now, targets);
  for (std::size_t i = 0; i < in_order.size(); ++i) in_order[i]->outcome = std::move(outcomes[i]);
  store_again_elsewhere(now);
}

/// A mailbox that was deleted since RCPT: its recipient is looked up again, once.
void Delivery::store_again_elsewhere(std::int64_t now) {
  for (Copy& copy : copies_) {
    if (!copy.outcome || *copy.outcome || copy.outcome->error().code != Errc::mailbox_deleted)
      continue;
    auto entry = resolve(back_, txn_.recipients[copy.recipient].wanted, sender_);
    if (!entry) {
      copy.outcome = Error(entry.error());
      continue;
    }
    copy.mailbox = std::move(*entry);
    const std::vector<store::DeliveryTarget> target{{copy.mailbox, copy.flags}};
    copy.outcome = std::move(back_.store.deliver(receiver_.staged(), now, target).front());
  }
}

void Delivery::mark(const Copy& copy) {
  if (facts_.fingerprint.empty() || back_.options.duplicate_life.count() == 0) return;
  const auto& appended = **copy.outcome;
  const auto value = fmt::format("{} {}", appended.uidvalidity.value(), appended.uid.value());
  if (auto marked = back_.meta.set_mark(mark_of(copy.mailbox), value, back_.options.duplicate_life);
      !marked)
    LOG(warning, "message.unmarked", {"conn", session_}, {"txn", txn_.id},
        {"error", marked.error().text});
}

void Delivery::log(const Copy& copy) const {
  const Recipient& recipient = txn_.recipients[copy.recipient];
  const std::string sender = txn_.sender.address ? txn_.sender.address->raw : "";
  const std::int64_t ms = (steady_micros() - started_) / 1000;
  const std::string mta_id =
      txn_.sender.envelope_id.empty() ? facts_.mta_id : txn_.sender.envelope_id;
  if (!copy.wanted())
    LOG(notice, "message.duplicate", {"conn", session_}, {"txn", txn_.id}, {"mta_id", mta_id},
        {"message_id", facts_.message_id}, {"sender", sender}, {"recipient", recipient.address.raw},
        {"mailbox", copy.mailbox.name.text()});
  else if (*copy.outcome)
    LOG(notice, "message.deliver", {"conn", session_}, {"txn", txn_.id}, {"mta_id", mta_id},
        {"message_id", facts_.message_id}, {"sender", sender}, {"recipient", recipient.address.raw},
        {"mailbox", copy.mailbox.name.text()}, {"uidvalidity", (*copy.outcome)->uidvalidity},
        {"uid", (*copy.outcome)->uid}, {"guid", (*copy.outcome)->guid.hex()},
        {"size", receiver_.staged().size()}, {"ms", ms});
  else
    LOG(warning, "message.fail", {"conn", session_}, {"txn", txn_.id}, {"mta_id", mta_id},
        {"message_id", facts_.message_id}, {"sender", sender}, {"recipient", recipient.address.raw},
        {"mailbox", copy.mailbox.name.text()}, {"errc", name_of(copy.outcome->error().code)},
        {"error", copy.outcome->error().text});
}

/// A recipient with several targets has its mail only when all of them have it.
Reply Delivery::reply_for(std::size_t recipient) const {
  Reply reply{250, "2.1.5", fmt::format("Duplicate of an earlier delivery ({})", txn_.id)};
  for (const Copy& copy : copies_) {
    if (copy.recipient != recipient) continue;
    const Copy& real = copy.same_as ? copies_[*copy.same_as] : copy;
    if (real.duplicate) continue;
    if (!*real.outcome)
      return recipient_reply(real.outcome->error().code, back_.options.over_quota_permanent);
    reply.text = fmt::format("Delivered ({})", txn_.id);
  }
  return reply;
}

DeliveryReport Delivery::run() {
  DeliveryReport report;
  const auto text = receiver_.text();
  if (!text) {
    LOG(warning, "message.fail", {"conn", session_}, {"txn", txn_.id},
        {"errc", name_of(text.error().code)}, {"error", text.error().text});
    report.replies.assign(txn_.recipients.size(), recipient_reply(text.error().code, false));
    return report;
  }
  facts_ = MessageFacts::of(*text);
  for (std::size_t i = 0; i < txn_.recipients.size(); ++i) plan(i);
  find_duplicates();
  store_copies();
  for (const Copy& copy : copies_) {
    if (copy.outcome && *copy.outcome) {
      mark(copy);
      ++report.delivered;
    }
    log(copy);
  }
  for (std::size_t i = 0; i < txn_.recipients.size(); ++i) report.replies.push_back(reply_for(i));
  return report;
}

}  // namespace

DeliveryReport deliver(const Backend& backend, std::uint64_t session, const meta::Identity& sender,
                       Transaction& transaction, Receiver& receiver) {
  return Delivery(backend, session, sender, transaction, receiver).run();
}

}  // namespace postern::lmtp
