// Numbers and names that look alike and must never be mixed.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/strong.h"

namespace postern {

using Uid = Strong<struct UidTag, std::uint32_t>;                  // 1..2^32-1, per mailbox
using SeqNum = Strong<struct SeqNumTag, std::uint32_t>;            // 1..EXISTS, shifts on EXPUNGE
using ModSeq = Strong<struct ModSeqTag, std::uint64_t>;            // 63 bits, RFC 7162 §3.1
using UidValidity = Strong<struct UidValidityTag, std::uint32_t>;  // 1..2^32-1, RFC 9051 §2.3.1.1

/// A fixed number of opaque bytes; text form is lower-case hex.
template <typename Tag, std::size_t N>
struct OpaqueId {
  std::array<unsigned char, N> bytes{};

  [[nodiscard]] bool empty() const { return *this == OpaqueId{}; }
  [[nodiscard]] std::string hex() const;
  /// @error bad_syntax  not exactly 2*N hex digits
  static Result<OpaqueId> from_hex(std::string_view text);
  friend auto operator<=>(const OpaqueId&, const OpaqueId&) = default;
};

/// 128 random bits, made when the mailbox is; names its directory. RENAME keeps it.
using MailboxId = OpaqueId<struct MailboxIdTag, 16>;
/// SHA-256 of a message file's octets as stored (CRLF, with our trace fields).
using Guid = OpaqueId<struct GuidTag, 32>;
/// 128 random bits for a user; names the user's directory in the partition.
using UserId = OpaqueId<struct UserIdTag, 16>;

extern template struct OpaqueId<struct MailboxIdTag, 16>;
extern template struct OpaqueId<struct GuidTag, 32>;
extern template struct OpaqueId<struct UserIdTag, 16>;

/// 16 bytes from the kernel's generator.
MailboxId random_mailbox_id();
UserId random_user_id();

}  // namespace postern

template <typename Tag, std::size_t N>
struct std::hash<postern::OpaqueId<Tag, N>> {
  // Ids are random or digests: their first eight bytes are as good as any hash.
  std::size_t operator()(const postern::OpaqueId<Tag, N>& id) const {
    std::size_t h;
    std::memcpy(&h, id.bytes.data(), sizeof h);
    return h;
  }
};
