#include "lmtpd/sieve_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lmtpd/errand_maker.h"
#include "sieve/sieve.h"
#include "sieve/site/named_flags.h"
#include "sieve/site/sieve_host.h"
#include "sieve/site/sieve_mailboxes.h"

namespace postern::lmtp {
namespace {

sieve::EnvelopeView envelope_of(const PlanInput& input) {
  const Sender& sender = input.transaction.sender;
  sieve::EnvelopeView out;
  out.from = sender.address ? sender.address->text() : std::string();
  out.to = input.recipient.address.text();
  out.notify = input.recipient.notify;
  out.orcpt = input.recipient.original_recipient;
  out.ret = sender.ret;
  out.auth = sender.auth;
  out.envid = sender.envelope_id;
  return out;
}

/// Turns the actions of one run into a plan.
class Planner {
 public:
  Planner(const Backend& backend, const PlanInput& input)
      : back_(backend),
        in_(input),
        user_(input.recipient.wanted.user),
        mailboxes_(backend.store, backend.meta, backend.auth.identity_of(user_),
                   backend.site.prefixes, backend.site.autocreate),
        errands_(input.transaction.sender, input.recipient, backend.site) {
    plan_.keep.mailbox = input.recipient.mailbox;
  }

  Result<Plan> run();

  void operator()(const sieve::Keep& action) { copy(plan_.keep.mailbox, action.flags); }
  void operator()(const sieve::FileInto& action);
  void operator()(const sieve::Discard&) { plan_.discarded = true; }
  void operator()(const sieve::Redirect& action);
  void operator()(const sieve::Reject& action);
  void operator()(const sieve::Vacation& action);
  void operator()(const sieve::Notify& action);
  void operator()(const sieve::Pipe& action) { plan_.pipes.push_back({action, step_->version}); }
  void operator()(const sieve::Snooze& action);
  void operator()(const sieve::LogLine& action) { log_line(action.text); }
  // These are in the versions already.
  void operator()(const sieve::AddHeader&) {}
  void operator()(const sieve::DeleteHeader&) {}
  void operator()(const sieve::Replace&) {}
  void operator()(const sieve::Enclose&) {}

 private:
  void carry_over(sieve::Outcome outcome);
  Plan kept();
  void copy(const meta::MailboxEntry& mailbox, const std::vector<std::string>& flags);
  void file(Errand& errand, const std::optional<sieve::Target>& target);
  void log_error(const sieve::RunError& error) const;
  void log_line(std::string_view text) const;
  [[nodiscard]] std::string_view message() const {
    return step_->version == 0 ? in_.octets : std::string_view(plan_.versions[step_->version]);
  }

