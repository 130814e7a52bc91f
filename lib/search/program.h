// A search program: a tree of keys (RFC 9051 §6.4.4), independent of any protocol's syntax.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/ids.h"

namespace postern::search {

/// Numbers [first, last].
struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

struct Key {
  enum class Op : std::uint8_t {
    all,
    seqnums,      // ranges, ascending
    uids,         // ranges, ascending
    flag,         // some of the system flags `number`
    keyword,      // text
    before,       // internal date, as its zone shows it, is before day `number` (days since 1970)
    on,           // the same day
    since,        // that day or later
    sent_before,  // the Date field, as its zone shows it
    sent_on,
    sent_since,
    saved_before,  // save date, UTC
    saved_on,
    saved_since,
    received_after,  // internal date > `number`, seconds UTC (YOUNGER)
    received_until,  // internal date <= `number`, seconds UTC (OLDER)
    larger,          // more than `number` octets
    smaller,         // fewer
    modseq,          // at least `number`
    header,          // field `name` contains `text`; with empty text: has such a field
    body,            // `text` is in the body's text
    text,            // or in a header
    guid_prefix,     // `text`, lower-case hex, begins the GUID
    not_,            // one child
    or_,             // any child
    and_,            // all children
  };

  Op op = Op::all;
  std::uint64_t number = 0;
  std::int64_t signed_number = 0;  // days and seconds may lie before 1970
  std::string name;
  std::string text;  // UTF-8
  std::vector<Range> ranges;
  std::vector<Key> children;
};

/// How much a key costs: 0 columns, 1 cached headers, 2 the message's file.
int cost_of(const Key& key);

/// Joins nested ands and ors and puts cheap keys first; the meaning stays.
Key optimised(Key key);

/// Whether a key of this kind is somewhere in the tree.
bool uses(const Key& key, Key::Op op);

}  // namespace postern::search
