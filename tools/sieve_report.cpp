// Actions as JSON objects; the text form is made from them, so both tell the same.
#include "tools/sieve_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sieve/date_parts.h"

namespace postern::tools {
namespace {

using Json = nlohmann::ordered_json;

void add_target(Json& json, const sieve::Target& target) {
  json["mailbox"] = target.mailbox;
  json["flags"] = target.flags;
  json["create"] = target.create;
  if (!target.mailbox_id.empty()) json["mailboxid"] = target.mailbox_id;
  if (!target.special_use.empty()) json["specialuse"] = target.special_use;
}

void add_fcc(Json& json, const std::optional<sieve::Target>& fcc) {
  if (fcc) add_target(json["fcc"], *fcc);
}

struct ToJson {
  Json operator()(const sieve::Keep& a) const {
    return {{"action", "keep"}, {"implicit", a.implicit}, {"flags", a.flags}};
  }
  Json operator()(const sieve::FileInto& a) const {
    Json json{{"action", "fileinto"}};
    json["mailbox"] = a.target.mailbox;
    json["flags"] = a.target.flags;
    json["copy"] = a.copy;
    add_target(json, a.target);
    return json;
  }
  Json operator()(const sieve::Discard&) const { return {{"action", "discard"}}; }
  Json operator()(const sieve::Redirect& a) const {
    Json json{{"action", "redirect"}, {"address", a.address}, {"copy", a.copy}};
    if (!a.options.notify.empty()) json["notify"] = a.options.notify;
    if (!a.options.ret.empty()) json["ret"] = a.options.ret;
    if (a.options.deliver_by) {
      json["deliver_by"] = *a.options.deliver_by;
      json["by_mode"] = std::string(1, a.options.by_mode);
      json["by_trace"] = a.options.by_trace;
    }
    return json;
  }
  Json operator()(const sieve::Reject& a) const {
    return {{"action", a.extended ? "ereject" : "reject"}, {"reason", a.reason}};
  }
  Json operator()(const sieve::Vacation& a) const {
    Json json{{"action", "vacation"}, {"to", a.to},          {"from", a.from},
              {"subject", a.subject}, {"reason", a.reason},  {"mime", a.mime},
              {"handle", a.handle},   {"seconds", a.seconds}};
    add_fcc(json, a.fcc);
    return json;
  }
  Json operator()(const sieve::Notify& a) const {
    Json json{{"action", "notify"},
              {"method", a.method},
              {"importance", a.importance},
              {"message", a.message},
              {"options", a.options}};
    if (!a.from.empty()) json["from"] = a.from;
    add_fcc(json, a.fcc);
    return json;
  }
  Json operator()(const sieve::Pipe& a) const {
    return {{"action", "pipe"},
            {"program", a.program},
            {"arguments", a.arguments},
            {"copy", a.copy},
            {"try", a.try_}};
  }
  Json operator()(const sieve::Snooze& a) const {
    Json json{{"action", "snooze"}, {"until", sieve::format_iso8601(a.until, 0)}};
    add_target(json, a.target);
    json["flags"] = a.flags;
    json["addflags"] = a.add_flags;
    json["removeflags"] = a.remove_flags;
    return json;
  }
  Json operator()(const sieve::AddHeader& a) const {
    return {{"action", "addheader"}, {"name", a.name}, {"value", a.value}, {"last", a.last}};
  }
  Json operator()(const sieve::DeleteHeader& a) const {
    return {{"action", "deleteheader"}, {"name", a.name}, {"count", a.count}};
  }
  Json operator()(const sieve::Replace& a) const {
    return {{"action", "replace"}, {"part", a.part}};
  }
  Json operator()(const sieve::Enclose& a) const {
    return {{"action", "enclose"}, {"subject", a.subject}};
  }
  Json operator()(const sieve::LogLine& a) const { return {{"action", "log"}, {"text", a.text}}; }
};

std::vector<Json> objects(const sieve::Outcome& outcome) {
  std::vector<Json> out;
  if (outcome.error) {
    Json json{{"error", outcome.error->text}, {"line", outcome.error->line}};
    if (!outcome.error->script.empty()) json["script"] = outcome.error->script;
    out.push_back(std::move(json));
  }
  for (const auto& step : outcome.actions) out.push_back(std::visit(ToJson{}, step.action));
  return out;
}

// A message may bring octets that are not UTF-8; they become U+FFFD.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string as_text(const Json& json) {
  std::string out;
  for (const auto& [key, value] : json.items()) {
    if (key == "action") {
      out = value.get<std::string>();
    } else if (value.is_boolean()) {
      if (value.get<bool>()) out += " " + key;
    } else if (!value.empty() && value != "") {
      out += fmt::format("{}{}={}", out.empty() ? "" : " ", key, dump(value));
    }
  }
  return out;
}

}  // namespace

void print_diagnostics(const std::string& file, const sieve::Diagnostics& diagnostics) {
  for (const auto& d : diagnostics)
    fmt::print("{}:{}:{}: {}{}\n", file, d.at.line, d.at.column,
               d.severity == sieve::Severity::warning ? "warning: " : "", d.text);
}

std::vector<std::string> json_lines(const sieve::Outcome& outcome,
                                    std::optional<std::uint32_t> uid) {
  std::vector<std::string> out;
  for (const auto& object : objects(outcome)) {
    Json json;
    if (uid) json["uid"] = *uid;
    json.update(object);
    out.push_back(dump(json));
  }
  return out;
}

std::vector<std::string> text_lines(const sieve::Outcome& outcome,
                                    std::optional<std::uint32_t> uid) {
  const std::string start = uid ? fmt::format("uid {}: ", *uid) : std::string();
  std::vector<std::string> out;
  for (const auto& json : objects(outcome)) out.push_back(start + as_text(json));
  for (const auto& note : outcome.notes) out.push_back(start + "# " + note);
  return out;
}

}  // namespace postern::tools
