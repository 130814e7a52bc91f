// The names for LIST and LSUB: see mailbox_list.h.
#include "imapd/mailbox_list.h"

namespace postern::imap {
namespace {

// The trees to look through, or none for everything, when some pattern begins with a wildcard. A
// level that can't be a mailbox has nothing below, except a namespace's prefix.
std::vector<meta::MailboxName> roots_of(const Context& ctx,
                                        const std::vector<ListPattern>& patterns) {
  std::vector<meta::MailboxName> roots;
  for (const ListPattern& pattern : patterns) {
    const std::string levels = pattern.fixed_levels();
    const auto root = levels.empty() ? Result<meta::MailboxName>(fail(Errc::bad_syntax, "all"))
                                     : ctx.names().to_internal(levels);
    if (!root) return {};
    roots.push_back(*root);
  }
  return roots;
}

// Adds the levels above each name and marks who has children.
void add_parents(NameList& names) {
  // Nodes of a map stay where they are while others come.
  std::vector<const NameList::value_type*> all;
  for (const auto& row : names)
    if (row.first.find('/') != std::string::npos && (row.second.entry || row.second.subscribed))
      all.push_back(&row);
  for (const auto* const row : all) {
    const std::string& name = row->first;
    const bool exists = row->second.entry.has_value();
    const bool subscribed = row->second.subscribed || row->second.has_subscribed_children;
    for (std::size_t slash = name.rfind('/'); slash != std::string::npos && slash > 0;
         slash = name.rfind('/', slash - 1)) {
      ListedName& above = names[name.substr(0, slash)];
      above.has_children = above.has_children || exists;
      above.has_subscribed_children = above.has_subscribed_children || subscribed;
    }
  }
}

}  // namespace

Result<NameList> visible_names(Context& ctx, const std::vector<ListPattern>& patterns,
                               bool subscriptions) {
  NameList names;
  const meta::Namespace space = ctx.names();
  for (auto& listed : TRY(ctx.back.meta.list({ctx.conn.who, roots_of(ctx, patterns)}))) {
    // They come nearly in the order of the map.
    ListedName& name = names.try_emplace(names.end(), space.to_client(listed.entry.name))->second;
    name.rights = listed.rights;
    name.entry = std::move(listed.entry);
  }
  if (subscriptions)
    for (const std::string& name : TRY(ctx.back.meta.subscriptions(ctx.conn.who.user)))
      names[name].subscribed = true;
  add_parents(names);
  return names;
}

}  // namespace postern::imap
