// posternadm: getmetadata, setmetadata, mboxconfig, and the annotations that info shows (RFC 5464).
#include <fmt/format.h>

#include <array>

#include "tools/adm/commands.h"

namespace postern::tools::adm {
namespace {

struct Short {
  std::string_view word;
  std::string_view entry;
};
// cyradm's words, as far as something here stands behind them.
constexpr std::array kShort{
    Short{"comment", "/shared/comment"},
    Short{"script", "/shared/imapsieve/script"},
    Short{"sieve", "/shared/imapsieve/script"},
};

/// A full name, or a word; `--private` makes it the user's own.
Result<std::string> entry_of(std::string_view word, bool is_private) {
  constexpr std::string_view kShared = "/shared/";
  std::string entry(word);
  for (const Short& row : kShort)
    if (row.word == word) entry = row.entry;
  if (!entry.starts_with('/'))
    return fail(Errc::bad_syntax, "\"{}\" is no annotation: comment, script, or /shared/...", word);
  if (is_private && entry.starts_with(kShared)) entry = "/private/" + entry.substr(kShared.size());
  return entry;
}

/// "" is the server, for which "" and "server" both stand on a command line.
std::string mailbox_of(std::string_view word) {
  return word == "server" ? std::string() : std::string(word);
}

std::string_view shown(const Value& value) {
  return value.kind == Value::Kind::nil ? "NIL" : std::string_view(value.text);
}

Result<void> show(AdmSession& session, const std::string& mailbox, std::string_view entries,
                  std::string_view indent) {
  const auto answer = TRY(session.run(
      fmt::format("GETMETADATA (DEPTH infinity) {} {}", TRY(quoted(mailbox)), entries)));
  for (const auto* metadata : answer.all("METADATA")) {
    if (metadata->values.size() < 2) continue;
    const auto& items = metadata->values[1].items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
      session.say(fmt::format("{}{} {}", indent, items[i].text, shown(items[i + 1])));
  }
  return {};
}

}  // namespace

Result<void> show_annotations(AdmSession& session, const std::string& mailbox) {
  return show(session, mailbox, "(/shared /private)", "  ");
}

Result<void> get_metadata(AdmSession& session, const Words& args) {
  const std::string mailbox = mailbox_of(args[0]);
  std::string entries = "/shared /private";
  if (args.size() > 1) entries.clear();
  for (std::size_t i = 1; i < args.size(); ++i)
    entries += (entries.empty() ? "" : " ") + TRY(quoted(TRY(entry_of(args[i], false))));
  return show(session, mailbox, "(" + entries + ")", "");
}

Result<void> set_metadata(AdmSession& session, const Words& args) {
  Words words = args;
  const bool is_private = std::erase(words, "--private") > 0;
  if (words.size() != 3) return fail(Errc::bad_syntax, "a mailbox, an annotation and a value");
  const std::string entry = TRY(quoted(TRY(entry_of(words[1], is_private))));
  const std::string value = words[2] == "none" ? "NIL" : TRY(quoted(words[2]));
  TRY(session.run(
      fmt::format("SETMETADATA {} ({} {})", TRY(quoted(mailbox_of(words[0]))), entry, value)));
  return {};
}

}  // namespace postern::tools::adm
