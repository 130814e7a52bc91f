// Core::list: merges the runs of the mailboxes list that are the asker's own with the rows that
// the reverse ACL table has for the asker, "anyone" and the asker's groups.
#include <algorithm>

#include "lib/base/wire.h"
#include "lib/meta/core.h"

namespace postern::meta {
namespace {

constexpr std::size_t kMostPageOctets = 4U << 20;  // a page fits a frame well
constexpr char kLevelKey = '\x01';                 // MailboxName::key()

/// Rows found so far, in one buffer, with where each begins.
class Found {
 public:
  void add(std::string_view key, std::string_view value) {
    rows_.push_back({bytes_.size(), key.size(), value.size()});
    bytes_.append(key).append(value);
  }
  [[nodiscard]] std::size_t octets() const { return bytes_.size(); }
  /// All keys in order, each once, none after `limit`.
  ListPage page(std::string_view limit, bool more, bool sorted) {
    if (!sorted) sort();
    WireWriter out;
    ListPage page;
    for (const auto& row : rows_) {
      if (more && key(row) > limit) break;
      out.put_bytes(key(row));
      out.put_bytes(value(row));
    }
    page.rows = std::move(out).bytes();
    page.more = more;
    if (more) page.last = limit;
    return page;
  }

 private:
  struct Row {
    std::size_t at, key_size, value_size;
  };
  [[nodiscard]] std::string_view key(const Row& row) const {
    return std::string_view(bytes_).substr(row.at, row.key_size);
  }
  [[nodiscard]] std::string_view value(const Row& row) const {
    return std::string_view(bytes_).substr(row.at + row.key_size, row.value_size);
  }
  void sort() {
    std::ranges::sort(rows_, [&](const Row& a, const Row& b) { return key(a) < key(b); });
    const auto same = [&](const Row& a, const Row& b) { return key(a) == key(b); };
    rows_.erase(std::unique(rows_.begin(), rows_.end(), same), rows_.end());
  }

