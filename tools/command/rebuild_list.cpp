// postern rebuild-list: puts back into the mailboxes list what the headers of the spool hold. The
// higher version wins; a loser of a name goes to Lost/<id>, nothing is dropped. Then users, with
// subscriptions, quota roots and annotations, from their exports.
#include <fmt/format.h>
#include <sysexits.h>

#include "lib/store/check.h"
#include "tools/command/commands.h"
#include "tools/export.h"

namespace postern::tools {
namespace {

struct Outcome {
  std::size_t known = 0;
  std::size_t abandoned = 0;  // deleted, or never made
  std::size_t restored = 0;
  std::size_t unreadable = 0;
};

Result<void> rebuild_one(meta::Meta& meta, store::Store& store, const std::string& directory,
                         bool dry, Outcome& out, std::vector<meta::MailboxEntry>& restored) {
  const auto header = store::read_header(directory);
  if (!header) {
    fmt::print(stderr, "{}: {}\n", directory, header.error().text);
    ++out.unreadable;
    return {};
  }
  const auto listed = meta.lookup(header->id);
  if (!listed && listed.error().code != Errc::no_such_mailbox) return Error(listed.error());
  if (listed && listed->version >= header->version) {
    ++out.known;
    return {};
  }
  if (!listed && TRY(store::abandoned_since(store, directory))) {
    ++out.abandoned;
    return {};
  }
  const auto now = dry ? *header : TRY(meta.restore(*header));
  fmt::print("{}{}\n", now.name.text(),
             now.name == header->name ? "" : " (was " + header->name.text() + ")");
  ++out.restored;
  restored.push_back(now);
  return {};
}

// After the mailboxes: annotations need them. What they hold counts for their quota roots again.
Result<void> import_exports(Context& context, const std::vector<meta::MailboxEntry>& restored,
                            Outcome& out) {
  store::Store* const store = TRY(context.store());
  const Imported imported = TRY(import_all(*TRY(context.meta()), context.config()));
  out.unreadable += imported.unreadable;
  fmt::print(stderr, "{} users restored, {} exports unreadable\n", imported.users,
             imported.unreadable);
  for (const auto& entry : restored)
    if (const auto done = store->clean(entry); !done)
      fmt::print(stderr, "{}: {}: {}\n", entry.name.text(), name_of(done.error().code),
                 done.error().text);
  return {};
}

}  // namespace

Result<int> rebuild_list(const Arguments& arguments, Context& context) {
  meta::Meta* const meta = TRY(context.meta());
  store::Store* const store = TRY(context.store());
  const bool dry = arguments.has("--dry-run");
  Outcome outcome;
  std::vector<meta::MailboxEntry> restored;
  for (const auto& [name, path] : context.config().partitions())
    for (const auto& directory : TRY(store::mailbox_directories(path)))
      TRY(rebuild_one(*meta, *store, directory, dry, outcome, restored));
  fmt::print(stderr,
             "{} mailboxes {}, {} were in the list, {} were deleted, {} headers unreadable\n",
             outcome.restored, dry ? "to restore" : "restored", outcome.known, outcome.abandoned,
             outcome.unreadable);
  if (!dry) TRY(import_exports(context, restored, outcome));
  return outcome.unreadable > 0 ? EX_DATAERR : EX_OK;
}

}  // namespace postern::tools
