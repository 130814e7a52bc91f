// Comparators. i;unicode-casemap maps each character by itself (RFC 5051 §2), so the wildcards'
// captures can be traced back to the text as it was.
#include "sieve/comparator.h"

#include <array>

#include "lib/base/text.h"
#include "lib/mime/charset.h"
#include "lib/mime/find.h"

namespace postern::sieve {
namespace {

struct ComparatorRow {
  std::string_view name;
  Comparator comparator;
  Cap needs;
};
constexpr std::array kComparators{
    ComparatorRow{"i;octet", Comparator::octet, Cap::none},
    ComparatorRow{"i;ascii-casemap", Comparator::ascii_casemap, Cap::none},
    ComparatorRow{"i;ascii-numeric", Comparator::ascii_numeric, Cap::comparator_ascii_numeric},
    ComparatorRow{"i;unicode-casemap", Comparator::unicode_casemap,
                  Cap::comparator_unicode_casemap},
};

struct RelationRow {
  std::string_view name;
  Relation relation;
};
constexpr std::array kRelations{
    RelationRow{"gt", Relation::gt}, RelationRow{"ge", Relation::ge},
    RelationRow{"lt", Relation::lt}, RelationRow{"le", Relation::le},
    RelationRow{"eq", Relation::eq}, RelationRow{"ne", Relation::ne},
};

// The digits that i;ascii-numeric looks at, without leading zeros; nothing: no number, infinity.
std::optional<std::string_view> leading_number(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && ascii_digit(text[digits])) ++digits;
  if (digits == 0) return std::nullopt;
  text = text.substr(0, digits);
  const auto first = text.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

int sign(int value) { return value < 0 ? -1 : value > 0 ? 1 : 0; }

// Digit strings of any length, so no number is too large (RFC 4790 §9.1.1).
int numeric_order(std::string_view a, std::string_view b) {
  const auto x = leading_number(a);
  const auto y = leading_number(b);
  if (!x || !y) return static_cast<int>(y.has_value()) - static_cast<int>(x.has_value());
  if (x->size() != y->size()) return x->size() < y->size() ? -1 : 1;
  return sign(x->compare(*y));
}

}  // namespace

std::optional<Comparator> find_comparator(std::string_view name) {
  for (const auto& row : kComparators)
    if (row.name == name) return row.comparator;
  return std::nullopt;
}

Cap needed_capability(Comparator comparator) {
  for (const auto& row : kComparators)
    if (row.comparator == comparator) return row.needs;
  return Cap::none;
}

std::optional<Relation> find_relation(std::string_view name) {
  for (const auto& row : kRelations)
    if (iequals(row.name, name)) return row.relation;
  return std::nullopt;
}

bool equal(Comparator comparator, std::string_view a, std::string_view b) {
  switch (comparator) {
    case Comparator::octet:
      return a == b;
    case Comparator::ascii_casemap:
      return iequals(a, b);
    case Comparator::ascii_numeric:
      return numeric_order(a, b) == 0;
    case Comparator::unicode_casemap:
      if (is_ascii(a) && is_ascii(b)) return iequals(a, b);
      return mime::casemap(a) == mime::casemap(b);
  }
  return false;
}

bool contains(Comparator comparator, std::string_view text, std::string_view part) {
  switch (comparator) {
    case Comparator::octet:
      return text.find(part) != std::string_view::npos;
    case Comparator::ascii_casemap:
      return mime::find_ascii_casemap(text, part) != std::string_view::npos;
    case Comparator::ascii_numeric:
      return false;  // the checker refuses it: the collation has no substring operation
    case Comparator::unicode_casemap:
      return mime::contains_casemap(text, part);
  }
  return false;
}

int order(Comparator comparator, std::string_view a, std::string_view b) {
  switch (comparator) {
    case Comparator::octet:
      return sign(a.compare(b));
    case Comparator::ascii_casemap:
      return sign(to_upper(a).compare(to_upper(b)));  // RFC 4790 §9.2.1: upper case
    case Comparator::ascii_numeric:
      return numeric_order(a, b);
    case Comparator::unicode_casemap:
      return sign(mime::casemap(a).compare(mime::casemap(b)));
  }
  return 0;
}

bool holds(Relation relation, int order) {
  switch (relation) {
    case Relation::gt:
      return order > 0;
    case Relation::ge:
      return order >= 0;
    case Relation::lt:
      return order < 0;
    case Relation::le:
      return order <= 0;
    case Relation::eq:
      return order == 0;
    case Relation::ne:
      return order != 0;
  }
  return false;
}

}  // namespace postern::sieve
