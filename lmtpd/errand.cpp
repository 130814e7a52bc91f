#include "lmtpd/errand.h"

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "sieve/site/digest.h"
#include "sieve/site/webhook.h"

namespace postern::lmtp {
namespace {

// An MTA gives up after so long (RFC 5321 §4.5.4.1: at least 4 to 5 days).
constexpr std::chrono::seconds kNoteLife{5 * 86'400};

}  // namespace

std::string_view name_of(Errand::Kind kind) {
  switch (kind) {
    case Errand::Kind::redirect:
      return "redirect";
    case Errand::Kind::reject:
      return "reject";
    case Errand::Kind::vacation:
      return "vacation";
    case Errand::Kind::notify:
      return "notify";
    case Errand::Kind::webhook:
      return "webhook";
    case Errand::Kind::log:
      return "log";
  }
  return {};
}

meta::Mark ErrandRunner::note_of(const Recipient& recipient, const Errand& errand,
                                 std::string_view step) const {
  return {meta::MarkKind::submission, recipient.wanted.user.text(),
          site::digest_of({retry_key_, step, lmtp::name_of(errand.kind), errand.what})};
}

void ErrandRunner::log(const Recipient& recipient, const Errand& errand,
                       const Result<void>& sent) const {
  const auto kind = lmtp::name_of(errand.kind);
  const std::string& user = recipient.wanted.user.text();
  if (sent)
    LOG(notice, "sieve.send", {"conn", session_}, {"txn", txn_.id}, {"user", user},
        {"message_id", message_id_}, {"action", kind}, {"target", errand.target});
  else
    LOG(warning, "sieve.unsent", {"conn", session_}, {"txn", txn_.id}, {"user", user},
        {"message_id", message_id_}, {"action", kind}, {"target", errand.target},
        {"errc", postern::name_of(sent.error().code)}, {"error", sent.error().text});
}

Result<void> ErrandRunner::carry(const Recipient& recipient, const Errand& errand) const {
  if (errand.kind == Errand::Kind::webhook) return site::post_json(errand.target, errand.text);
  if (errand.kind != Errand::Kind::log) return back_.submitter.submit(errand.mail);
  LOG(notice, "sieve.note", {"conn", session_}, {"txn", txn_.id},
      {"user", recipient.wanted.user.text()}, {"message_id", message_id_}, {"text", errand.text});
  return {};
}

Result<void> ErrandRunner::send(const Recipient& recipient, Errand& errand) const {
  const auto note = note_of(recipient, errand, "send");
  errand.done = TRY(back_.meta.find_mark(note)).has_value();
  if (errand.done) return {};
  const auto sent = carry(recipient, errand);
  if (!sent || errand.kind != Errand::Kind::log) log(recipient, errand, sent);
  TRY(sent);
  errand.done = true;
  return back_.meta.set_mark(note, "", kNoteLife);
}

void ErrandRunner::file(const Recipient& recipient, const Errand& errand) const {
  const auto note = note_of(recipient, errand, "file");
  // If nobody can say, a second copy is better than none.
  if (const auto filed = back_.meta.find_mark(note); filed && *filed) return;
  store::Staged text = back_.store.stage();
  const std::vector<store::DeliveryTarget> target{{errand.filed->mailbox, errand.filed->flags}};
  Result<store::Appended> filed = fail(Errc::io, "not staged");
  if (text.add(errand.mail.message))
    filed = std::move(back_.store.deliver(text, wall_seconds(), target).front());
  if (!filed)
    LOG(warning, "message.fail", {"conn", session_}, {"txn", txn_.id},
        {"mailbox", errand.filed->mailbox.name.text()},
        {"errc", postern::name_of(filed.error().code)}, {"error", filed.error().text});
  else if (const auto marked = back_.meta.set_mark(note, "", kNoteLife); !marked)
    LOG(warning, "message.unmarked", {"conn", session_}, {"txn", txn_.id},
        {"error", marked.error().text});
}

}  // namespace postern::lmtp
