// Actions as the words of the script would say them.
#include "tests/unit/sieve/describe.h"

#include <fmt/format.h>

#include "sieve/date_parts.h"

namespace postern::sieve {
namespace {

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c != '\r')
      out += c;
  }
  return out + '"';
}

std::string list(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

std::string flags(const std::vector<std::string>& words) {
  return words.empty() ? std::string() : " flags=" + list(words);
}

std::string target(const Target& t) {
  std::string out = quote(t.mailbox);
  if (t.create) out += " create";
  if (!t.mailbox_id.empty()) out += " mailboxid=" + t.mailbox_id;
  if (!t.special_use.empty()) out += " specialuse=" + t.special_use;
  return out + flags(t.flags);
}

std::string fcc(const std::optional<Target>& t) { return t ? " fcc=" + target(*t) : ""; }

struct Describer {
  std::string operator()(const Keep& a) const {
    return (a.implicit ? "keep implicit" : "keep") + flags(a.flags);
  }
  std::string operator()(const FileInto& a) const {
    return "fileinto " + target(a.target) + (a.copy ? " copy" : "");
  }
  std::string operator()(const Discard&) const { return "discard"; }
  std::string operator()(const Redirect& a) const {
    std::string out = "redirect " + quote(a.address) + (a.copy ? " copy" : "");
    if (!a.options.notify.empty()) out += " notify=" + a.options.notify;
    if (!a.options.ret.empty()) out += " ret=" + a.options.ret;
    if (a.options.deliver_by)
      out += fmt::format(" by={}{}{}", *a.options.deliver_by, a.options.by_mode,
                         a.options.by_trace ? "T" : "");
    return out;
  }
  std::string operator()(const Reject& a) const {
    return (a.extended ? "ereject " : "reject ") + quote(a.reason);
  }
  std::string operator()(const Vacation& a) const {
    return fmt::format("vacation to={} from={} seconds={} subject={} reason={}{}{}", a.to, a.from,
                       a.seconds, quote(a.subject), quote(a.reason), a.mime ? " mime" : "",
                       fcc(a.fcc));
  }
  std::string operator()(const Notify& a) const {
    std::string out = fmt::format("notify {} importance={} message={}", quote(a.method),
                                  a.importance, quote(a.message));
    if (!a.from.empty()) out += " from=" + a.from;
    if (!a.options.empty()) out += " options=" + list(a.options);
    return out + fcc(a.fcc);
  }
  std::string operator()(const Pipe& a) const {
    return "pipe " + a.program + (a.arguments.empty() ? "" : " " + list(a.arguments)) +
           (a.copy ? " copy" : "") + (a.try_ ? " try" : "");
  }
  std::string operator()(const Snooze& a) const {
    return "snooze until=" + format_iso8601(a.until, 0) + " " + target(a.target) + flags(a.flags) +
           (a.add_flags.empty() ? "" : " add=" + list(a.add_flags)) +
           (a.remove_flags.empty() ? "" : " remove=" + list(a.remove_flags));
  }
  std::string operator()(const AddHeader& a) const {
    return fmt::format("addheader {}: {}{}", a.name, a.value, a.last ? " last" : "");
  }
  std::string operator()(const DeleteHeader& a) const {
    return fmt::format("deleteheader {} {}", a.name, a.count);
  }
  std::string operator()(const Replace& a) const { return "replace " + quote(a.part); }
  std::string operator()(const Enclose& a) const { return "enclose " + quote(a.subject); }
  std::string operator()(const LogLine& a) const { return "log " + quote(a.text); }
};

}  // namespace

std::string describe(const Outcome& outcome) {
  std::string out;
  for (const auto& step : outcome.actions) {
    out += std::visit(Describer{}, step.action);
    if (step.version != 0) out += fmt::format(" version={}", step.version);
    out += "\n";
  }
  for (const auto& mark : outcome.marks)
    out += fmt::format("mark {} {} {}{}\n", quote(mark.handle), quote(mark.unique_id), mark.seconds,
                       mark.last ? " last" : "");
  if (outcome.error)
    out += fmt::format("error {}{}: {}\n",
                       outcome.error->script.empty() ? "" : outcome.error->script + " ",
                       outcome.error->line, outcome.error->text);
  return out;
}

std::string describe(const Diagnostics& diagnostics) {
  std::string out;
  for (const auto& d : diagnostics)
    out += fmt::format("{}:{}: {}{}\n", d.at.line, d.at.column,
                       d.severity == Severity::warning ? "warning: " : "", d.text);
  return out;
}

}  // namespace postern::sieve
