// Duplicate actions of one run (RFC 5228 §2.10.3).
#include "sieve/resolve.h"

#include "lib/base/text.h"

namespace postern::sieve {
namespace {

bool same_mailbox(std::string_view a, std::string_view b) {
  return a == b || (iequals(a, "INBOX") && iequals(b, "INBOX"));
}

bool is_inbox(const Action& action) {
  if (std::holds_alternative<Keep>(action)) return true;
  const auto* file = std::get_if<FileInto>(&action);
  return file != nullptr && iequals(file->target.mailbox, "INBOX") &&
         file->target.mailbox_id.empty() && file->target.special_use.empty();
}

bool same(const Action& a, const Action& b, bool stored) {
  if (stored && std::holds_alternative<Keep>(a) != std::holds_alternative<Keep>(b)) return false;
  if (is_inbox(a) || is_inbox(b)) return is_inbox(a) && is_inbox(b);
  if (const auto* x = std::get_if<FileInto>(&a)) {
    const auto* y = std::get_if<FileInto>(&b);
    return y != nullptr && same_mailbox(x->target.mailbox, y->target.mailbox) &&
           x->target.mailbox_id == y->target.mailbox_id &&
           iequals(x->target.special_use, y->target.special_use);
  }
  if (const auto* x = std::get_if<Redirect>(&a)) {
    const auto* y = std::get_if<Redirect>(&b);
    return y != nullptr && iequals(x->address, y->address);
  }
  if (const auto* x = std::get_if<Notify>(&a)) {
    const auto* y = std::get_if<Notify>(&b);
    return y != nullptr && x->method == y->method && x->message == y->message;
  }
  return std::holds_alternative<Discard>(a) && std::holds_alternative<Discard>(b);
}

std::vector<std::string>* flags_of(Action& action) {
  if (auto* keep = std::get_if<Keep>(&action)) return &keep->flags;
  if (auto* file = std::get_if<FileInto>(&action)) return &file->target.flags;
  return nullptr;
}

// What the later of two same actions adds to the one that stays.
void merge(Action& kept, Action& later) {
  if (auto* flags = flags_of(kept)) *flags = std::move(*flags_of(later));
  auto* file = std::get_if<FileInto>(&kept);
  const auto* other = std::get_if<FileInto>(&later);
  if (file != nullptr && other != nullptr)
    file->target.create = file->target.create || other->target.create;
  // One of two that takes the place of the implicit keep makes both of them do.
  if (file != nullptr) file->copy = file->copy && other != nullptr && other->copy;
  if (auto* redirect = std::get_if<Redirect>(&kept))
    redirect->copy = redirect->copy && std::get<Redirect>(later).copy;
}

}  // namespace

void resolve(Outcome& outcome, bool stored) {
  std::vector<Step> kept;
  for (auto& step : outcome.actions) {
    Step* twin = nullptr;
    for (auto& other : kept)
      if (same(other.action, step.action, stored)) twin = &other;
    if (twin != nullptr)
      merge(twin->action, step.action);
    else
      kept.push_back(std::move(step));
  }
  outcome.actions = std::move(kept);
}

}  // namespace postern::sieve
