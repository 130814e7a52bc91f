// posternadm: createmailbox, deletemailbox, renamemailbox, listmailbox, info, subscriptions.
#include <fmt/format.h>

#include <algorithm>

#include "tools/adm/commands.h"

namespace postern::tools::adm {
namespace {

/// Takes "--name VALUE" or "-name" out of `args`.
std::string take_option(Words& args, std::string_view name) {
  const auto at = std::ranges::find(args, name);
  if (at == args.end() || at + 1 == args.end()) return {};
  std::string value = *(at + 1);
  args.erase(at, at + 2);
  return value;
}

bool take_flag(Words& args, std::string_view name) { return std::erase(args, name) > 0; }

Result<void> simple(AdmSession& session, std::string_view verb, const Words& names) {
  std::string command(verb);
  for (const auto& name : names) command += ' ' + TRY(quoted(name));
  TRY(session.run(command));
  return {};
}

/// "user/anna (\HasChildren \Sent)"
std::string listed(const Untagged& list) {
  std::string flags;
  for (const auto& flag : list.values[0].items) flags += (flags.empty() ? "" : " ") + flag.text;
  return flags.empty() ? list.values[2].text : fmt::format("{} ({})", list.values[2].text, flags);
}

}  // namespace

Result<void> create_mailbox(AdmSession& session, const Words& args) {
  Words names = args;
  const std::string use = take_option(names, "--specialuse");
  if (names.size() != 1) return fail(Errc::bad_syntax, "one mailbox is created at a time");
  std::string command = "CREATE " + TRY(quoted(names[0]));
  if (!use.empty()) command += fmt::format(" (USE ({}{}))", use.starts_with('\\') ? "" : "\\", use);
  TRY(session.run(command));
  return {};
}

Result<void> delete_mailbox(AdmSession& session, const Words& args) {
  for (const auto& name : TRY(session.mailboxes(args[0]))) TRY(simple(session, "DELETE", {name}));
  return {};
}

Result<void> rename_mailbox(AdmSession& session, const Words& args) {
  return simple(session, "RENAME", args);
}

Result<void> subscribe(AdmSession& session, const Words& args) {
  return simple(session, "SUBSCRIBE", args);
}

Result<void> unsubscribe(AdmSession& session, const Words& args) {
  return simple(session, "UNSUBSCRIBE", args);
}

Result<void> list_mailbox(AdmSession& session, const Words& args) {
  Words words = args;
  std::string select;
  if (take_flag(words, "-subscribed")) select += "SUBSCRIBED";
  if (take_flag(words, "-specialuse")) select += select.empty() ? "SPECIAL-USE" : " SPECIAL-USE";
  const std::string pattern = words.empty() ? "*" : words[0];
  const std::string base = words.size() > 1 ? words[1] : "";
  std::string command = "LIST";
  if (!select.empty()) command += fmt::format(" ({})", select);
  for (const auto& word : {base, pattern}) command += ' ' + TRY(quoted(word));
  const auto answer = TRY(session.run(command));
  for (const auto* list : answer.all("LIST"))
    if (list->values.size() >= 3) session.say(listed(*list));
  return {};
}

Result<void> info(AdmSession& session, const Words& args) {
  for (const auto& name : TRY(session.mailboxes(args[0]))) {
    const auto answer =
        TRY(session.run("STATUS " + TRY(quoted(name)) +
                        " (MESSAGES UNSEEN SIZE UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"));
    session.say(name);
    for (const auto* status : answer.all("STATUS")) {
      if (status->values.size() < 2) continue;
      const auto& items = status->values[1].items;
      for (std::size_t i = 0; i + 1 < items.size(); i += 2)
        session.say(fmt::format("  {:<14} {}", items[i].text, items[i + 1].text));
    }
    TRY(show_annotations(session, name));
  }
  return {};
}

Result<void> reconstruct(AdmSession&, const Words& args) {
  return fail(Errc::not_supported, "on the server's host run: postern reconstruct {}", args.back());
}

}  // namespace postern::tools::adm
