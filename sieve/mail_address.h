// Mail addresses as tests and actions of a script see them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/mime/address.h"
#include "sieve/code.h"

namespace postern::sieve {

/// The part of the address (RFC 5228 §2.7.4, RFC 5233 §4); nothing if it has no such part.
/// `separators`: characters between user and detail; the first one found counts.
std::optional<std::string> part_of(const mime::Address& address, AddressPart part,
                                   std::string_view separators);

/// The one mailbox with a domain that `text` is, else nothing: "a@b.c" or "Name <a@b.c>".
std::optional<mime::Address> single_address(std::string_view text);

/// Equal as addresses: any case (RFC 5321 §2.4 allows case in local parts, nobody uses it).
bool same_address(std::string_view a, std::string_view b);

}  // namespace postern::sieve
