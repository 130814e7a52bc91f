#include "lib/store/cache_file.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "lib/base/text.h"
#include "lib/mime/date_time.h"
#include "lib/mime/imap_form.h"
#include "lib/mime/message.h"
#include "lib/mime/section_table.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

// What mutt, Thunderbird, Apple Mail, K-9, Outlook, Roundcube and SORT/THREAD ask for; sorted.
constexpr std::array<std::string_view, 38> kCachedFields{"authentication-results",
                                                         "auto-submitted",
                                                         "bcc",
                                                         "bimi-indicator",
                                                         "cc",
                                                         "chat-version",
                                                         "content-class",
                                                         "content-description",
                                                         "content-type",
                                                         "date",
                                                         "delivered-to",
                                                         "disposition-notification-to",
                                                         "errors-to",
                                                         "followup-to",
                                                         "from",
                                                         "importance",
                                                         "in-reply-to",
                                                         "lines",
                                                         "list-id",
                                                         "list-post",
                                                         "list-subscribe",
                                                         "list-unsubscribe",
                                                         "mail-followup-to",
                                                         "message-id",
                                                         "newsgroups",
                                                         "precedence",
                                                         "priority",
                                                         "references",
                                                         "reply-to",
                                                         "return-path",
                                                         "sender",
                                                         "subject",
                                                         "to",
                                                         "x-label",
                                                         "x-mailer",
                                                         "x-original-to",
                                                         "x-priority",
                                                         "x-spam-flag"};
static_assert(std::ranges::is_sorted(kCachedFields));

constexpr std::uint32_t kMagic = 0x43525350;  // "PSRC"
constexpr std::uint16_t kVersion = 1;
constexpr std::uint16_t kEightBit = 1, kLimits = 2, kUtf8Differs = 4;
enum Part { kEnvelope, kBody, kStructure, kHeaders, kSections, kEnvelope8, kBody8, kStructure8 };

struct RecordHead {
  std::uint32_t magic = kMagic;
  std::uint32_t crc = 0;     // of everything behind it
  std::uint32_t length = 0;  // with this head, a multiple of 8
  std::uint16_t version = kVersion;
  std::uint16_t flags = 0;
  std::uint64_t guid = 0;  // first eight octets
  std::uint32_t sizes[8] = {};
  std::uint64_t reserved = 0;
};
static_assert(sizeof(RecordHead) == 64);

std::uint64_t prefix_of(const Guid& guid) {
  std::uint64_t prefix;
  std::memcpy(&prefix, guid.bytes.data(), sizeof prefix);
  return prefix;
}

std::string cached_headers(const mime::Message& message) {
  std::string out;
  if (message.parts.empty()) return out;
  for (const mime::Field& field : message.fields_of(message.parts[0])) {
    if (field.name.empty() || !header_is_cached(message.text(field.name))) continue;
    out += message.text(field.whole);
    if (!out.ends_with('\n')) out += "\r\n";
  }
  return out;
}

std::optional<std::int64_t> date_of(const mime::Message& message) {
  if (message.parts.empty()) return std::nullopt;
  const mime::Field* field = message.find(message.parts[0], mime::FieldId::date);
  if (field == nullptr) return std::nullopt;
  const auto when = mime::parse_date_time(message.text(field->value));
  return when ? std::optional(when->utc_seconds) : std::nullopt;
}

}  // namespace

bool header_is_cached(std::string_view name) {
  const auto at = std::ranges::lower_bound(kCachedFields, name, ILess());
  return at != kCachedFields.end() && iequals(*at, name);
}

BuiltFacts build_cache_record(std::string_view bytes, const Guid& guid) {
  const mime::Message message = mime::parse(bytes);
  std::array<std::string, 8> parts;
  parts[kEnvelope] = mime::envelope(message);
  parts[kBody] = mime::body(message);
  parts[kStructure] = mime::bodystructure(message);
  parts[kHeaders] = cached_headers(message);
  parts[kSections] = mime::section_table(message);
  RecordHead head;
  head.guid = prefix_of(guid);
  if (message.eight_bit_header) head.flags |= kEightBit;
  if (message.limits_reached) head.flags |= kLimits;
  if (mime::forms_differ(message)) {
    head.flags |= kUtf8Differs;
    parts[kEnvelope8] = mime::envelope(message, mime::Form::utf8);
    parts[kBody8] = mime::body(message, mime::Form::utf8);
    parts[kStructure8] = mime::bodystructure(message, mime::Form::utf8);
  }
  BuiltFacts built;
  built.record.assign(sizeof head, '\0');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    head.sizes[i] = static_cast<std::uint32_t>(parts[i].size());
    built.record += parts[i];
  }
  built.record.resize((built.record.size() + 7) / 8 * 8);
  head.length = static_cast<std::uint32_t>(built.record.size());
  std::memcpy(built.record.data(), &head, sizeof head);
  head.crc = crc32c(std::string_view(built.record).substr(8));
  std::memcpy(built.record.data() + 4, &head.crc, 4);
  built.sent_date = date_of(message);
  return built;
}

