// Core: space set aside for messages on their way. In memory only: it lapses with its session, and
// with metad, since the next report brings absolute numbers.
#include "lib/meta/core.h"

namespace postern::meta {

Result<Reservation> Core::reserve(std::uint64_t session, const MailboxId& mailbox,
                                  std::uint64_t bytes, std::uint64_t messages) {
  const auto usage = TRY(tables_.usage.get(nullptr, mailbox));
  if (!usage || usage->root.empty()) return Reservation{};
  const auto quota = TRY(tables_.quotas.get(nullptr, usage->root));
  if (!quota) return Reservation{};
  Held& held = held_[usage->root];
  const auto fits = [&](Resource resource, std::uint64_t more) {
    const auto i = static_cast<std::size_t>(resource);
    return !quota->limit[i] || quota->usage[i] + more <= *quota->limit[i];
  };
  if (!fits(Resource::storage, held.bytes + bytes) ||
      !fits(Resource::message, held.messages + messages))
    return fail(Errc::over_quota, "quota root {}: no room for {} bytes", root_text(usage->root),
                bytes);
  held.bytes += bytes;
  held.messages += messages;
  reservations_[++last_reservation_] = {session, usage->root, bytes, messages};
  return Reservation{last_reservation_};
}

void Core::unreserve(const Reserved& reserved) {
  const auto held = held_.find(reserved.root);
  if (held == held_.end()) return;
  held->second.bytes -= std::min(held->second.bytes, reserved.bytes);
  held->second.messages -= std::min(held->second.messages, reserved.messages);
  if (held->second.bytes == 0 && held->second.messages == 0) held_.erase(held);
}

void Core::release(std::uint64_t session, Reservation reservation) {
  const auto at = reservations_.find(reservation.id);
  if (at == reservations_.end() || at->second.session != session) return;
  unreserve(at->second);
  reservations_.erase(at);
}

void Core::end_session(std::uint64_t session) {
  std::erase_if(reservations_, [&](const auto& row) {
    if (row.second.session != session) return false;
    unreserve(row.second);
    return true;
  });
}

}  // namespace postern::meta
