// vacation (RFC 5230) with :seconds (RFC 6131) and :fcc (RFC 8580). Gives a reply only where a
// person wrote to this person (RFC 3834 §2).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/mime/header.h"
#include "sieve/flag_list.h"
#include "sieve/functions.h"
#include "sieve/mail_address.h"

namespace postern::sieve {
namespace {

constexpr std::array<std::string_view, 7> kListFields{
    "List-Id",   "List-Help",  "List-Subscribe", "List-Unsubscribe",
    "List-Post", "List-Owner", "List-Archive"};
constexpr std::array<std::string_view, 6> kRecipientFields{"To",        "Cc",        "Bcc",
                                                           "Resent-To", "Resent-Cc", "Resent-Bcc"};

const Field* find_field(Run& run, std::string_view name) {
  const auto& fields = run.message().fields();
  const auto at =
      std::ranges::find_if(fields, [&](const Field& f) { return iequals(f.name(), name); });
  return at == fields.end() ? nullptr : &*at;
}

// RFC 5230 §4.6: addresses behind which no person reads.
bool is_robot(std::string_view address) {
  const auto local = to_lower(address.substr(0, address.rfind('@')));
  const std::string_view name = local;
  return name == "mailer-daemon" || name == "listserv" || name == "majordomo" ||
         name == "noreply" || name == "no-reply" || name.starts_with("owner-") ||
         name.ends_with("-request") || name.ends_with("-owner") || name.ends_with("-bounces");
}

// Why this message gets no reply by its header alone; empty: nothing speaks against one.
std::string_view automatic(Run& run) {
  if (const Field* field = find_field(run, "Auto-Submitted"))
    if (!iequals(trim(field->text().substr(0, field->text().find(';'))), "no"))
      return "the message is automatic (Auto-Submitted)";
  for (const auto name : kListFields)
    if (find_field(run, name) != nullptr) return "the message is from a mailing list";
  if (const Field* field = find_field(run, "Precedence"))
    for (const std::string_view bulk : {"bulk", "list", "junk"})
      if (iequals(field->text(), bulk)) return "the message is bulk mail (Precedence)";
  if (const Field* field = find_field(run, "X-Auto-Response-Suppress"))
    for (const auto word : split(field->text(), ','))
      if (iequals(trim(word), "All") || iequals(trim(word), "OOF"))
        return "the sender wants no automatic replies";
  return {};
}

std::string without_detail(Run& run, std::string_view address) {
  const auto at = address.rfind('@');
  const auto local = address.substr(0, at);
  const auto cut = local.find_first_of(run.host().detail_separators());
  if (cut == std::string_view::npos || at == std::string_view::npos) return std::string(address);
  return std::string(local.substr(0, cut)).append(address.substr(at));
}

// The addresses that are this user's (RFC 5230 §4.5).
std::vector<std::string> own_addresses(Run& run, const Code& code) {
  std::vector<std::string> own = run.host().own_addresses();
  if (run.envelope().to) {
    own.push_back(*run.envelope().to);
    own.push_back(without_detail(run, *run.envelope().to));
  }
  if (const Value* more = code.find(Tag::addresses))
    for (const auto address : run.strings(*more)) own.emplace_back(address);
  return own;
}

bool contains_address(const std::vector<std::string>& own, std::string_view address) {
  return std::ranges::any_of(own,
                             [&](const std::string& one) { return same_address(one, address); });
}

// Which of the user's addresses the message is written to; empty: none.
std::string addressed_as(Run& run, const std::vector<std::string>& own) {
  for (const auto& field : run.message().fields()) {
    const auto named = [&](std::string_view name) { return iequals(field.name(), name); };
    if (std::ranges::none_of(kRecipientFields, named)) continue;
    for (const auto& address : field.addresses())
      if (contains_address(own, address.addr_spec())) return address.addr_spec();
  }
  return {};
}

// What names this response for tracking: :handle, else the arguments as they stand in the script,
// before variables are expanded, counted so that they can't run into each other (RFC 5230 §4.2).
std::string handle_of(Run& run, const Code& code) {
  if (code.has(Tag::handle)) return "handle:" + run.tag_string(code, Tag::handle);
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  const auto mix = [&](std::string_view text) {
    for (const char c : fmt::format("{}:{};", text.size(), text))
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  };
  for (const Tag tag : {Tag::subject, Tag::from}) {
    const Value* value = code.find(tag);
    mix(value == nullptr ? std::string_view() : std::string_view(value->strings.front().text));
  }
  mix(code.has(Tag::mime) ? "mime" : "");
  mix(code.args.front().strings.front().text);
  return fmt::format("args:{:016x}", hash);
}

std::int64_t period_of(Run& run, const Code& code) {
  const Limits& limits = run.limits();
  const auto most = limits.vacation_days_max * 86'400;
  if (const Value* seconds = code.find(Tag::seconds)) {
    const auto wanted = std::min(seconds->number, static_cast<std::uint64_t>(most));
    return std::max(static_cast<std::int64_t>(wanted), limits.vacation_seconds_min);
  }
  std::int64_t days = limits.vacation_days_default;
  if (const Value* value = code.find(Tag::days))
    days = static_cast<std::int64_t>(
        std::min(value->number, static_cast<std::uint64_t>(limits.vacation_days_max)));
  return std::clamp(days, limits.vacation_days_min, limits.vacation_days_max) * 86'400;
}

// RFC 5230 §5.8, RFC 5322 §3.6.4.
void set_threading(Run& run, Vacation& action) {
  const Field* id = find_field(run, "Message-ID");
  const auto ids = id == nullptr ? std::vector<std::string>() : mime::message_ids(id->value());
  if (ids.empty()) return;
  action.in_reply_to = ids.front();
  const Field* earlier = find_field(run, "References");
  if (earlier == nullptr) earlier = find_field(run, "In-Reply-To");
  if (earlier != nullptr)
    for (const auto& one : mime::message_ids(earlier->value()))
      action.references.append(one).append(" ");
  action.references += action.in_reply_to;
}

std::string subject_of(Run& run, const Code& code) {
  if (code.has(Tag::subject)) return run.tag_string(code, Tag::subject);
  const Field* subject = find_field(run, "Subject");
  return subject == nullptr ? "Automated reply" : "Auto: " + subject->text();
}

// Why there is no reply; empty: there is one, and `from` is the address that was written to.
Result<std::string> refusal(Run& run, const Code& code, std::string& from) {
  const EnvelopeView& envelope = run.envelope();
  if (!envelope.from || envelope.from->empty()) return std::string("the sender is the null path");
  const auto own = own_addresses(run, code);
  if (contains_address(own, *envelope.from)) return std::string("the sender is the user");
  if (is_robot(*envelope.from)) return fmt::format("the sender {} is no person", *envelope.from);
  if (const auto why = automatic(run); !why.empty()) return std::string(why);
  from = addressed_as(run, own);
  if (from.empty()) return std::string("no address of the user is among the recipients");
  if (TRY(run.host().vacation_answered(handle_of(run, code), *envelope.from, period_of(run, code))))
    return fmt::format("{} had this reply already", *envelope.from);
  return std::string();
}

}  // namespace

void check_vacation(Checker& checker, Code& code) {
  check_fcc(checker, code);
  const Value* from = code.find(Tag::from);
  if (from != nullptr && from->constant() && !single_address(from->strings.front().text))
    checker.error(from->strings.front().at,
                  fmt::format("\"{}\" is no mail address", from->strings.front().text));
  const Text& reason = code.args.front().strings.front();
  const auto header = reason.text.substr(0, reason.text.find("\r\n\r\n"));
  if (code.has(Tag::mime) && !reason.has_variables && !is_ascii(header))
    checker.error(reason.at, "the header of a :mime reason must be ASCII");
}

Result<Flow> run_vacation(Run& run, const Code& code) {
  if (run.used().vacation) return fail(Errc::limit, "vacation may be used only once for a message");
  run.used().vacation = true;
  std::string from;
  const auto why = TRY(refusal(run, code, from));
  if (!why.empty()) {
    run.note("vacation left out: " + why);
    return Flow::next;
  }
  Vacation action;
  action.to = *run.envelope().from;
  action.from = run.tag_string(code, Tag::from, from);
  if (!single_address(action.from)) action.from = from;
  action.subject = subject_of(run, code);
  action.reason = run.arg_string(code, 0);
  action.mime = code.has(Tag::mime);
  action.handle = handle_of(run, code);
  action.seconds = period_of(run, code);
  set_threading(run, action);
  action.fcc = TRY(read_fcc(run, code));
  TRY(run.act(code, std::move(action), true));
  return Flow::next;
}

}  // namespace postern::sieve
