// Messages in: staging, delivery to many mailboxes, APPEND. doc/locking.md, "Delivery".
#include <fcntl.h>
#include <sys/mman.h>

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/store/fs.h"
#include "lib/store/store_impl.h"

namespace postern::store {

Staged::Impl::~Impl() {
  if (map != nullptr) fs().unmap(map, mapped);
  if (file) (void)fs().unlink(path);
}

Staged::Staged(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Staged::Staged(Staged&&) noexcept = default;
Staged& Staged::operator=(Staged&&) noexcept = default;
Staged::~Staged() = default;

Staged Store::stage() {
  auto impl = std::make_unique<Staged::Impl>();
  impl->shared = &impl_->shared;
  impl->directory = impl_->partitions.begin()->second;
  if (const auto at = impl_->partitions.find("default"); at != impl_->partitions.end())
    impl->directory = at->second;
  return Staged(std::move(impl));
}

Result<void> Staged::add(std::string_view bytes) {
  Impl& s = *impl_;
  if (!s.file && s.memory.size() + bytes.size() > s.shared->stage_memory) {
    s.path = s.directory + "/t." + random_hex(12);
    s.file = TRY(fs().open(s.path, O_RDWR | O_CREAT | O_EXCL));
    TRY(fs().write_at(s.file.get(), 0, s.memory));
    s.memory = {};
  }
  if (s.file)
    TRY(fs().write_at(s.file.get(), s.size, bytes));
  else
    s.memory.append(bytes);
  s.size += bytes.size();
  return {};
}

std::uint64_t Staged::size() const { return impl_->size; }

Result<std::string_view> Staged::bytes() {
  Impl& s = *impl_;
  if (!s.file) return std::string_view(s.memory);
  if (s.mapped != s.size) {
    if (s.map != nullptr) fs().unmap(s.map, s.mapped);
    s.map = nullptr;
    s.map = TRY(fs().map(s.file.get(), s.size, false));
    s.mapped = s.size;
  }
  return std::string_view(s.map, s.size);
}

namespace {

/// A message that is ready to become files and records.
struct Ready {
  FileFacts facts;
  std::string_view bytes;
  BuiltFacts built;

  [[nodiscard]] Row row() const {
    Row row = row_of(0, facts);
    row.sent_date = built.sent_date.value_or(facts.internal_date);
    return row;
  }
};

Result<Ready> make_ready(Staged& message, std::int64_t date, std::int16_t zone) {
  Ready ready;
  ready.bytes = TRY(message.bytes());
  ready.facts = {.size = ready.bytes.size(),
                 .internal_date = date,
                 .save_date = wall_seconds(),
                 .zone = zone,
                 .guid = guid_of(ready.bytes)};
  ready.built = build_cache_record(ready.bytes, ready.facts.guid);
  return ready;
}

Result<void> set_flags(KeywordPlan& plan, Row& row, const NamedFlags& flags) {
  const KeywordBits keywords = TRY(plan.resolve(flags.keywords, true));
  row.flags = flags.system & flag::all;
  row.keywords = keywords.low;
  row.more = plan.intern(keywords.more);
  return {};
}

/// The first file of a message: from its staging file if it has one, else written.
Result<void> first_file(SpoolBatch& batch, Staged& message, const Ready& ready,
                        const std::string& path) {
  Staged::Impl& staged = StoreAccess::impl(message);
  if (!staged.file) return batch.create(path, ready.bytes, ready.facts);
  TRY(batch.adopt(TRY(fs().open(staged.path, O_RDWR)), ready.facts));
  return batch.link(staged.path, path);
}

/// One recipient on its way.
struct Recipient {
  std::size_t number = 0;
  std::shared_ptr<Mailbox> mailbox;
  meta::Reservation quota;
  std::optional<Intake> intake;

  [[nodiscard]] MailboxFiles& files() const { return MailboxAccess::impl(*mailbox).files; }
  [[nodiscard]] std::string path() const { return files().message_path(intake->uid(0)); }
};

class Delivery {
 public:
  Delivery(Store& store, Staged& message, Ready ready, std::span<const DeliveryTarget> targets)
      : store_(store),
        impl_(StoreAccess::impl(store)),
        message_(message),
        ready_(std::move(ready)),
        targets_(targets),
        results_(targets.size(), Result<Appended>(Appended{})) {}

  std::vector<Result<Appended>> run() {
    each([&](Recipient& r) { return reserve(r); });
    each([&](Recipient& r) { return write_name(r); });
    const auto durable = batch_.commit();
    if (!durable) batch_.undo();
    each([&](Recipient& r) { return durable ? publish(r) : durable; });
    return std::move(results_);
  }

 private:
  template <typename Step>
  void each(Step step) {
    if (recipients_.empty() && !begun_)
      for (std::size_t i = 0; i < targets_.size(); ++i) recipients_.emplace_back().number = i;
    begun_ = true;
    std::erase_if(recipients_, [&](Recipient& r) {
      auto done = step(r);
      if (done) return false;
      results_[r.number] = done.error();
      if (r.quota.id != 0) impl_.meta.release(r.quota);
      return true;
    });
  }

  Result<void> reserve(Recipient& r) {
    r.mailbox = TRY(store_.open_mailbox(targets_[r.number].mailbox));
    r.quota = TRY(impl_.meta.reserve(targets_[r.number].mailbox.id, ready_.facts.size, 1));
    r.intake.emplace(TRY(Intake::reserve(r.files(), 1)));
    return {};
  }

  Result<void> write_name(Recipient& r) {
    const std::string path = r.path();
    TRY(first_.empty() ? first_file(batch_, message_, ready_, path) : batch_.link(first_, path));
    if (first_.empty()) first_ = path;
    return {};
  }

  Result<void> publish(Recipient& r) {
    std::vector<Row> rows{ready_.row()};
    TRY(r.intake->write(
        std::move(rows), [&](std::size_t) { return std::string_view(ready_.built.record); },
        [&](KeywordPlan& plan, std::span<Row> row) {
          return set_flags(plan, row[0], targets_[r.number].flags);
        }));
    const Uid uid(r.intake->uid(0));
    const ModSeq modseq = TRY(r.intake->publish());
    results_[r.number] = Appended{uid, r.files().uidvalidity, modseq, ready_.facts.guid};
    report_usage(r.files(), r.intake->after(), r.quota);
    r.quota = {};
    return {};
  }

  Store& store_;
  Store::Impl& impl_;
  Staged& message_;
  Ready ready_;
  std::span<const DeliveryTarget> targets_;
  std::vector<Result<Appended>> results_;
  std::vector<Recipient> recipients_;
  bool begun_ = false;
  SpoolBatch batch_;
  std::string first_;
};

}  // namespace

std::vector<Result<Appended>> Store::deliver(Staged& message, std::int64_t internal_date,
                                             std::span<const DeliveryTarget> targets) {
  auto ready = make_ready(message, internal_date, 0);
  if (!ready) return std::vector<Result<Appended>>(targets.size(), ready.error());
  return Delivery(*this, message, std::move(*ready), targets).run();
}

Result<std::vector<Appended>> Store::append(const meta::MailboxEntry& entry,
                                            std::span<AppendItem> items) {
  const auto mailbox = TRY(open_mailbox(entry));
  MailboxFiles& files = MailboxAccess::impl(*mailbox).files;
  std::vector<Ready> ready;
  std::uint64_t bytes = 0;
  for (AppendItem& item : items) {
    ready.push_back(TRY(make_ready(*item.message, item.internal_date, item.internal_zone)));
    bytes += ready.back().facts.size;
  }
  if (items.empty()) return std::vector<Appended>();
  const auto held = TRY(impl_->meta.reserve(entry.id, bytes, items.size()));
  struct Quota {
    meta::Meta& meta;
    meta::Reservation held;
    ~Quota() {
      if (held.id != 0) meta.release(held);
    }
  } quota{impl_->meta, held};
  const bool many = items.size() > 1;
  auto intake = TRY(Intake::reserve(files, static_cast<std::uint32_t>(items.size()),
                                    many ? impl_->new_txn() : 0));
  intake.read_by(MailboxAccess::impl(*mailbox).reader);
  const auto write = [&]() -> Result<void> {
    std::vector<Row> rows;
    rows.reserve(ready.size());
    for (const Ready& r : ready) rows.push_back(r.row());
    return intake.write(
        std::move(rows), [&](std::size_t i) { return std::string_view(ready[i].built.record); },
        [&](KeywordPlan& plan, std::span<Row> all) -> Result<void> {
          for (std::size_t i = 0; i < all.size(); ++i) TRY(set_flags(plan, all[i], items[i].flags));
          return {};
        });
  };
  SpoolBatch batch;
  const auto spool = [&]() -> Result<void> {
    for (std::size_t i = 0; i < items.size(); ++i)
      TRY(first_file(batch, *items[i].message, ready[i], files.message_path(intake.uid(i))));
    return batch.commit();
  };
  // Several messages are all stored or none (RFC 3502): the prepare record comes before the files.
  if (many) TRY(write());
  if (auto spooled = spool(); !spooled) {
    batch.undo();
    return spooled.error();
  }
  if (!many)
    if (auto written = write(); !written) {
      batch.undo();
      return written.error();
    }
  const ModSeq modseq = TRY(intake.publish());
  TRY(files.sync_log());
  std::vector<Appended> appended;
  for (std::size_t i = 0; i < items.size(); ++i)
    appended.push_back({Uid(intake.uid(i)), files.uidvalidity, modseq, ready[i].facts.guid});
  report_usage(files, intake.after(), std::exchange(quota.held, {}));
  return appended;
}

}  // namespace postern::store
