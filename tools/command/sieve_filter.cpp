// postern sieve filter: runs a script over the messages of a mailbox.
#include <fmt/format.h>
#include <sysexits.h>

#include "lib/auth/auth.h"
#include "lib/base/fd.h"
#include "lib/meta/recipient.h"
#include "sieve/site/sieve_scripts.h"
#include "tools/command/commands.h"
#include "tools/mailbox_filter.h"
#include "tools/sieve_report.h"

namespace postern::tools {
namespace {

/// A stored message is beyond its delivery (RFC 5183 §4.1).
class FilterHost : public site::SieveHost {
 public:
  using SieveHost::SieveHost;
  std::optional<std::string> environment(std::string_view item) override {
    if (item == "phase") return "post";
    if (item == "location") return "MS";
    return SieveHost::environment(item);
  }
};

struct Compiled {
  std::shared_ptr<const sieve::Script> script;
  int status = EX_OK;
};

/// The file, else the script that decides at delivery.
Result<Compiled> script_for(const Arguments& arguments, Context& context,
                            const meta::UserName& user, site::SieveScripts& scripts,
                            const std::optional<std::string>& text) {
  if (!text) {
    auto chosen = TRY(scripts.script_of(*TRY(context.meta()), user));
    if (chosen.script) return Compiled{std::move(chosen.script)};
    if (!chosen.error) return fail(Errc::no_such_object, "{} has no active script", user.text());
    fmt::print(stderr, "{}:{}: {}\n", chosen.name, chosen.error->line, chosen.error->text);
    return Compiled{nullptr, EX_DATAERR};
  }
  sieve::Diagnostics diagnostics;
  Compiled out{sieve::compile(*text, {}, diagnostics)};
  print_diagnostics(arguments.text("--script"), diagnostics);
  if (!out.script) out.status = EX_DATAERR;
  return out;
}

void print(const MailboxFilter::Done& done, bool json) {
  for (const auto& line : json ? json_lines(done.outcome, done.uid.value())
                               : text_lines(done.outcome, done.uid.value()))
    fmt::print("{}\n", line);
  for (const auto& why : done.verdict.left_out)
    fmt::print(stderr, "uid {}: left out: {}\n", done.uid.value(), why);
  if (done.error) fmt::print(stderr, "uid {}: {}\n", done.uid.value(), done.error->text);
}

}  // namespace

Result<int> sieve_filter(const Arguments& arguments, Context& context) {
  std::optional<std::string> text;  // read as the one who started us
  if (arguments.has("--script")) text = TRY(read_file(arguments.text("--script")));
  TRY(context.prepare());
  const config::Config& config = context.config();
  const auto user =
      TRY(meta::canonical_user(arguments.text("user"), config.text("auth.default_domain")));
  meta::Meta* const meta = TRY(context.meta());
  store::Store* const store = TRY(context.store());
  TRY(meta->user(user, false));
  site::SieveScripts scripts(config);
  const auto compiled = TRY(script_for(arguments, context, user, scripts, text));
  if (!compiled.script) return compiled.status;
  const auto auth = TRY(auth::Authenticator::create(config));
  const auto settings = TRY(site::Settings::from(config));
  const site::SieveMailboxes mailboxes(*store, *meta, auth->identity_of(user), settings.prefixes,
                                       settings.autocreate);
  site::SieveLists lists(config, settings);
  FilterHost host(*meta, scripts, lists, mailboxes, settings);
  const auto source = TRY(meta->lookup(TRY(mailboxes.name_of(arguments.text("mailbox")))));
  MailboxFilter filter(*store, host, mailboxes,
                       {.script = compiled.script,
                        .user_address = settings.address_of(user),
                        .dry_run = arguments.has("--dry-run"),
                        .expunge = arguments.has("--expunge")});
  int status = EX_OK;
  TRY(filter.run(source, [&](const MailboxFilter::Done& done) {
    print(done, arguments.has("--json"));
    if (done.error || done.outcome.error) status = EX_DATAERR;
  }));
  return status;
}

}  // namespace postern::tools