  std::string bytes_;
  std::vector<Row> rows_;
};

bool within(std::string_view key, std::string_view root) {
  return key.starts_with(root) && (key.size() == root.size() || key[root.size()] == kLevelKey);
}

/// Runs of keys to walk: a root's key, or everything ("").
struct Run {
  std::string identifier;  // empty: the mailboxes list itself
  std::string root;
};

std::vector<std::string> identifiers_of(const Identity& who) {
  std::vector<std::string> out = who.groups;
  out.emplace_back("anyone");
  if (who.anonymous) out.emplace_back("anonymous");
  if (!who.anonymous && !who.user.empty()) out.push_back(who.user.text());
  return out;
}

void add_runs(const Identity& who, const MailboxName& root, std::vector<Run>& runs) {
  const std::string key = root.empty() ? std::string() : root.key();
  if (who.admin) {
    runs.push_back({"", key});
    return;
  }
  if (!who.user.empty() && !who.anonymous) {
    const MailboxName own = MailboxName::inbox_of(who.user);
    if (!root.empty() && root.is_within(own)) {
      runs.push_back({"", key});
      return;
    }
    if (root.empty() || own.is_within(root)) runs.push_back({"", own.key()});
  }
  for (auto& identifier : identifiers_of(who)) runs.push_back({std::move(identifier), key});
}

std::vector<Run> runs_of(const ListScope& scope) {
  std::vector<Run> runs;
  if (scope.roots.empty()) add_runs(scope.who, MailboxName(), runs);
  for (const auto& root : scope.roots) add_runs(scope.who, root, runs);
  return runs;
}

}  // namespace

Result<ListPage> Core::list(const ListScope& scope, std::string_view after, std::size_t most) {
  return walk(scope, after, most, false);
}

Result<ListPage> Core::list_special(const ListScope& scope, std::string_view after,
                                    std::size_t most) {
  return walk(scope, after, most, true);
}

Result<ListPage> Core::walk(const ListScope& scope, std::string_view after, std::size_t most,
                            bool only_special) {
  Found found;
  bool more = false;
  std::string limit;
  std::vector<std::string> shared;
  std::size_t sources = 0;
  for (const auto& run : runs_of(scope)) {
    const bool direct = run.identifier.empty();
    const std::string head = direct ? std::string() : run.identifier + '\0';
    const std::string first = head + std::max<std::string>(run.root, std::string(after));
    db::Table& table = direct ? tables_.mailboxes.raw() : tables_.rights;
    std::size_t count = 0;
    TRY(table.scan(nullptr, first, [&](std::string_view key, std::string_view value) {
      if (!key.starts_with(head)) return false;
      key.remove_prefix(head.size());
      if (!run.root.empty() && !within(key, run.root)) return false;
      if (!after.empty() && key <= after) return true;
      if (direct) {
        if (only_special && !MailboxCodec::has_special_use(value)) return true;
        found.add(key, value);
      } else {
        shared.emplace_back(key);
      }
      if (++count < most && found.octets() < kMostPageOctets) return true;
      if (!more || key < limit) limit = key;
      more = true;
      return false;
    }));
    if (count > 0 && direct) ++sources;
  }
  for (const auto& key : shared) {
    const auto value = TRY(tables_.mailboxes.raw().get(nullptr, key));
    if (value && (!only_special || MailboxCodec::has_special_use(*value))) found.add(key, *value);
  }
  return found.page(limit, more, sources <= 1 && shared.empty());
}

/// Looks below `root` only as far as the first one that `who` may look up.
Result<bool> Core::has_children(const Identity& who, const MailboxName& root) {
  std::vector<Run> runs;
  add_runs(who, root, runs);
  const std::string below = root.key() + kLevelKey;
  bool found = false;
  Result<void> problem;
  const auto is_visible = [&](std::string_view key, std::string_view value) {
    const auto name = MailboxName::from_key(key);
    const auto entry = name ? MailboxCodec::parse(value) : Error(name.error());
    if (!entry) problem = Error(entry.error());
    found = entry && entry->acl.rights_of(who, *name).has(Right::lookup);
    return !found && problem;
  };
  for (const auto& run : runs) {
    if (run.identifier.empty()) {
      TRY(tables_.mailboxes.raw().scan_prefix(nullptr, below, is_visible));
    } else {
      const std::string head = run.identifier + '\0';
      std::vector<std::string> keys;
      TRY(tables_.rights.scan_prefix(nullptr, head + below, [&](std::string_view key, auto) {
        keys.emplace_back(key.substr(head.size()));
        return true;
      }));
      for (const auto& key : keys) {
        const auto value = TRY(tables_.mailboxes.raw().get(nullptr, key));
        if (value && !is_visible(key, *value)) break;
      }
    }
    TRY(std::move(problem));
    if (found) return true;
  }
  return false;
}

Result<std::string> Core::look_up(const Identity& who, const std::vector<MailboxName>& names,
                                  bool children) {
  WireWriter out;
  for (const auto& name : names) {
    const auto value = TRY(tables_.mailboxes.raw().get(nullptr, name.key()));
    out.put_bytes(value ? *value : std::string());
    const bool below = children && TRY(has_children(who, name));
    out.put(static_cast<std::uint8_t>(below));
  }
  return std::move(out).bytes();
}

Result<std::vector<LookedUp>> read_looked_up(std::string_view rows, const Identity& who,
                                             const std::vector<MailboxName>& names) {
  WireReader in(rows);
  std::vector<LookedUp> out;
  out.reserve(names.size());
  for (const auto& name : names) {
    LookedUp& one = out.emplace_back();
    const auto value = TRY(in.take_bytes());
    const auto below = TRY(in.take<std::uint8_t>());
    one.has_children = below != 0;
    if (value.empty()) continue;
    ListedMailbox listed;
    listed.entry = TRY(MailboxCodec::parse(value));
    listed.entry.name = name;
    listed.rights = listed.entry.acl.rights_of(who, name);
    if (listed.rights.has(Right::lookup)) one.mailbox = std::move(listed);
  }
  return out;
}

Result<void> read_page(const ListPage& page, const Identity& who, std::vector<ListedMailbox>& out) {
  WireReader in(page.rows);
  while (!in.at_end()) {
    const auto key = TRY(in.take_bytes());
    ListedMailbox listed;
    listed.entry = TRY(MailboxCodec::parse(TRY(in.take_bytes())));
    listed.entry.name = TRY(MailboxName::from_key(key));
    listed.rights = listed.entry.acl.rights_of(who, listed.entry.name);
    if (listed.rights.has(Right::lookup)) out.push_back(std::move(listed));
  }
  return {};
}

}  // namespace postern::meta
