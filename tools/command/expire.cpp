// postern expire: the nightly work on the store. Files of messages and mailboxes that were deleted
// longer ago than store.expunge_keep go, with tombstones that nobody can ask for any more; what
// only the metadata knows is exported.
#include <fmt/format.h>
#include <sysexits.h>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/check.h"
#include "tools/command/commands.h"
#include "tools/export.h"

namespace postern::tools {
namespace {

struct Outcome {
  std::size_t cleaned = 0;
  std::size_t removed = 0;
  std::size_t failed = 0;
};

void complain(std::string_view what, const Error& error, Outcome& out) {
  fmt::print(stderr, "{}: {}: {}\n", what, name_of(error.code), error.text);
  ++out.failed;
}

void clean(store::Store& store, const meta::MailboxEntry& entry, Outcome& out) {
  const auto done = store.clean(entry);
  if (!done && done.error().code != Errc::mailbox_deleted)
    return complain(entry.name.text(), done.error(), out);
  ++out.cleaned;
}

/// Mailboxes that have something due say so in the metadata: a night's work is as long as what
/// there is to do, not as the list. Each is taken once, though one that fails stays due.
Result<void> clean_due(meta::Meta& meta, store::Store& store, Outcome& out) {
  for (const MailboxId& id : TRY(meta.due(wall_seconds(), SIZE_MAX))) {
    const auto entry = meta.lookup(id);
    if (entry)
      clean(store, *entry, out);
    else if (entry.error().code != Errc::no_such_mailbox)
      return entry.error();
  }
  return {};
}

/// Whether `directory` went, because it was abandoned before `before`.
Result<bool> remove_abandoned(meta::Meta& meta, store::Store& store, const std::string& directory,
                              std::int64_t before) {
  const auto header = TRY(store::read_header(directory));
  const auto listed = meta.lookup(header.id);
  if (listed) return false;
  if (listed.error().code != Errc::no_such_mailbox) return listed.error();
  const auto since = TRY(store::abandoned_since(store, directory));
  if (!since || *since > before) return false;
  TRY(store.remove_directory(header.id, header.partition));
  LOG(notice, "mailbox.removed", {"mailbox_id", header.id.hex()}, {"mailbox", header.name.text()});
  return true;
}

void remove_abandoned_ones(meta::Meta& meta, store::Store& store, const Context& context,
                           Outcome& out) {
  const std::int64_t keep = context.config().duration("store.expunge_keep").count() / 1000;
  for (const auto& [name, path] : context.config().partitions()) {
    const auto directories = store::mailbox_directories(path);
    if (!directories) {
      complain(path, directories.error(), out);
      continue;
    }
    for (const auto& directory : *directories) {
      const auto removed = remove_abandoned(meta, store, directory, wall_seconds() - keep);
      if (!removed) complain(directory, removed.error(), out);
      if (removed && *removed) ++out.removed;
    }
  }
}

}  // namespace

Result<int> expire(const Arguments& arguments, Context& context) {
  meta::Meta* const meta = TRY(context.meta());
  store::Store* const store = TRY(context.store());
  Outcome out;
  while (TRY(store->drain_outbox()) > 0) {
  }
  if (arguments.has("--all")) {
    for (const auto& entry : TRY(find_mailboxes(*meta, {}, false))) clean(*store, entry, out);
  } else {
    TRY(clean_due(*meta, *store, out));
  }
  remove_abandoned_ones(*meta, *store, context, out);
  const auto exported = TRY(export_users(*meta, context.config()));
  if (arguments.has("--all")) TRY(export_site(*meta, context.config()));
  fmt::print(stderr,
             "{} mailboxes cleaned, {} deleted ones removed, {} failed, {} exports written\n",
             out.cleaned, out.removed, out.failed, exported);
  return out.failed > 0 ? EX_TEMPFAIL : EX_OK;
}

}  // namespace postern::tools