std::optional<CachedFacts> open_cache_record(std::string_view record, const Guid& guid,
                                             bool verified) {
  if (record.size() < sizeof(RecordHead)) return std::nullopt;
  RecordHead head;
  std::memcpy(&head, record.data(), sizeof head);
  if (head.magic != kMagic || head.version != kVersion || head.length != record.size() ||
      head.guid != prefix_of(guid))
    return std::nullopt;
  if (!verified && head.crc != crc32c(record.substr(8))) return std::nullopt;
  std::array<std::string_view, 8> parts;
  std::size_t at = sizeof head;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (head.sizes[i] > record.size() - at) return std::nullopt;
    parts[i] = record.substr(at, head.sizes[i]);
    at += head.sizes[i];
  }
  const bool own = (head.flags & kUtf8Differs) != 0;
  return CachedFacts{.envelope = parts[kEnvelope],
                     .bodystructure = parts[kStructure],
                     .body = parts[kBody],
                     .envelope_utf8 = parts[own ? kEnvelope8 : kEnvelope],
                     .bodystructure_utf8 = parts[own ? kStructure8 : kStructure],
                     .body_utf8 = parts[own ? kBody8 : kBody],
                     .headers = parts[kHeaders],
                     .sections = parts[kSections],
                     .has_8bit_header = (head.flags & kEightBit) != 0,
                     .sections_reached_limit = (head.flags & kLimits) != 0};
}

CacheFile::~CacheFile() { forget(); }

void CacheFile::forget() {
  if (base_ != nullptr) old_maps_.emplace_back(base_, mapped_);
  for (const auto& [at, size] : old_maps_) fs().unmap(at, size);
  old_maps_.clear();
  base_ = nullptr;
  mapped_ = size_ = 0;
  fd_.reset();
}

void CacheFile::let_go_of_pages() {
  constexpr std::uint64_t kWorthIt = 256 << 10;  // below, the refaults cost more than they save
  if (base_ != nullptr && size_ > kWorthIt) fs().let_go(base_, std::min(size_, mapped_));
}

bool CacheFile::open_existing() {
  if (fd_) return true;
  auto opened = fs().open(path_, O_RDWR);
  if (opened) fd_ = std::move(*opened);
  return opened.has_value();
}

Result<void> CacheFile::sync() {
  return open_existing() ? fs().sync_data(fd_.get()) : Result<void>();
}

bool CacheFile::cover(std::uint64_t end) {
  if (end <= std::min(size_, mapped_)) return true;
  if (!open_existing()) return false;
  size_ = fs().size_of(fd_.get()).value_or(0);
  if (end > size_) return false;
  if (size_ <= mapped_) return true;
  const std::uint64_t wanted = (size_ * 2 + (std::uint64_t{64} << 20)) >> 20 << 20;
  auto fresh = fs().map(fd_.get(), wanted, false);
  if (!fresh) {
    size_ = 0;
    return false;
  }
  if (base_ != nullptr) old_maps_.emplace_back(base_, mapped_);
  base_ = *fresh;
  mapped_ = wanted;
  return true;
}

std::string_view CacheFile::read(std::uint64_t offset) {
  if (offset < sizeof(Preamble) || offset % 8 != 0 || offset > UINT64_MAX / 2) return {};
  if (!cover(offset + sizeof(RecordHead))) return {};
  std::uint32_t length;
  std::memcpy(&length, base_ + offset + offsetof(RecordHead, length), sizeof length);
  if (length < sizeof(RecordHead) || !cover(offset + length)) return {};
  return {base_ + offset, length};
}

Result<std::uint64_t> CacheFile::append(State& state, std::string_view records,
                                        const MailboxId& mailbox, std::string_view partition) {
  if (!fd_) fd_ = TRY(fs().open(path_, O_RDWR | O_CREAT));
  if (state.cache_end == 0) {
    const Preamble preamble = make_preamble(kCacheMagic, mailbox, partition, 1, UidValidity());
    TRY(fs().write_at(fd_.get(), 0, {reinterpret_cast<const char*>(&preamble), sizeof preamble}));
    state.cache_end = sizeof preamble;
  }
  const std::uint64_t at = state.cache_end;
  TRY(fs().write_at(fd_.get(), at, records));
  state.cache_end += records.size();
  return at;
}

}  // namespace postern::store
