#include "tests/unit/lmtpd/fake_store.h"

#include "lib/store/store.h"

namespace postern::store {
namespace fake {

State& state() {
  static State the_state;
  return the_state;
}

}  // namespace fake

struct Staged::Impl {
  std::string bytes;
};
Staged::Staged(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Staged::Staged(Staged&&) noexcept = default;
Staged& Staged::operator=(Staged&&) noexcept = default;
Staged::~Staged() = default;
Result<void> Staged::add(std::string_view bytes) {
  if (impl_->bytes.size() + bytes.size() > fake::state().fail_stage_at)
    return fail(Errc::io, "write t.1: ENOSPC");
  impl_->bytes.append(bytes);
  return {};
}
std::uint64_t Staged::size() const { return impl_->bytes.size(); }
Result<std::string_view> Staged::bytes() { return std::string_view(impl_->bytes); }

struct Mailbox::Impl {
  const std::vector<fake::Message>* messages = nullptr;
  std::vector<char> block;
};
Mailbox::Mailbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Mailbox::~Mailbox() = default;
std::optional<RecNo> Mailbox::lower_bound(Uid uid) const {
  if (uid.value() > impl_->messages->size()) return std::nullopt;
  return RecNo(std::max(uid.value(), 1U) - 1);
}
View Mailbox::snapshot() {
  View view;
  view.words_.assign(1, 0);
  for (std::size_t i = 0; i < impl_->messages->size(); ++i)
    if (!(*impl_->messages)[i].expunged) view.words_[0] |= 1ULL << i;
  return view;
}
bool View::shows(RecNo record) const { return (words_[0] >> record.value() & 1) != 0; }
const char* Mailbox::touch(std::uint32_t number) const {
  impl_->block.assign(block::bytes(number), 0);
  for (std::uint32_t i = 0; i < impl_->messages->size(); ++i)
    *BlockPtr{impl_->block.data(), block::size(number)}.at<std::uint32_t>(column::kUid, i) = i + 1;
  return impl_->block.data();
}

struct Store::Impl {
  explicit Impl(meta::Meta& m) : meta(m) {}
  meta::Meta& meta;
};
Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;
Result<std::unique_ptr<Store>> Store::open(const config::Config&, meta::Meta& meta, ChangeBoard&) {
  fake::state() = {};
  return std::unique_ptr<Store>(new Store(std::make_unique<Impl>(meta)));
}
Result<meta::MailboxEntry> Store::create(const meta::MailboxName& name, const meta::Acl& acl,
                                         std::string_view special_use, std::string_view) {
  meta::NewMailbox fresh;
  fresh.name = name;
  fresh.id = random_mailbox_id();
  fresh.acl = acl;
  fresh.special_use = special_use;
  return impl_->meta.create(fresh);
}
Result<std::shared_ptr<Mailbox>> Store::open_mailbox(const meta::MailboxEntry& entry) {
  auto impl = std::make_unique<Mailbox::Impl>();
  impl->messages = &fake::state().mailboxes[entry.id];
  return std::shared_ptr<Mailbox>(new Mailbox(std::move(impl)));
}
Staged Store::stage() { return Staged(std::make_unique<Staged::Impl>()); }
std::vector<Result<Appended>> Store::deliver(Staged& message, std::int64_t internal_date,
                                             std::span<const DeliveryTarget> targets) {
  auto& state = fake::state();
  ++state.deliver_calls;
  std::vector<Result<Appended>> out;
  for (const auto& target : targets) {
    const MailboxId& id = target.mailbox.id;
    if (const auto bad = state.failing.find(id); bad != state.failing.end()) {
      out.emplace_back(fail(bad->second, "made to fail"));
      continue;
    }
    auto& messages = state.mailboxes[id];
    messages.push_back({std::string(message.bytes().value()), internal_date, false, target.flags});
    Appended appended;
    appended.uid = Uid(static_cast<std::uint32_t>(messages.size()));
    appended.uidvalidity = target.mailbox.uidvalidity;
    out.emplace_back(appended);
  }
  return out;
}

}  // namespace postern::store
