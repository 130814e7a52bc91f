// A checked script: each command bound to its row, its tags and arguments in their places, its
// strings decoded. This is what the interpreter runs; it is immutable and can be shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sieve/capability.h"
#include "sieve/diagnostic.h"

namespace postern::sieve {

struct Row;
class Regex;
class Glob;

enum class MatchType : std::uint8_t { is, contains, matches, value, count, regex, list };
enum class Comparator : std::uint8_t { octet, ascii_casemap, ascii_numeric, unicode_casemap };
enum class Relation : std::uint8_t { gt, ge, lt, le, eq, ne };
enum class AddressPart : std::uint8_t { all, localpart, domain, user, detail };

/// Every tag of the language; the table says which command takes which.
enum class Tag : std::uint8_t {
  none,
  // match types, comparator, address parts
  comparator,
  is,
  contains,
  matches,
  value,
  count,
  regex,
  list,
  all,
  localpart,
  domain,
  user,
  detail,
  index,
  last,
  mime,
  anychild,
  type,
  subtype,
  contenttype,
  param,
  // others, in alphabetical order
  addflags,
  addresses,
  bymode,
  bytimeabsolute,
  bytimerelative,
  bytrace,
  content,
  copy,
  create,
  days,
  encodeurl,
  fcc,
  first,
  flags,
  from,
  global,
  handle,
  header,
  importance,
  length,
  lower,
  lowerfirst,
  mailbox,
  mailboxid,
  message,
  name,
  notify,
  once,
  optional,
  options,
  originalzone,
  over,
  percent,
  personal,
  quoteregex,
  quotewildcard,
  raw,
  removeflags,
  ret,
  seconds,
  specialuse,
  subject,
  text,
  try_,
  tzid,
  under,
  uniqueid,
  upper,
  upperfirst,
  weekdays,
  zone,
};

/// A string of the script. Encoded characters are decoded; variables are not expanded yet.
struct Text {
  std::string text;
  bool has_variables = false;  // "variables" was required and "${" occurs
  Position at;
};

struct Value {
  enum class Kind : std::uint8_t { none, number, strings };
  Kind kind = Kind::none;
  bool has_variables = false;  // one of the strings has
  Position at;
  std::uint64_t number = 0;
  std::vector<Text> strings;
  /// True when no string of it needs expansion.
  [[nodiscard]] bool constant() const { return !has_variables; }
};

/// How a test compares, from its tags.
struct MatchSpec {
  MatchType type = MatchType::is;
  Comparator comparator = Comparator::ascii_casemap;
  Relation relation = Relation::eq;
};

/// One bound command or test. In the server each message finds the code cold, so what every run
/// reads stands first.
struct Code {
  const Row* row = nullptr;
  Position at;
  /// In an `if` with a failed ihave: what could not be checked, told when it is reached.
  std::shared_ptr<const std::string> unusable;
  MatchSpec match;
  AddressPart part = AddressPart::all;
  std::uint64_t tag_bits = 0;  // which tags may be there, modulo 64
  std::vector<Code> tests;
  std::vector<Value> args;  // one for each place of the row; an omitted optional one is none
  /// The keys of a :regex or :matches test when they are constant, compiled with the script.
  std::vector<std::shared_ptr<const Glob>> globs;
  std::vector<std::shared_ptr<const Regex>> regexes;
  std::vector<std::pair<Tag, Value>> tags;
  std::vector<Code> block;

  void add(Tag tag, Value value);
  [[nodiscard]] bool has(Tag tag) const { return find(tag) != nullptr; }
  [[nodiscard]] const Value* find(Tag tag) const {
    return (tag_bits & bit_of(tag)) == 0 ? nullptr : search(tag);
  }

 private:
  static std::uint64_t bit_of(Tag tag) { return 1ULL << (static_cast<unsigned>(tag) % 64); }
  [[nodiscard]] const Value* search(Tag tag) const;
};

}  // namespace postern::sieve
