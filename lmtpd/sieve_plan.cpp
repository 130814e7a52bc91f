#include "lmtpd/sieve_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "sieve/sieve.h"
#include "sieve/site/named_flags.h"
#include "sieve/site/sieve_host.h"
#include "sieve/site/sieve_mail.h"
#include "sieve/site/sieve_mailboxes.h"

namespace postern::lmtp {
namespace {

constexpr std::size_t kMostReplyLines = 20;
constexpr std::size_t kMostReplyLine = 400;  // RFC 5321 §4.5.3.1.5: 512 with code and line end

sieve::EnvelopeView envelope_of(const PlanInput& input) {
  const Sender& sender = input.transaction.sender;
  sieve::EnvelopeView out;
  out.from = sender.address ? sender.address->text() : std::string();
  out.to = input.recipient.address.text();
  out.notify = input.recipient.notify;
  out.orcpt = input.recipient.original_recipient;
  out.ret = sender.headers_only ? "HDRS" : "";
  out.envid = sender.envelope_id;
  return out;
}

/// Reasons of scripts as text of a reply: lines of printable ASCII (RFC 5321 §4.2), or of UTF-8.
std::string reply_text(std::string_view reason) {
  std::string out;
  std::size_t lines = 0;
  for (auto line : split(reason, '\n')) {
    if (++lines > kMostReplyLines) break;
    std::string clean(line.substr(0, kMostReplyLine));
    while (!clean.empty() && !is_utf8(clean)) clean.pop_back();
    std::erase_if(clean, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
    if (!out.empty() || lines > 1) out += '\n';
    out += clean;
  }
  while (out.ends_with('\n')) out.pop_back();
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
                   backend.site.prefixes, backend.site.autocreate) {
    plan_.keep.mailbox = input.recipient.mailbox;
    facts_.hostname = backend.options.hostname;
    facts_.now = wall_seconds();
    facts_.user_address = input.recipient.address.text();
    if (input.recipient.address.domain.empty()) facts_.user_address += '@' + domain();
  }

  Result<Plan> run();

  void operator()(const sieve::Keep& action) { copy(plan_.keep.mailbox, action.flags); }
  void operator()(const sieve::FileInto& action);
  void operator()(const sieve::Discard&) { plan_.discarded = true; }
  void operator()(const sieve::Redirect& action);
  void operator()(const sieve::Reject& action);
  void operator()(const sieve::Vacation& action);
  void operator()(const sieve::Notify& action);
  void operator()(const sieve::Pipe&) { unsupported_ = "pipe"; }
  void operator()(const sieve::Snooze&) { unsupported_ = "snooze"; }
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
  [[nodiscard]] std::string domain() const {
    return back_.options.addresses.default_domain.empty() ? back_.options.hostname
                                                          : back_.options.addresses.default_domain;
  }
  [[nodiscard]] std::string_view message() const {
    return step_->version == 0 ? in_.octets : std::string_view(plan_.versions[step_->version]);
  }

  const Backend& back_;
  const PlanInput& in_;
  const meta::UserName& user_;
  site::SieveMailboxes mailboxes_;
  site::MailFacts facts_;
  std::string script_name_;
  Plan plan_;
  const sieve::Step* step_ = nullptr;  // the one that is being planned
  std::string_view unsupported_;       // an action that this server doesn't have
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

void Planner::operator()(const sieve::Redirect& action) {
  Errand errand;
  errand.kind = Errand::Kind::redirect;
  if (in_.transaction.sender.address) errand.mail.sender = in_.transaction.sender.address->text();
  errand.mail.recipients = {action.address};
  errand.mail.message = site::redirected_mail(message(), in_.recipient.address.text());
  plan_.errands.push_back(std::move(errand));
}

/// LMTP answers each recipient, so the refusal is a reply (RFC 5429 §2.1.1). A reason that a reply
/// can't carry goes by mail if it must be kept as it is, that is for reject (RFC 5429 §2.2).
void Planner::operator()(const sieve::Reject& action) {
  const bool speakable = is_ascii(action.reason) || in_.transaction.sender.smtputf8;
  const auto& sender = in_.transaction.sender.address;
  if (!speakable && !action.extended && sender && back_.submitter.configured()) {
    Errand errand;
    errand.kind = Errand::Kind::reject;
    errand.mail.recipients = {sender->text()};
    errand.mail.message = site::refusal_mail(action.reason, sender->text(), message(), facts_);
    plan_.errands.push_back(std::move(errand));
    return;
  }
  std::string text = speakable ? reply_text(action.reason) : std::string();
  if (text.empty()) text = "The message was refused by the recipient's mail filter";
  plan_.refusal = Reply{550, "5.7.1", std::move(text)};
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
  Errand errand;
  errand.kind = Errand::Kind::vacation;
  errand.mail.recipients = {action.to};  // from the null reverse-path (RFC 3834 §3.3)
  errand.mail.message = site::vacation_mail(action, facts_);
  errand.mark = PlannedMark{site::vacation_mark(user_, action.handle, action.to),
                            std::to_string(facts_.now), std::chrono::seconds(action.seconds)};
  file(errand, action.fcc);
  plan_.errands.push_back(std::move(errand));
}

void Planner::operator()(const sieve::Notify& action) {
  if (istarts_with(action.method, "log:")) return log_line(action.message);
  if (!istarts_with(action.method, "mailto:"))
    return log_error(
        {fmt::format("notify: \"{}\" can't be reached from this server", action.method),
         {},
         step_->line});
  const site::Mailto mailto = site::parse_mailto(action.method);
  Errand errand;
  errand.kind = Errand::Kind::notify;
  // RFC 5436 §2.3: empty where the sender's was, so that nothing loops
  if (in_.transaction.sender.address) errand.mail.sender = facts_.user_address;
  errand.mail.recipients = mailto.to;
  errand.mail.message = site::notification_mail(action, mailto, facts_);
  file(errand, action.fcc);
  plan_.errands.push_back(std::move(errand));
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
    if (unsupported_.empty()) continue;
    log_error({fmt::format("{} is not available at delivery", unsupported_), {}, step.line});
    plan_ = kept();
    return;
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
  }
  return {};
}

Result<Plan> make_plan(const Backend& backend, const PlanInput& input) {
  if (!input.recipient.wanted.user.empty()) return Planner(backend, input).run();
  Plan shared;  // a shared mailbox has no script
  shared.keep.mailbox = input.recipient.mailbox;
  shared.copies.push_back(shared.keep);
  return shared;
}

}  // namespace postern::lmtp
