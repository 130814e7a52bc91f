// Evaluation of search programs: see evaluator.h.
#include "lib/search/evaluator.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mime/date_time.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/message.h"
#include "lib/search/message_text.h"

namespace postern::search {
namespace {

constexpr std::int64_t kDay = 86400;

std::int64_t day_of(std::int64_t seconds) {
  return seconds >= 0 ? seconds / kDay : -((kDay - 1 - seconds) / kDay);
}

bool in_ranges(const std::vector<Range>& ranges, std::uint32_t number) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), number,
                       [](std::uint32_t n, const Range& range) { return n < range.first; });
  return after != ranges.begin() && number <= std::prev(after)->last;
}

/// Before, on, since: the three ways to compare a day.
enum class Days { before, on, since };
bool compare(Days how, std::int64_t day, std::int64_t with) {
  return how == Days::before ? day < with : how == Days::on ? day == with : day >= with;
}

Days how_of(Key::Op op) {
  switch (op) {
    case Key::Op::before:
    case Key::Op::sent_before:
    case Key::Op::saved_before:
      return Days::before;
    case Key::Op::on:
    case Key::Op::sent_on:
    case Key::Op::saved_on:
      return Days::on;
    default:
      return Days::since;
  }
}

}  // namespace

Evaluator::Evaluator(store::Mailbox& mailbox, const Key& program)
    : mailbox_(mailbox), program_(program) {}

Result<bool> Evaluator::matches(store::RecNo record, SeqNum seqnum) {
  Subject subject{record, seqnum, {}, {}, false};
  return eval(program_, subject);
}

Result<bool> Evaluator::eval(const Key& key, Subject& subject) {
  switch (key.op) {
    case Key::Op::and_:
      for (const Key& child : key.children)
        if (!TRY(eval(child, subject))) return false;
      return true;
    case Key::Op::or_:
      for (const Key& child : key.children)
        if (TRY(eval(child, subject))) return true;
      return false;
    case Key::Op::not_:
      return !TRY(eval(key.children.front(), subject));
    case Key::Op::sent_before:
    case Key::Op::sent_on:
    case Key::Op::sent_since:
      return eval_sent(key, subject);
    case Key::Op::header:
      return eval_header(key, subject);
    case Key::Op::body:
    case Key::Op::text:
      return eval_text(key, subject);
    case Key::Op::guid_prefix: {
      const auto record = TRY(mailbox_.record(subject.record));
      return record.guid.hex().starts_with(key.text);
    }
    default:
      return eval_column(key, subject);
  }
}

bool Evaluator::eval_column(const Key& key, const Subject& subject) const {
  const store::RecNo record = subject.record;
  switch (key.op) {
    case Key::Op::seqnums:
      return in_ranges(key.ranges, subject.seqnum.value());
    case Key::Op::uids:
      return in_ranges(key.ranges, mailbox_.uid(record).value());
    case Key::Op::flag:
      return (mailbox_.flag_word(record).system & key.number) != 0;
    case Key::Op::keyword:
      return has_keyword(key, record);
    case Key::Op::before:
    case Key::Op::on:
    case Key::Op::since: {
      const std::int64_t zone = mailbox_.internal_zone(record) * 60;
      return compare(how_of(key.op), day_of(mailbox_.internal_date(record) + zone),
                     key.signed_number);
    }
    case Key::Op::saved_before:
    case Key::Op::saved_on:
    case Key::Op::saved_since:
      return compare(how_of(key.op), day_of(mailbox_.save_date(record)), key.signed_number);
    case Key::Op::received_after:
      return mailbox_.internal_date(record) > key.signed_number;
    case Key::Op::received_until:
      return mailbox_.internal_date(record) <= key.signed_number;
    case Key::Op::larger:
      return mailbox_.size(record) > key.number;
    case Key::Op::smaller:
      return mailbox_.size(record) < key.number;
    case Key::Op::modseq:
      return mailbox_.modseq(record).value() >= key.number;
    default:
      return true;  // all
  }
}

bool Evaluator::has_keyword(const Key& key, store::RecNo record) const {
  const auto word = mailbox_.flag_word(record);
  if (word.keywords == 0 && !word.more) return false;
  const auto& names = mailbox_.keywords();
  const auto at = std::find_if(names.begin(), names.end(),
                               [&key](const std::string& name) { return iequals(name, key.text); });
  if (at == names.end()) return false;
  const auto number = static_cast<std::size_t>(at - names.begin());
  if (number < 64) return (word.keywords >> number & 1U) != 0;
  if (!word.more) return false;
  const auto more = mailbox_.flags(record).more;
  return std::find(more.begin(), more.end(),
                   store::KeywordNo(static_cast<std::uint16_t>(number))) != more.end();
}

// The column has the instant; the day as written can differ by one. Only where that decides is the
// field itself read.
Result<bool> Evaluator::eval_sent(const Key& key, Subject& subject) {
  const Days how = how_of(key.op);
  const std::int64_t day = day_of(mailbox_.sent_date(subject.record));
  const bool verdict = compare(how, day, key.signed_number);
  if (compare(how, day - 1, key.signed_number) == verdict &&
      compare(how, day + 1, key.signed_number) == verdict)
    return verdict;
  const auto* cached = TRY(facts(subject));
  for (const mime::Field& field : mime::scan_header(cached->headers).fields) {
    if (field.id != mime::FieldId::date) continue;
    const auto when = mime::parse_date_time(field.value.of(cached->headers));
    return when ? compare(how, when->local_day(), key.signed_number) : verdict;
  }
  return verdict;
}

Result<bool> Evaluator::eval_header(const Key& key, Subject& subject) {
  const auto octets = TRY(header(key, subject));
  for (const mime::Field& field : mime::scan_header(octets).fields) {
    if (!iequals(field.name.of(octets), key.name)) continue;
    if (key.text.empty()) return true;
    if (needle(key).in(mime::decode_header(field.value.of(octets)))) return true;
  }
  return false;
}

Result<bool> Evaluator::eval_text(const Key& key, Subject& subject) {
  const auto octets = TRY(bytes(subject));
  if (octets.empty()) return false;
  const auto* cached = TRY(facts(subject));
  return text_contains(octets, cached->sections, needle(key), key.op == Key::Op::text);
}

Result<const store::CachedFacts*> Evaluator::facts(Subject& subject) {
  if (!subject.facts) subject.facts = TRY(mailbox_.facts(subject.record));
  return &*subject.facts;
}

// "" when the file is gone: the message was expunged long ago, and this session still shows it.
Result<std::string_view> Evaluator::bytes(Subject& subject) {
  if (subject.gone) return std::string_view{};
  if (!subject.bytes) {
    auto mapped = mailbox_.message(subject.record);
    subject.gone = !mapped && mapped.error().code == Errc::expunged;
    if (subject.gone) return std::string_view{};
    subject.bytes = TRY(std::move(mapped));
  }
  return subject.bytes->bytes();
}

// Where a field of this name is to be found.
Result<std::string_view> Evaluator::header(const Key& key, Subject& subject) {
  if (!store::header_is_cached(key.name)) return bytes(subject);
  const auto* cached = TRY(facts(subject));
  return cached->headers;
}

const mime::CasemapNeedle& Evaluator::needle(const Key& key) {
  return needles_.try_emplace(&key, key.text).first->second;
}

}  // namespace postern::search
