// postern expire: the nightly work on the store. Files of messages and mailboxes that were deleted
// longer ago than store.expunge_keep go, with tombstones that nobody can ask for any more; what
// only the metadata knows is exported. The metadata says where there is something to do: a night's
// work is as long as that, not as the list. With --all everything is looked at.
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

/// Each is taken once, though one that fails stays due.
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

constexpr std::size_t kPage = 1'000;

/// Directories that the metadata knows to be of no mailbox. One that fails stays noted.
Result<void> remove_unlisted(meta::Meta& meta, store::Store& store, std::int64_t before,
                             Outcome& out) {
  std::vector<meta::Unlisted> page;
  MailboxId after;
  do {
    page = TRY(meta.unlisted(before, after, kPage));
    for (const auto& one : page) {
      after = one.id;
      if (const auto removed = store.remove_directory(one.id, one.partition); !removed) {
        complain(one.id.hex(), removed.error(), out);
        continue;
      }
      LOG(notice, "mailbox.removed", {"mailbox_id", one.id.hex()});
      ++out.removed;
    }
  } while (page.size() == kPage);
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

/// Those that the metadata may not know of: it is younger than they are, or came from a backup.
void remove_abandoned_ones(meta::Meta& meta, store::Store& store, const Context& context,
                           std::int64_t before, Outcome& out) {
  for (const auto& [name, path] : context.config().partitions()) {
    const auto directories = store::mailbox_directories(path);
    if (!directories) {
      complain(path, directories.error(), out);
      continue;
    }
    for (const auto& directory : *directories) {
      const auto removed = remove_abandoned(meta, store, directory, before);
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
  const bool all = arguments.has("--all");
  if (all) {
    for (const auto& entry : TRY(find_mailboxes(*meta, {}, false))) clean(*store, entry, out);
  } else {
    TRY(clean_due(*meta, *store, out));
  }
  const std::int64_t before =
      wall_seconds() - context.config().duration("store.expunge_keep").count() / 1000;
  TRY(remove_unlisted(*meta, *store, before, out));
  if (all) remove_abandoned_ones(*meta, *store, context, before, out);
  std::size_t exported = TRY(export_due(*meta, context.config()));
  if (all) {
    exported += TRY(export_users(*meta, context.config()));
    TRY(export_site(*meta, context.config()));
  }
  fmt::print(stderr,
             "{} mailboxes cleaned, {} deleted ones removed, {} failed, {} exports written\n",
             out.cleaned, out.removed, out.failed, exported);
  return out.failed > 0 ? EX_TEMPFAIL : EX_OK;
}

}  // namespace postern::tools
