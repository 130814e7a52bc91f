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

/// What to ask the list about, and whose answer it is.
class Questions {
 public:
  Questions(const Context& ctx, bool children) : space_(ctx.names()), children_(children) {}

  /// False if only a walk through the list knows: the prefix of a namespace.
  bool add(const std::string& name, ListedName& row) {
    const auto internal = space_.to_internal(name);
    if (!internal) return internal.error().code != Errc::no_such_mailbox;
    // Another spelling of a name is the name of nothing.
    if (space_.to_client(*internal) != name) return true;
    ask(*internal, row, false);
    if (children_ && name == "INBOX")  // The personal names are below it inside only.
      if (const auto below = internal->child(name)) ask(*below, row, true);
    return true;
  }

  Result<void> answer(Context& ctx) {
    auto found = TRY(ctx.back.meta.look_up(ctx.conn.who, names_, children_));
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto& [row, only_below] = rows_[i];
      if (only_below) {
        row->has_children = found[i].has_children || found[i].mailbox;
        continue;
      }
      row->has_children = found[i].has_children;
      if (!found[i].mailbox) continue;
      row->rights = found[i].mailbox->rights;
      row->entry = std::move(found[i].mailbox->entry);
    }
    return {};
  }

 private:
  void ask(const meta::MailboxName& name, ListedName& row, bool only_below) {
    names_.push_back(name);
    rows_.emplace_back(&row, only_below);
  }

  meta::Namespace space_;
  bool children_;
  std::vector<meta::MailboxName> names_;
  std::vector<std::pair<ListedName*, bool>> rows_;  // true: asked for what is below it
};

/// The entries of those that have one, for subscriptions only.
Result<void> add_special_uses(Context& ctx, const std::vector<ListPattern>& patterns,
                              NameList& names) {
  const meta::Namespace space = ctx.names();
  for (auto& listed : TRY(ctx.back.meta.list_special({ctx.conn.who, roots_of(ctx, patterns)}))) {
    const auto at = names.find(space.to_client(listed.entry.name));
    if (at == names.end()) continue;
    at->second.rights = listed.rights;
    at->second.entry = std::move(listed.entry);
  }
  return {};
}

Result<NameList> walk(Context& ctx, const std::vector<ListPattern>& patterns,
                      const std::vector<std::string>& subscriptions) {
  NameList names;
  const meta::Namespace space = ctx.names();
  for (auto& listed : TRY(ctx.back.meta.list({ctx.conn.who, roots_of(ctx, patterns)}))) {
    // They come nearly in the order of the map.
    ListedName& name = names.try_emplace(names.end(), space.to_client(listed.entry.name))->second;
    name.rights = listed.rights;
    name.entry = std::move(listed.entry);
  }
  for (const std::string& name : subscriptions) names[name].subscribed = true;
  add_parents(names);
  return names;
}

/// False: only a walk tells.
Result<bool> look_up_all(Context& ctx, const std::vector<NameList::value_type*>& rows,
                         Subscribed need) {
  Questions questions(ctx, need != Subscribed::uses);
  for (auto* const row : rows)
    if (!questions.add(row->first, row->second) && need != Subscribed::uses) return false;
  TRY(questions.answer(ctx));
  return true;
}

}  // namespace

Result<NameList> subscribed_names(Context& ctx, const std::vector<ListPattern>& patterns,
                                  Subscribed need) {
  constexpr std::size_t kFew = 64;  // more are found sooner by a walk than one by one
  const auto subscriptions = TRY(ctx.back.meta.subscriptions(ctx.conn.who.user));
  // What is below a name is another matter where a domain stands at a name's end.
  if (ctx.conn.who.admin) return walk(ctx, patterns, subscriptions);
  NameList names;
  for (const std::string& name : subscriptions)
    names.try_emplace(names.end(), name)->second.subscribed = true;
  add_parents(names);
  std::vector<NameList::value_type*> wanted;
  for (auto& row : names)
    if ((row.second.subscribed || need == Subscribed::names_and_levels) &&
        matches_any(patterns, row.first))
      wanted.push_back(&row);
  if (wanted.size() > kFew && need == Subscribed::uses) {
    TRY(add_special_uses(ctx, patterns, names));
    return names;
  }
  if (wanted.size() <= kFew && TRY(look_up_all(ctx, wanted, need))) return names;
  return walk(ctx, patterns, subscriptions);
}

Result<NameList> visible_names(Context& ctx, const std::vector<ListPattern>& patterns,
                               bool subscriptions) {
  std::vector<std::string> subscribed;
  if (subscriptions) subscribed = TRY(ctx.back.meta.subscriptions(ctx.conn.who.user));
  return walk(ctx, patterns, subscribed);
}

}  // namespace postern::imap
