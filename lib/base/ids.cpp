#include "lib/base/ids.h"

#include "lib/base/random.h"
#include "lib/base/text.h"

namespace postern {

template <typename Tag, std::size_t N>
std::string OpaqueId<Tag, N>::hex() const {
  return to_hex({reinterpret_cast<const char*>(bytes.data()), N});
}

template <typename Tag, std::size_t N>
Result<OpaqueId<Tag, N>> OpaqueId<Tag, N>::from_hex(std::string_view text) {
  const std::string raw = TRY(postern::from_hex(text));
  if (raw.size() != N) return fail(Errc::bad_syntax, "id of {} bytes instead of {}", raw.size(), N);
  OpaqueId id;
  std::memcpy(id.bytes.data(), raw.data(), N);
  return id;
}

template struct OpaqueId<struct MailboxIdTag, 16>;
template struct OpaqueId<struct GuidTag, 32>;
template struct OpaqueId<struct UserIdTag, 16>;

MailboxId random_mailbox_id() {
  MailboxId id;
  random_bytes(id.bytes.data(), id.bytes.size());
  return id;
}

UserId random_user_id() {
  UserId id;
  random_bytes(id.bytes.data(), id.bytes.size());
  return id;
}

}  // namespace postern
