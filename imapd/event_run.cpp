#include "imapd/event_run.h"

#include <algorithm>

#include "imapd/event_scripts.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "sieve/mailto.h"
#include "sieve/site/named_flags.h"
#include "sieve/site/sieve_host.h"
#include "sieve/site/sieve_mail.h"
#include "sieve/site/sieve_mailboxes.h"
#include "sieve/site/webhook.h"

namespace postern::imap {
namespace {

constexpr std::int64_t kPatience = 15'000;  // ms; then the client hears that we live

/// Flags that only one of the two has.
store::Flags difference(const store::Flags& a, const store::Flags& b) {
  store::Flags out;
  out.system = (a.system ^ b.system) & store::flag::all;
  out.keywords = a.keywords ^ b.keywords;
  std::ranges::set_symmetric_difference(a.more, b.more, std::back_inserter(out.more));
  return out;
}

bool same_flags(std::vector<std::string> a, std::vector<std::string> b) {
  for (auto* flags : {&a, &b}) {
    for (auto& flag : *flags) flag = to_lower(flag);
    std::ranges::sort(*flags);
  }
  return a == b;
}

/// RFC 6785 §4.
class EventHost : public site::SieveHost {
 public:
  struct Facts {
    std::string user;
    std::string email;
    std::string mailbox;
    std::string from;  // where it was copied from
    Cause cause = Cause::append;
    std::string changed_flags;
  };
  EventHost(const Context& ctx, const site::SieveMailboxes& mailboxes, Facts facts)
      : SieveHost(ctx.back.meta, ctx.back.events.scripts(), ctx.back.events.lists(), mailboxes,
                  ctx.back.events.site()),
        facts_(std::move(facts)) {}

  std::optional<std::string> environment(std::string_view item) override {
    if (item == "location") return "MS";
    if (item == "phase") return "post";
    if (item == "imap.user") return facts_.user;
    if (item == "imap.email") return facts_.email;
    if (item == "imap.mailbox" || item == "vnd.dovecot.mailbox-to") return facts_.mailbox;
    if (item == "imap.cause") return std::string(imap::name_of(facts_.cause));
    if (item == "imap.changedflags") return facts_.changed_flags;
    if (item == "vnd.postern.mailbox-from" || item == "vnd.dovecot.mailbox-from")
      return facts_.from;
    return SieveHost::environment(item);
  }
  void set_changed_flags(std::string flags) { facts_.changed_flags = std::move(flags); }

 private:
  Facts facts_;
};

/// One event: its scripts, run on one message after the other.
class EventRun {
 public:
  EventRun(Context& ctx, const MailEvent& event)
      : ctx_(ctx),
        event_(event),
        owner_(event.mailbox.name.owner().empty() ? ctx.conn.who.user : event.mailbox.name.owner()),
        mailboxes_(ctx.back.store, ctx.back.meta, ctx.back.auth.identity_of(owner_),
                   ctx.back.options.prefixes, ctx.back.events.site().autocreate),
        host_(ctx, mailboxes_, facts_of(ctx, event)) {}

  Result<void> run();

 private:
  static EventHost::Facts facts_of(const Context& ctx, const MailEvent& event);
  [[nodiscard]] std::string owners_address() const {
    return ctx_.back.events.site().address_of(owner_);
  }
  Result<void> run_on(const site::SieveScripts::Chosen& script);
  Result<void> run_all(std::size_t index);
  void carry_out(const sieve::Outcome& outcome);
  void store_flags();
  void say(const Result<void>& done, std::string_view action, std::string_view target);
  void problem(std::string_view script, std::uint32_t line, std::string_view text) const;

  Result<void> file(const sieve::Target& target, std::string_view message, std::int64_t date,
                    std::int16_t zone);
  Result<void> perform(const sieve::FileInto& action);
  Result<void> perform(const sieve::Redirect& action);
  Result<void> perform(const sieve::Notify& action);
  Result<void> perform(const sieve::Pipe& action);

  Context& ctx_;
  const MailEvent& event_;
  meta::UserName owner_;
  site::SieveMailboxes mailboxes_;
  EventHost host_;
  std::vector<site::SieveScripts::Chosen> scripts_;
  std::shared_ptr<store::Mailbox> mailbox_;

