// One message, its recipients, their mailboxes. Stages: plan (each recipient's script runs, without
// effects), send what scripts want to be sent, look for duplicates, store all copies, mark, reply.
// What was sent is noted at once, so that the MTA's next try doesn't repeat it. A crash between the
// store's commit and the marks may repeat a message, never lose it.
#include "lmtpd/deliver.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <map>
#include <optional>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lmtpd/message_facts.h"
#include "lmtpd/resolve.h"
#include "lmtpd/sieve_plan.h"
#include "sieve/site/digest.h"

namespace postern::lmtp {
namespace {

// An MTA gives up after so long (RFC 5321 §4.5.4.1: at least 4 to 5 days).
constexpr std::chrono::seconds kNoteOfSubmission{5 * 86'400};

/// A copy that a recipient is to get, and what became of it.
struct Copy {
  std::size_t recipient = 0;  // index into Transaction::recipients
  meta::MailboxEntry mailbox;
  store::NamedFlags flags;
  store::Staged* text = nullptr;       // as received, or as a script edited it
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
  void plan(std::size_t recipient, std::string_view octets);
  void run_programs(std::size_t recipient, std::string_view octets);
  [[nodiscard]] Result<void> run_once(const Recipient& recipient, const PlannedPipe& pipe,
                                      std::string_view octets);
  void log_ran(const Recipient& recipient, const PlannedPipe& pipe, const Result<void>& ran) const;
  void send(std::size_t recipient);
  [[nodiscard]] ErrandRunner errands() const {
    return {back_, session_, txn_, facts_.message_id, retry_key_};
  }
  void add_copies(std::size_t recipient);
  [[nodiscard]] Result<void> add_copy(std::size_t recipient, const PlannedCopy& planned,
                                      store::Staged*& text);
  [[nodiscard]] Result<void> note_snoozed(const PlannedCopy& planned, store::Staged& text);
  void find_duplicates();
  [[nodiscard]] bool is_duplicate(const Copy& copy);
  [[nodiscard]] bool still_there(const meta::MailboxEntry& mailbox, std::string_view mark);
  void store_copies();
  void store_together(store::Staged& text, std::int64_t now);
  void finish(std::size_t recipient);
  void set_mark(const PlannedMark& planned) const;
  void store_again_elsewhere(std::int64_t now);
  void mark(const Copy& copy);
  void log(const Copy& copy) const;
  [[nodiscard]] Reply reply_for(std::size_t recipient) const;
  [[nodiscard]] Reply reply_of_copies(std::size_t recipient) const;
  [[nodiscard]] meta::Mark mark_of(const meta::MailboxEntry& mailbox) const;

  const Backend& back_;
  std::uint64_t session_;
  const meta::Identity& sender_;
  Transaction& txn_;
  Receiver& receiver_;
  std::int64_t started_;
  MessageFacts facts_;
  std::string retry_key_;                      // the same when the MTA tries again
  std::vector<Plan> plans_;                    // one for each recipient
  std::vector<std::optional<Reply>> settled_;  // what is clear before the store is asked
  std::list<store::Staged> edited_;            // messages as scripts made them
  std::vector<Copy> copies_;
};

void Delivery::plan(std::size_t recipient, std::string_view octets) {
  auto plan = make_plan(back_, {txn_, txn_.recipients[recipient], session_, octets});
  settled_.emplace_back();
  if (plan) {
    plans_.push_back(std::move(*plan));
    return;
  }
  LOG(warning, "message.fail", {"conn", session_}, {"txn", txn_.id},
      {"recipient", txn_.recipients[recipient].address.raw},
      {"errc", postern::name_of(plan.error().code)}, {"error", plan.error().text});
  settled_.back() = recipient_reply(plan.error().code, false);
  plans_.emplace_back();
}

/// A program that has had the message isn't given it again when the MTA tries again.
Result<void> Delivery::run_once(const Recipient& recipient, const PlannedPipe& pipe,
                                std::string_view octets) {
  std::string words = pipe.call.program;
  for (const auto& argument : pipe.call.arguments) words += '\n' + argument;
  const meta::Mark note{meta::MarkKind::submission, recipient.wanted.user.text(),
                        site::digest_of({retry_key_, "pipe", words})};
  if (TRY(back_.meta.find_mark(note))) return {};
  const site::Programs::Facts facts{recipient.wanted.user.text(),
                                    txn_.sender.address ? txn_.sender.address->text() : "",
                                    recipient.address.text(), back_.options.hostname};
  TRY(back_.programs.run(pipe.call, octets, facts));
  return back_.meta.set_mark(note, "", kNoteOfSubmission);
}

void Delivery::log_ran(const Recipient& recipient, const PlannedPipe& pipe,
                       const Result<void>& ran) const {
  if (ran)
    LOG(notice, "sieve.pipe", {"conn", session_}, {"txn", txn_.id},
        {"user", recipient.wanted.user.text()}, {"message_id", facts_.message_id},
        {"program", pipe.call.program});
  else
    LOG(warning, "sieve.pipe_failed", {"conn", session_}, {"txn", txn_.id},
        {"user", recipient.wanted.user.text()}, {"message_id", facts_.message_id},
        {"program", pipe.call.program}, {"errc", postern::name_of(ran.error().code)},
        {"error", ran.error().text});
}

/// What a program didn't take is kept, unless that was no more than a try with a copy.
void Delivery::run_programs(std::size_t recipient, std::string_view octets) {
  Plan& plan = plans_[recipient];
  for (const PlannedPipe& pipe : plan.pipes) {
    const std::string_view text =
        pipe.version == 0 ? octets : std::string_view(plan.versions[pipe.version]);
    const auto ran = run_once(txn_.recipients[recipient], pipe, text);
    log_ran(txn_.recipients[recipient], pipe, ran);
    if (ran || (pipe.call.try_ && pipe.call.copy)) continue;
    const bool kept = std::ranges::any_of(plan.copies, [&](const PlannedCopy& copy) {
      return copy.mailbox.id == plan.keep.mailbox.id;
    });
    if (!kept) plan.copies.push_back(plan.keep);
  }
}

/// Mail that can't be sent now makes the MTA try all of this recipient again. What will never be
/// sent costs nobody the message: it is kept beside what else the script wants. A webhook has one
/// try, so that a dead one holds up no mail.
void Delivery::send(std::size_t recipient) {
  Plan& plan = plans_[recipient];
  for (Errand& errand : plan.errands) {
    const auto sent = errands().send(txn_.recipients[recipient], errand);
    if (sent || errand.done) continue;
    const bool never = sent.error().code == Errc::no_permission;
    if (never && errand.carries_the_message()) plan.keep_too();
    if (never || errand.kind == Errand::Kind::webhook) continue;
    if (!errand.carries_the_message() && !back_.submitter.configured()) continue;
    settled_[recipient] = Reply{451, "4.3.0", "Mail can't be sent on now, try again later"};
    return;
  }
}

/// What is stored comes back only if somebody knows of it, so that comes first.
Result<void> Delivery::note_snoozed(const PlannedCopy& planned, store::Staged& text) {
  if (!planned.snoozed) return {};
  meta::Snoozed snoozed = *planned.snoozed;
  snoozed.guid = site::guid_of(TRY(text.bytes()));
  return back_.meta.set_snoozed(snoozed);
}

Result<void> Delivery::add_copy(std::size_t recipient, const PlannedCopy& planned,
                                store::Staged*& text) {
  if (text == nullptr) {
    text = &edited_.emplace_back(back_.store.stage());
    TRY(text->add(plans_[recipient].versions[planned.version]));
  }
  TRY(note_snoozed(planned, *text));
  Copy copy;
  copy.recipient = recipient;
  copy.mailbox = planned.mailbox;
  copy.flags = planned.flags;
  copy.text = text;
  copies_.push_back(std::move(copy));
  return {};
}

void Delivery::add_copies(std::size_t recipient) {
  std::map<std::size_t, store::Staged*> texts{{0, &receiver_.staged()}};
  for (const PlannedCopy& planned : plans_[recipient].copies) {
    const auto added = add_copy(recipient, planned, texts[planned.version]);
    if (added) continue;
    settled_[recipient] = recipient_reply(added.error().code, false);
    std::erase_if(copies_, [&](const Copy& copy) { return copy.recipient == recipient; });
    return;
  }
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
  const auto record = (*opened)->find(Uid(*uid));
  return record && view.shows(*record);
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

/// All copies of one text: written once, one sync.
void Delivery::store_together(store::Staged& text, std::int64_t now) {
  std::vector<store::DeliveryTarget> targets;
  std::vector<Copy*> in_order;
  for (Copy& copy : copies_) {
    if (copy.text != &text || !copy.wanted()) continue;
    targets.push_back({copy.mailbox, copy.flags});
    in_order.push_back(&copy);
  }
  if (targets.empty()) return;
  auto outcomes = back_.store.deliver(text, now, targets);
  for (std::size_t i = 0; i < in_order.size(); ++i) in_order[i]->outcome = std::move(outcomes[i]);
}

void Delivery::store_copies() {
  const std::int64_t now = wall_seconds();
  store_together(receiver_.staged(), now);
  for (store::Staged& text : edited_) store_together(text, now);
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
    copy.outcome = std::move(back_.store.deliver(*copy.text, now, target).front());
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
        {"size", copy.text->size()}, {"ms", ms});
  else
    LOG(warning, "message.fail", {"conn", session_}, {"txn", txn_.id}, {"mta_id", mta_id},
        {"message_id", facts_.message_id}, {"sender", sender}, {"recipient", recipient.address.raw},
        {"mailbox", copy.mailbox.name.text()},
        {"errc", postern::name_of(copy.outcome->error().code)},
        {"error", copy.outcome->error().text});
}

/// A recipient with several targets has its mail only when all of them have it.
Reply Delivery::reply_of_copies(std::size_t recipient) const {
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

Reply Delivery::reply_for(std::size_t recipient) const {
  const Plan& plan = plans_[recipient];
  if (settled_[recipient]) return *settled_[recipient];
  if (plan.refusal) return *plan.refusal;
  if (plan.copies.empty()) return {250, "2.1.5", fmt::format("Accepted ({})", txn_.id)};
  return reply_of_copies(recipient);
}

void Delivery::set_mark(const PlannedMark& planned) const {
  if (const auto marked = back_.meta.set_mark(planned.mark, planned.value, planned.life); !marked)
    LOG(warning, "message.unmarked", {"conn", session_}, {"txn", txn_.id},
        {"error", marked.error().text});
}

/// Once a recipient has everything: its script's marks (RFC 7352 §3), and copies of what was sent.
void Delivery::finish(std::size_t recipient) {
  const Plan& plan = plans_[recipient];
  if (settled_[recipient] || (!plan.refusal && !reply_for(recipient).positive())) return;
  for (const PlannedMark& mark : plan.marks) set_mark(mark);
  for (const Errand& errand : plan.errands) {
    if (!errand.done) continue;
    if (errand.mark) set_mark(*errand.mark);
    if (errand.filed) errands().file(txn_.recipients[recipient], errand);
  }
  if (plan.refusal || (plan.discarded && plan.copies.empty()))
    LOG(notice, "message.drop", {"conn", session_}, {"txn", txn_.id},
        {"message_id", facts_.message_id}, {"recipient", txn_.recipients[recipient].address.raw},
        {"action", plan.refusal ? "reject" : "discard"});
}

DeliveryReport Delivery::run() {
  DeliveryReport report;
  const auto text = receiver_.text();
  const auto octets = receiver_.staged().bytes();
  if (!text || !octets) {
    const Error& error = text ? octets.error() : text.error();
    LOG(warning, "message.fail", {"conn", session_}, {"txn", txn_.id},
        {"errc", postern::name_of(error.code)}, {"error", error.text});
    report.replies.assign(txn_.recipients.size(), recipient_reply(error.code, false));
    return report;
  }
  facts_ = MessageFacts::of(*text);
  // A message without an id may come twice as it is: only its trace fields tell a new try.
  retry_key_ = facts_.fingerprint.empty() ? site::digest_of({*text}) : facts_.fingerprint;
  for (std::size_t i = 0; i < txn_.recipients.size(); ++i) {
    plan(i, *octets);
    if (!settled_[i]) run_programs(i, *octets);
    if (!settled_[i]) send(i);
    if (!settled_[i]) add_copies(i);
  }
  find_duplicates();
  store_copies();
  for (const Copy& copy : copies_) {
    if (copy.outcome && *copy.outcome) {
      mark(copy);
      ++report.delivered;
    }
    log(copy);
  }
  for (std::size_t i = 0; i < txn_.recipients.size(); ++i) {
    finish(i);
    report.replies.push_back(reply_for(i));
  }
  return report;
}

}  // namespace

DeliveryReport deliver(const Backend& backend, std::uint64_t session, const meta::Identity& sender,
                       Transaction& transaction, Receiver& receiver) {
  return Delivery(backend, session, sender, transaction, receiver).run();
}

}  // namespace postern::lmtp
