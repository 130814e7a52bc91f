// Notifications to web services: a JSON object by POST (notify "https://…").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "sieve/action.h"

namespace postern::site {

/// Whether `url` lies below one of `prefixes` (sieve.webhooks): the same scheme, host and port, and
/// a path that begins with the prefix's; without dot segments or user names.
bool webhook_allowed(const std::vector<std::string>& prefixes, std::string_view url);

/// What the service gets: user, recipient, sender, from, subject, message, importance, options.
struct WebhookFacts {
  std::string user, recipient, sender;
};
std::string webhook_json(const sieve::Notify& notify, const WebhookFacts& facts);

/// Follows no redirection, asks no proxy, takes 10 seconds at most. A 2xx is success.
/// @pre  webhook_allowed
/// @error no_permission  the service answered 4xx
/// @error unavailable    anything else
Result<void> post_json(const std::string& url, const std::string& json);

}  // namespace postern::site
