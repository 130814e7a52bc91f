// postern sieve list, put, get, activate, delete: a user's scripts, as ManageSieve has them.
#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "lib/base/fd.h"
#include "lib/meta/recipient.h"
#include "lib/store/scripts.h"
#include "sieve/sieve.h"
#include "sieve/site/lists.h"
#include "tools/command/commands.h"
#include "tools/sieve_report.h"
#include "tools/stored_message.h"

namespace postern::tools {
namespace {

Result<store::Scripts> scripts_of(const std::string& user, Context& context) {
  const auto name = TRY(meta::canonical_user(user, context.config().text("auth.default_domain")));
  meta::Meta* const meta = TRY(context.meta());
  return store::Scripts::of(context.config(), TRY(meta->user(name, false)));
}

void print(const store::ScriptInfo& script, bool json) {
  if (json) {
    const nlohmann::ordered_json row{
        {"name", script.name}, {"size", script.size}, {"active", script.active}};
    fmt::print("{}\n", row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{:>8}  {}{}\n", script.size, script.name, script.active ? "  ACTIVE" : "");
  }
}

}  // namespace

Result<int> sieve_list(const Arguments& arguments, Context& context) {
  const auto scripts = TRY(scripts_of(arguments.text("user"), context));
  for (const auto& script : TRY(scripts.list())) print(script, arguments.has("--json"));
  return EX_OK;
}

Result<int> sieve_get(const Arguments& arguments, Context& context) {
  const auto scripts = TRY(scripts_of(arguments.text("user"), context));
  const auto text = TRY(scripts.get(arguments.text("name")));
  TRY(write_all(STDOUT_FILENO, text));
  return EX_OK;
}

/// As PUTSCRIPT (RFC 5804 §2.6): a script with errors isn't stored.
Result<int> sieve_put(const Arguments& arguments, Context& context) {
  // Read as the one who started us: server.user need not see the file.
  const std::string& file = arguments.text("file");
  const std::string text =
      file.empty() || file == "-" ? TRY(read_standard_input()) : TRY(read_file(file));
  TRY(context.prepare());
  sieve::Diagnostics diagnostics;
  const auto script = sieve::compile(text, {}, diagnostics);
  print_diagnostics(file.empty() ? "-" : file, diagnostics);
  if (!script) return EX_DATAERR;
  auto scripts = TRY(scripts_of(arguments.text("user"), context));
  TRY(scripts.put(arguments.text("name"), text));
  if (arguments.has("--activate")) TRY(scripts.activate(arguments.text("name")));
  return EX_OK;
}

Result<int> sieve_addresses(const Arguments& arguments, Context& context) {
  const auto settings = TRY(site::Settings::from(context.config()));
  const auto user = TRY(meta::canonical_user(arguments.text("user"), settings.domain));
  meta::Meta* const meta = TRY(context.meta());
  const auto path = TRY(site::address_book_of(context.config(), settings, *meta, user));
  if (arguments.has("--replace")) {
    if (!settings.address_book.empty())
      return fail(Errc::not_supported, "sieve.address_book says that it is kept in {}", path);
    auto scripts = TRY(scripts_of(arguments.text("user"), context));
    TRY(scripts.put_address_book(TRY(read_standard_input())));
    return EX_OK;
  }
  if (::access(path.c_str(), F_OK) == 0) TRY(write_all(STDOUT_FILENO, TRY(read_file(path))));
  return EX_OK;
}

Result<int> sieve_activate(const Arguments& arguments, Context& context) {
  auto scripts = TRY(scripts_of(arguments.text("user"), context));
  TRY(scripts.activate(arguments.text("name")));
  return EX_OK;
}

Result<int> sieve_delete(const Arguments& arguments, Context& context) {
  auto scripts = TRY(scripts_of(arguments.text("user"), context));
  TRY(scripts.remove(arguments.text("name")));
  return EX_OK;
}

}  // namespace postern::tools