  const Backend& back_;
  const PlanInput& in_;
  const meta::UserName& user_;
  site::SieveMailboxes mailboxes_;
  ErrandMaker errands_;
  std::string script_name_;
  Plan plan_;
  const sieve::Step* step_ = nullptr;  // the one that is being planned
};

void Planner::log_error(const sieve::RunError& error) const {
  LOG(warning, "sieve.error", {"conn", in_.session}, {"txn", in_.transaction.id},
      {"user", user_.text()}, {"recipient", in_.recipient.address.raw},
      {"script", error.script.empty() ? script_name_ : error.script}, {"line", error.line},
      {"error", error.text});
}

void Planner::log_line(std::string_view text) const {
  LOG(notice, "sieve.note", {"conn", in_.session}, {"txn", in_.transaction.id},
      {"user", user_.text()}, {"script", script_name_}, {"text", text});
}

void Planner::copy(const meta::MailboxEntry& mailbox, const std::vector<std::string>& flags) {
  PlannedCopy out{mailbox, site::named_flags(flags), step_->version};
  // Two names of one mailbox: one copy, and the last flags win (RFC 5232 §3).
  for (auto& other : plan_.copies)
    if (other.mailbox.id == mailbox.id) {
      other.flags = std::move(out.flags);
      return;
    }
  plan_.copies.push_back(std::move(out));
}

/// A mailbox that can't be delivered into: the copy goes where the mail would be kept.
void Planner::operator()(const sieve::FileInto& action) {
  auto place = mailboxes_.place(action.target);
  if (!place)
    log_error({fmt::format("fileinto \"{}\": {}; kept instead", action.target.mailbox,
                           place.error().text),
               {},
               step_->line});
  copy(place ? *place : plan_.keep.mailbox, action.target.flags);
}

/// The user's mailbox for messages that sleep has the special use \Snoozed.
void Planner::operator()(const sieve::Snooze& action) {
  const auto place = mailboxes_.place({"Snoozed", true, {}, "\\Snoozed", {}});
  if (!place) {
    log_error({fmt::format("snooze: {}; kept instead", place.error().text), {}, step_->line});
    return copy(plan_.keep.mailbox, action.flags);
  }
  copy(*place, action.flags);
  meta::Snoozed snoozed;
  snoozed.until = action.until;
  snoozed.mailbox = place->id;
  snoozed.since = errands_.facts().now;
  snoozed.user = user_;
  snoozed.target = action.target.mailbox;
  snoozed.create = action.target.create;
  snoozed.mailbox_id = action.target.mailbox_id;
  snoozed.special_use = action.target.special_use;
  snoozed.add_flags = action.add_flags;
  snoozed.remove_flags = action.remove_flags;
  for (auto& one : plan_.copies)
    if (one.mailbox.id == place->id) one.snoozed = snoozed;
}

void Planner::operator()(const sieve::Redirect& action) {
  plan_.errands.push_back(errands_.redirect(action, message()));
}

/// LMTP answers each recipient, so the refusal is a reply (RFC 5429 §2.1.1). A reason that a reply
/// can't carry goes by mail if it must be kept as it is, that is for reject (RFC 5429 §2.2).
void Planner::operator()(const sieve::Reject& action) {
  const bool speakable = is_ascii(action.reason) || in_.transaction.sender.smtputf8;
  const auto& sender = in_.transaction.sender.address;
  if (!speakable && !action.extended && sender && back_.submitter.configured())
    plan_.errands.push_back(errands_.reject(action, message()));
  else
    plan_.refusal = refusal_reply(speakable ? action.reason : "");
}

/// RFC 8580 §3: a copy of what was sent; one that can't be filed is left out.
void Planner::file(Errand& errand, const std::optional<sieve::Target>& target) {
  if (!target) return;
  auto place = mailboxes_.place(*target);
  if (place)
    errand.filed = Errand::Filed{std::move(*place), site::named_flags(target->flags)};
  else
    log_error(
        {fmt::format(":fcc \"{}\": {}", target->mailbox, place.error().text), {}, step_->line});
}

void Planner::operator()(const sieve::Vacation& action) {
  Errand errand = errands_.vacation(action);
  errand.mark =
      PlannedMark{site::vacation_mark(user_, action.handle, action.to),
                  std::to_string(errands_.facts().now), std::chrono::seconds(action.seconds)};
  file(errand, action.fcc);
  plan_.errands.push_back(std::move(errand));
}

void Planner::operator()(const sieve::Notify& action) {
  auto errand = errands_.notify(action, back_.site.webhooks);
  if (!errand) return log_error({errand.error().text, {}, step_->line});
  if (errand->kind == Errand::Kind::notify) file(*errand, action.fcc);
  plan_.errands.push_back(std::move(*errand));
}

Plan Planner::kept() {
  Plan out;
  out.keep = plan_.keep;
  out.copies.push_back(plan_.keep);
  return out;
}

void Planner::carry_over(sieve::Outcome outcome) {
  for (const auto& note : outcome.notes) log_line(note);
  plan_.versions = std::move(outcome.versions);
  for (const auto& step : outcome.actions) {
    step_ = &step;
    std::visit(*this, step.action);
  }
  for (const auto& mark : outcome.marks)
    plan_.marks.push_back({site::duplicate_mark(user_, mark.handle, mark.unique_id), "",
                           std::chrono::seconds(mark.seconds)});
}

Result<Plan> Planner::run() {
  auto chosen = back_.scripts.script_of(back_.meta, user_);
  if (!chosen) {
    if (chosen.error().code == Errc::unavailable) return Error(chosen.error());
    log_error({chosen.error().text, {}, 0});
    return kept();
  }
  script_name_ = chosen->name;
  if (chosen->error) log_error(*chosen->error);
  if (!chosen->script) return kept();
  site::SieveHost host(back_.meta, back_.scripts, back_.lists, mailboxes_, back_.site);
  host.set_message(in_.octets);
  auto outcome = sieve::run(*chosen->script, {in_.octets, envelope_of(in_)}, host,
                            chosen->script->environment.limits);
  if (outcome.error) {
    log_error(*outcome.error);
    return kept();
  }
  carry_over(std::move(outcome));
  return std::move(plan_);
}

}  // namespace

void Plan::keep_too() {
  const auto is_keep = [&](const PlannedCopy& copy) { return copy.mailbox.id == keep.mailbox.id; };
  if (std::ranges::none_of(copies, is_keep)) copies.push_back(keep);
}

Result<Plan> make_plan(const Backend& backend, const PlanInput& input) {
  if (!input.recipient.wanted.user.empty()) return Planner(backend, input).run();
  Plan shared;  // a shared mailbox has no script
  shared.keep.mailbox = input.recipient.mailbox;
  shared.copies.push_back(shared.keep);
  return shared;
}

}  // namespace postern::lmtp
