// posternadm: setaclmailbox, deleteaclmailbox, listaclmailbox (RFC 4314).
#include <fmt/format.h>

#include <array>
#include <initializer_list>

#include "tools/adm/commands.h"

namespace postern::tools::adm {
namespace {

struct RightsWord {
  std::string_view word;
  std::string_view letters;
};
// cyradm's words.
constexpr std::array kWords{
    RightsWord{"none", ""},
    RightsWord{"read", "lrs"},
    RightsWord{"post", "lrsp"},
    RightsWord{"append", "lrsip"},
    RightsWord{"write", "lrswipkxten"},
    RightsWord{"delete", "lrxte"},
    RightsWord{"all", "lrswipkxtean"},
};

std::string_view letters_of(std::string_view rights) {
  for (const auto& row : kWords)
    if (row.word == rights) return row.letters;
  return rights;
}

Result<void> run_with(AdmSession& session, std::string command,
                      std::initializer_list<std::string_view> words) {
  for (const auto word : words) command += ' ' + TRY(quoted(word));
  TRY(session.run(command));
  return {};
}

}  // namespace

Result<void> set_acl(AdmSession& session, const Words& args) {
  if (args.size() % 2 == 0) return fail(Errc::bad_syntax, "an identifier without rights");
  for (const auto& name : TRY(session.mailboxes(args[0]))) {
    for (std::size_t i = 1; i < args.size(); i += 2)
      TRY(run_with(session, "SETACL", {name, args[i], letters_of(args[i + 1])}));
  }
  return {};
}

Result<void> delete_acl(AdmSession& session, const Words& args) {
  for (const auto& name : TRY(session.mailboxes(args[0])))
    for (std::size_t i = 1; i < args.size(); ++i)
      TRY(run_with(session, "DELETEACL", {name, args[i]}));
  return {};
}

Result<void> list_acl(AdmSession& session, const Words& args) {
  const auto names = TRY(session.mailboxes(args[0]));
  for (const auto& name : names) {
    const auto answer = TRY(session.run("GETACL " + TRY(quoted(name))));
    if (names.size() > 1) session.say(name + ":");
    for (const auto* acl : answer.all("ACL"))
      for (std::size_t i = 1; i + 1 < acl->values.size(); i += 2)
        session.say(fmt::format("{} {}", acl->values[i].text, acl->values[i + 1].text));
  }
  return {};
}

}  // namespace postern::tools::adm