  // Of the message and script that are at work.
  Uid uid_;
  std::string_view octets_;
  std::vector<std::string> before_;  // flags that it has
  std::vector<std::string> flags_;   // and is to have
  bool kept_ = true;
  std::string script_;
  std::string_view version_;  // the message as the action means it
};

EventHost::Facts EventRun::facts_of(const Context& ctx, const MailEvent& event) {
  const auto& prefixes = ctx.back.options.prefixes;
  EventHost::Facts facts;
  facts.user = ctx.conn.who.user.text();
  facts.email = ctx.back.events.site().address_of(ctx.conn.who.user);
  facts.mailbox = owners_name(event.mailbox.name, ctx.conn.who, prefixes);
  if (!event.from.empty()) facts.from = owners_name(event.from, ctx.conn.who, prefixes);
  facts.cause = event.cause;
  return facts;
}

void EventRun::problem(std::string_view script, std::uint32_t line, std::string_view text) const {
  LOG(warning, "sieve.error", {"conn", ctx_.facts.session_id}, {"user", owner_.text()},
      {"mailbox", event_.mailbox.name.text()}, {"uid", uid_},
      {"cause", imap::name_of(event_.cause)}, {"script", script}, {"line", line}, {"error", text});
}

void EventRun::say(const Result<void>& done, std::string_view action, std::string_view target) {
  if (!done) {
    problem(script_, 0, fmt::format("{} \"{}\": {}", action, target, done.error().text));
    return;
  }
  LOG(notice, "sieve.event", {"conn", ctx_.facts.session_id}, {"user", owner_.text()},
      {"mailbox", event_.mailbox.name.text()}, {"uid", uid_},
      {"cause", imap::name_of(event_.cause)}, {"script", script_}, {"action", action},
      {"target", target});
}

Result<void> EventRun::file(const sieve::Target& target, std::string_view message,
                            std::int64_t date, std::int16_t zone) {
  const auto place = TRY(mailboxes_.place(target));
  store::Staged text = ctx_.back.store.stage();
  TRY(text.add(message));
  std::vector<store::AppendItem> items{{&text, site::named_flags(target.flags), date, zone}};
  TRY(ctx_.back.store.append(place, items));
  return {};
}

// RFC 6785 §3.3: always a new message, and no event.
Result<void> EventRun::perform(const sieve::FileInto& action) {
  const auto record = mailbox_->find(uid_);
  if (!record) return fail(Errc::expunged, "uid {}", uid_);
  return file(action.target, version_, mailbox_->internal_date(*record),
              mailbox_->internal_zone(*record));
}

// RFC 6785 §3.4: from the owner of the mailbox.
Result<void> EventRun::perform(const sieve::Redirect& action) {
  const std::string owner = owners_address();
  return ctx_.back.events.submitter().submit(
      {owner, {action.address}, site::redirected_mail(version_, owner)});
}

// RFC 6785 §3.6: sent, and the message handled as without it. A copy for :fcc (RFC 8580 §3) is made
// once the mail has gone.
Result<void> EventRun::perform(const sieve::Notify& action) {
  const std::string owner = owners_address();
  const auto mailto = sieve::parse_mailto(action.method);
  if (!mailto) {
    if (!site::webhook_allowed(ctx_.back.events.site().webhooks, action.method))
      return fail(Errc::not_supported, "can't be reached from this server");
    return site::post_json(action.method, site::webhook_json(action, {owner_.text(), owner, ""}));
  }
  site::Submission mail{owner, mailto->to, {}};
  mail.recipients.insert(mail.recipients.end(), mailto->cc.begin(), mailto->cc.end());
  const site::MailFacts facts{owner, ctx_.back.options.hostname, wall_seconds()};
  mail.message = site::notification_mail(action, *mailto, facts);
  TRY(ctx_.back.events.submitter().submit(mail));
  if (!action.fcc) return {};
  if (const auto filed = file(*action.fcc, mail.message, facts.now, 0); !filed)
    problem(script_, 0, fmt::format(":fcc \"{}\": {}", action.fcc->mailbox, filed.error().text));
  return {};
}

Result<void> EventRun::perform(const sieve::Pipe& action) {
  return ctx_.back.events.programs().run(
      action, version_, {owner_.text(), "", owners_address(), ctx_.back.options.hostname});
}

// What was to take the message away and failed leaves it as it is.
void EventRun::carry_out(const sieve::Outcome& outcome) {
  for (const auto& note : outcome.notes)
    LOG(notice, "sieve.note", {"conn", ctx_.facts.session_id}, {"user", owner_.text()},
        {"script", script_}, {"text", note});
  bool kept = false, failed = false;
  for (const sieve::Step& step : outcome.actions) {
    version_ = step.version == 0 ? octets_ : std::string_view(outcome.versions[step.version]);
    Result<void> done;
    if (const auto* keep = std::get_if<sieve::Keep>(&step.action)) {
      kept = true;
      flags_ = keep->flags;
    } else if (const auto* file = std::get_if<sieve::FileInto>(&step.action)) {
      say(done = perform(*file), "fileinto", file->target.mailbox);
      kept = kept || file->copy;
    } else if (const auto* redirect = std::get_if<sieve::Redirect>(&step.action)) {
      say(done = perform(*redirect), "redirect", redirect->address);
      kept = kept || redirect->copy;
    } else if (const auto* pipe = std::get_if<sieve::Pipe>(&step.action)) {
      say(done = perform(*pipe), "pipe", pipe->program);
    } else if (const auto* notify = std::get_if<sieve::Notify>(&step.action)) {
      if (istarts_with(notify->method, "log:"))
        say({}, "notify", notify->message);
      else
        say(perform(*notify), "notify", notify->method);
    } else if (const auto* line = std::get_if<sieve::LogLine>(&step.action)) {
      say({}, "log", line->text);
    }
    failed = failed || !done;
  }
  kept_ = kept || failed;
  if (!failed)
    for (const auto& mark : outcome.marks)
      static_cast<void>(
          ctx_.back.meta.set_mark(site::duplicate_mark(owner_, mark.handle, mark.unique_id), "",
                                  std::chrono::seconds(mark.seconds)));
}

Result<void> EventRun::run_on(const site::SieveScripts::Chosen& chosen) {
  script_ = chosen.name;
  sieve::MessageView view{octets_, {}, flags_};
  view.envelope.to = owners_address();  // for redirect's look at loops alone
  const auto outcome = sieve::run(*chosen.script, view, host_, chosen.script->environment.limits);
  if (outcome.error) {
    problem(outcome.error->script.empty() ? script_ : outcome.error->script, outcome.error->line,
            outcome.error->text);
    return fail(Errc::bad_syntax, "{}", outcome.error->text);
  }
  carry_out(outcome);
  return {};
}

// RFC 6785 §3.8, §2.2.4: neither is an event again.
void EventRun::store_flags() {
  if (!kept_) flags_.emplace_back("\\Deleted");
  if (same_flags(before_, flags_)) return;
  const auto record = mailbox_->find(uid_);
  if (!record) return;
  const store::FlagChange change{store::FlagOp::replace, site::named_flags(flags_), {}};
  const std::vector<store::RecNo> records{*record};
  auto stored = mailbox_->store_flags(records, change);
  script_ = kept_ ? "keep" : "discard";
  if (!stored) problem(script_, 0, stored.error().text);
}

Result<void> EventRun::run_all(std::size_t index) {
  uid_ = event_.uids[index];
  const auto record = mailbox_->find(uid_);
  if (!record) return {};  // another session has expunged it
  const auto message = TRY(mailbox_->message(*record));
  octets_ = message.bytes();
  host_.set_message(octets_);
  flags_ = before_ = site::flag_names(mailbox_->flags(*record), mailbox_->keywords());
  kept_ = true;
  if (event_.cause == Cause::flag) host_.set_changed_flags(event_.changed[index]);
  // As if they were one script after the other: one that doesn't keep is the last.
  for (const auto& script : scripts_)
    if (!run_on(script) || !kept_) break;
  store_flags();
  return {};
}

Result<void> EventRun::run() {
  auto wanted = ctx_.back.events.scripts_for(event_, ctx_.conn.who);
  for (const auto& text : wanted.problems) problem("", 0, text);
  scripts_ = std::move(wanted.scripts);
  if (scripts_.empty()) return {};
  mailbox_ = TRY(ctx_.back.store.open_mailbox(event_.mailbox));
  static_cast<void>(mailbox_->snapshot());  // what has just come is to be seen
  std::int64_t spoken = steady_millis();
  for (std::size_t i = 0; i < event_.uids.size(); ++i) {
    if (const auto ran = run_all(i); !ran) problem("", 0, ran.error().text);
    if (steady_millis() - spoken < kPatience) continue;
    ctx_.out.untagged("OK Filtering, ", std::uint64_t{i + 1}, " of ",
                      std::uint64_t{event_.uids.size()});
    static_cast<void>(ctx_.out.stream().flush());
    spoken = steady_millis();
  }
  return {};
}

}  // namespace

void note_arrival(Context& ctx, Cause cause, const meta::MailboxEntry& mailbox,
                  const meta::MailboxName& from, std::vector<Uid> uids) {
  if (uids.empty() || !ctx.back.events.listens(cause, mailbox, from, ctx.conn.who)) return;
  ctx.events.push_back({cause, mailbox, from, std::move(uids), {}});
}

FlagWatch::FlagWatch(Context& ctx, std::span<const store::RecNo> records)
    : ctx_(ctx), listens_(ctx.back.events.listens(Cause::flag, ctx.selected->entry, ctx.conn.who)) {
  if (!listens_) return;
  const store::Mailbox& mailbox = *ctx.selected->mailbox;
  for (const auto record : records) before_.push_back({mailbox.uid(record), mailbox.flags(record)});
}

void FlagWatch::note() {
  if (!listens_) return;
  const store::Mailbox& mailbox = *ctx_.selected->mailbox;
  MailEvent event;
  event.cause = Cause::flag;
  event.mailbox = ctx_.selected->entry;
  for (const Before& before : before_) {
    const auto record = mailbox.find(before.uid);
    if (!record) continue;
    const auto names =
        site::flag_names(difference(before.flags, mailbox.flags(*record)), mailbox.keywords());
    if (names.empty()) continue;
    event.uids.push_back(before.uid);
    event.changed.push_back(fmt::format("{}", fmt::join(names, " ")));
  }
  if (!event.uids.empty()) ctx_.events.push_back(std::move(event));
}

void run_events(Context& ctx) {
  for (const MailEvent& event : std::exchange(ctx.events, {}))
    if (const auto ran = EventRun(ctx, event).run(); !ran)
      LOG(warning, "sieve.error", {"conn", ctx.facts.session_id},
          {"mailbox", event.mailbox.name.text()}, {"error", ran.error().text});
}

}  // namespace postern::imap
