// Verification and repair of one mailbox, and what rebuild-list needs: for `postern check`,
// `postern reconstruct`, `postern rebuild-list` and the tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/store/store.h"

namespace postern::store {

struct Finding {
  enum class Kind {
    header,        // the header file is missing, damaged or older than the list
    index,         // the index as a whole: preamble, state, summaries, bitmap
    record,        // one record's checksum
    cache,         // one cache record; rebuilt when it is next asked for
    log,           // a damaged log record
    keywords,      // the keyword table
    seen,          // the \Seen of a user who isn't the owner
    file_missing,  // a live record without its file
    file_size,     // the file's size isn't the record's
    file_guid,     // the file's octets don't give the record's GUID (only with `full`)
    file_extra,    // a message file that no record names
    stale,         // left-overs: t.*, files of dropped tombstones
  } kind = Kind::index;
  std::optional<Uid> uid;
  std::string what;
  bool repaired = false;
};
std::string_view name_of(Finding::Kind kind);

struct CheckOptions {
  bool full = false;    // read every message file
  bool repair = false;  // online; takes the mailbox lock for the time it needs
};

/// Everything wrong with the mailbox, an empty list if nothing is. `stale` and `cache`
/// findings are no damage.
/// @error io, in_use
Result<std::vector<Finding>> check(Store& store, const meta::MailboxEntry& entry,
                                   const CheckOptions& options = {});
/// Builds the index anew: from index, index.prev, the logs and, last, the message files. Keeps uids
/// and uidvalidity; never removes a message file.
Result<std::vector<Finding>> reconstruct(Store& store, const meta::MailboxEntry& entry);

/// For a directory that the list doesn't name: since when (seconds UTC) its mailbox is deleted, or
/// was begun and never made. Nothing: it belongs into the list.
/// @error corrupt, io
Result<std::optional<std::int64_t>> abandoned_since(Store& store, const std::string& directory);
/// The list entry that the header in `directory` holds.
/// @error corrupt, no_such_object
Result<meta::MailboxEntry> read_header(const std::string& directory);
/// Directories of all mailboxes of a partition, for rebuild-list and orphan search.
Result<std::vector<std::string>> mailbox_directories(const std::string& partition_path);

}  // namespace postern::store
