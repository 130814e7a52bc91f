// The mailbox names that a client can see, for LIST and LSUB: existing mailboxes, the levels above
// them that are none, and subscriptions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imapd/context.h"
#include "imapd/list_pattern.h"
#include "lib/meta/meta.h"

namespace postern::imap {

struct ListedName {
  std::optional<meta::MailboxEntry> entry;  // nothing: no such mailbox, a level or a subscription
  meta::Rights rights;
  bool subscribed = false;
  bool has_children = false;             // some visible mailbox is below
  bool has_subscribed_children = false;  // some subscribed name is below
};

/// By the client's name, UTF-8.
using NameList = std::map<std::string, ListedName>;

/// What is looked up about subscriptions: their special uses; all; all about the levels above too.
enum class Subscribed : std::uint8_t { uses, names, names_and_levels };

/// All subscriptions with the levels above; what the list has on those that match `patterns`. Few
/// cost what they are, whatever else is in the list.
Result<NameList> subscribed_names(Context& ctx, const std::vector<ListPattern>& patterns,
                                  Subscribed need);

/// Everything that `patterns` could match, with the levels above.
/// @param subscriptions  look these up too
Result<NameList> visible_names(Context& ctx, const std::vector<ListPattern>& patterns,
                               bool subscriptions);

}  // namespace postern::imap
