#include "imapd/event_scripts.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/log/log.h"

namespace postern::imap {
namespace {

constexpr std::string_view kEntry = "/shared/imapsieve/script";
constexpr std::size_t kMostKnown = 10'000;

constexpr std::uint32_t bit(Cause cause) { return 1U << static_cast<unsigned>(cause); }

// RFC 6785 §3.11, §4.6: what answers a delivery, and the envelope, are errors here; snooze puts off
// a delivery.
sieve::Environment environment_of_events() {
  sieve::Environment out;
  using sieve::Cap;
  for (const Cap cap : {Cap::envelope, Cap::envelope_deliverby, Cap::envelope_dsn, Cap::ereject,
                        Cap::reject, Cap::snooze, Cap::vacation, Cap::vacation_seconds})
    out.disabled.add(cap);
  return out;
}

meta::Identity owner_of(const meta::MailboxName& mailbox, const meta::Identity& who) {
  const meta::UserName owner = mailbox.owner();
  return {.user = owner.empty() ? who.user : owner, .groups = {}};
}

}  // namespace

std::string_view name_of(Cause cause) {
  switch (cause) {
    case Cause::append:
      return "APPEND";
    case Cause::copy:
      return "COPY";
    case Cause::flag:
      return "FLAG";
  }
  return {};
}

std::string owners_name(const meta::MailboxName& mailbox, const meta::Identity& who,
                        const meta::NamespacePrefixes& prefixes) {
  return meta::Namespace(owner_of(mailbox, who), prefixes).to_client(mailbox);
}

EventScripts::EventScripts(const config::Config& config, site::Settings settings,
                           sieve::Environment environment)
    : site_(std::move(settings)),
      scripts_(config, std::move(environment)),
      lists_(config, site_),
      programs_(site::Programs::from(config)) {}

Result<std::unique_ptr<EventScripts>> EventScripts::create(const config::Config& config,
                                                           const std::string& hostname) {
  std::unique_ptr<EventScripts> out(
      new EventScripts(config, TRY(site::Settings::from(config)), environment_of_events()));
  out->submitter_ = TRY(site::make_submitter(config.text("sieve.submission"), hostname));
  for (const std::string& name : config.names_under("imapsieve")) TRY(out->read_rule(config, name));
  return out;
}

Result<void> EventScripts::read_rule(const config::Config& config, const std::string& name) {
  const std::string prefix = "imapsieve." + name;
  const std::string from = config.text(prefix + ".from");
  Rule rule{Place(config.text(prefix + ".mailbox")), Place(from)};
  rule.any_source = from == "*";
  for (const std::string& word : config.list(prefix + ".causes")) {
    std::uint32_t known = 0;
    for (const Cause cause : {Cause::append, Cause::copy, Cause::flag})
      if (iequals(word, name_of(cause))) known = bit(cause);
    if (known == 0)
      return fail(Errc::bad_syntax, "{}.causes: \"{}\" is not APPEND, COPY or FLAG", prefix, word);
    rule.causes |= known;
  }
  rule.before = config.text(prefix + ".before");
  rule.after = config.text(prefix + ".after");
  rules_.push_back(std::move(rule));
  return {};
}

void EventScripts::start(meta::Meta& meta, ChangeBoard& board) {
  meta_ = &meta;
  board_ = &board;
  known_.clear();
}

bool EventScripts::Place::fits(const meta::MailboxName& name, std::string_view client_name,
                               std::string_view special_uses) const {
  if (name.empty()) return false;
  if (!special_use.starts_with('\\')) return pattern.matches(client_name);
  const auto uses = split(special_uses, ' ');
  return std::ranges::any_of(uses, [&](std::string_view use) { return iequals(use, special_use); });
}

bool EventScripts::applies(const Rule& rule, Cause cause, const meta::MailboxEntry& mailbox,
                           const meta::MailboxName& from, const meta::Identity& who) const {
  if ((rule.causes & bit(cause)) == 0) return false;
  if (!rule.mailbox.fits(mailbox.name, owners_name(mailbox.name, who, site_.prefixes),
                         mailbox.special_use))
    return false;
  if (rule.any_source) return true;
  std::string uses;
  if (rule.from.special_use.starts_with('\\') && !from.empty())
    if (const auto entry = meta_->lookup(from)) uses = entry->special_use;
  return rule.from.fits(from, owners_name(from, who, site_.prefixes), uses);
}

Result<std::optional<std::string>> EventScripts::annotation_of(const meta::MailboxName& mailbox) {
  for (auto& one : TRY(meta_->annotations(mailbox, {})))
    if (one.entry == kEntry) return std::optional(std::move(one.value));
  return std::optional<std::string>();
}

// RFC 6785 §2.3.1: the mailbox's entry, be it empty, before the server's.
const std::string& EventScripts::annotated(const meta::MailboxEntry& mailbox) {
  const std::uint64_t now = board_->value(ChangeBoard::annotations_slot());
  if (now != known_at_ || known_.size() > kMostKnown) known_.clear();
  known_at_ = now;
  const auto [at, fresh] = known_.try_emplace(mailbox.id);
  if (!fresh) return at->second;
  auto found = annotation_of(mailbox.name);
  if (found && !*found) found = annotation_of({});
  if (found && *found) at->second = std::move(**found);
  if (found) return at->second;
  LOG(warning, "sieve.unknown", {"mailbox", mailbox.name.text()}, {"error", found.error().text});
  static const std::string kNone;
  known_.erase(at);
  return kNone;
}

bool EventScripts::listens(Cause cause, const meta::MailboxEntry& mailbox,
                           const meta::MailboxName& from, const meta::Identity& who) {
  return !annotated(mailbox).empty() || std::ranges::any_of(rules_, [&](const Rule& rule) {
    return applies(rule, cause, mailbox, from, who);
  });
}

EventScripts::Wanted EventScripts::scripts_for(const MailEvent& event, const meta::Identity& who) {
  Wanted out;
  const auto add = [&out](const std::string& name, Result<site::SieveScripts::Chosen> chosen) {
    if (!chosen)
      out.problems.push_back(chosen.error().text);
    else if (chosen->error)
      out.problems.push_back(
          fmt::format("{}:{}: {}", name, chosen->error->line, chosen->error->text));
    else
      out.scripts.push_back(std::move(*chosen));
  };
  std::vector<const Rule*> rules;
  for (const Rule& rule : rules_)
    if (applies(rule, event.cause, event.mailbox, event.from, who)) rules.push_back(&rule);
  for (const Rule* rule : rules)
    if (!rule->before.empty()) add(rule->before, scripts_.script_at(rule->before));
  if (const std::string name = annotated(event.mailbox); !name.empty())
    add(name, scripts_.script_named(*meta_, owner_of(event.mailbox.name, who).user, name));
  for (const Rule* rule : rules)
    if (!rule->after.empty()) add(rule->after, scripts_.script_at(rule->after));
  return out;
}

}  // namespace postern::imap
