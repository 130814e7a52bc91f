// Who handed the message to the site's MTA, as that MTA wrote it down.
#pragma once

#include <string>
#include <string_view>

namespace postern::site {

struct Remote {
  std::string ip;    // RFC 5321 §4.1.3 without its brackets: "192.0.2.1", "2001:db8::1"
  std::string host;  // what the MTA found for the address in the DNS
};

/// From the second Received field: the first is ours, the one below is that of the site's MTA
/// (RFC 5321 §4.4: "from HELO (HOST [ADDRESS])"; also Exim's "from HOST ([ADDRESS] helo=HELO)").
/// Both are empty for mail that began there or where the field says nothing.
Remote remote_of(std::string_view message);

}  // namespace postern::site
