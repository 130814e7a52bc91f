// The mail that a script's actions send: vacation replies and mailto notifications, as octets ready
// for submission (RFC 5230 §5, RFC 5436 §2.7).
#pragma once

#include <cstdint>
#include <string>

#include "sieve/action.h"

namespace postern::sieve {

/// What a new message needs besides its action.
struct Origin {
  std::string user_address;  // of the script's owner
  std::string message_id;    // new and unique, with its angle brackets
  std::int64_t now = 0;      // seconds since 1970 UTC
  int zone_minutes = 0;
};

/// Envelope: sender <>, recipient action.to, NOTIFY=NEVER where the MTA has it.
std::string compose_vacation(const Vacation& action, const Origin& origin);

/// Envelope: recipients are parse_mailto(action.method)'s to and cc; sender <> if the message's
/// was, else the user's address.
/// @pre action.method is a mailto URI that the engine let pass
std::string compose_notification(const Notify& action, const Origin& origin);

}  // namespace postern::sieve
