// :matches (RFC 5228 §2.7.1): '*' takes as little as it can (RFC 5229 §3.2). Only the last '*' ever
// has to give way, because literals after an earlier one were found at their first place; so the
// cost is bounded by text times pattern, and counted.
#include "sieve/glob.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mime/charset.h"
#include "lib/mime/find.h"
#include "sieve/utf8.h"

namespace postern::sieve {
namespace {

using Piece = Glob::Piece;

std::vector<Piece> pieces_of(std::string_view pattern) {
  std::vector<Piece> pieces;
  const auto literal = [&](char c) {
    if (pieces.empty() || pieces.back().kind != Piece::Kind::literal)
      pieces.push_back({Piece::Kind::literal, {}});
    pieces.back().literal += c;
  };
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '*')
      pieces.push_back({Piece::Kind::any, {}});
    else if (c == '?')
      pieces.push_back({Piece::Kind::one, {}});
    else
      literal(c == '\\' && i + 1 < pattern.size() ? pattern[++i] : c);
  }
  return pieces;
}

// The text in the form that is compared, and the way back to the text as it was.
class Subject {
 public:
  Subject(Comparator comparator, std::string_view text)
      : text_(text), folds_case_(comparator != Comparator::octet) {
    by_character_ = folds_case_;
    if (comparator != Comparator::unicode_casemap || is_ascii(text)) return;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = utf8_length(text.substr(at));
      const auto folded = mime::casemap(text.substr(at, length));
      folded_ += folded;
      origin_.insert(origin_.end(), folded.size(), at);
      at += length;
    }
    origin_.push_back(text.size());
    mapped_ = true;
  }

  [[nodiscard]] std::string_view form() const { return mapped_ ? folded_ : text_; }
  [[nodiscard]] std::size_t size() const { return form().size(); }
  // The start of the character behind the one at `at`, which is not the end.
  [[nodiscard]] std::size_t after(std::size_t at) const {
    if (!by_character_) return at + 1;
    if (!mapped_) return at + utf8_length(text_.substr(at));
    const std::size_t character = origin_[at];
    while (origin_[at] == character) ++at;
    return at;
  }
  [[nodiscard]] bool has(std::string_view literal, std::size_t at) const {
    const auto here = form().substr(at, literal.size());
    return folds_case_ ? iequals(here, literal) : here == literal;
  }
  [[nodiscard]] std::size_t find(std::string_view literal, std::size_t from) const {
    const auto rest = form().substr(from);
    const auto at = folds_case_ ? mime::find_ascii_casemap(rest, literal) : rest.find(literal);
    return at == std::string_view::npos ? at : from + at;
  }
  [[nodiscard]] std::string original(std::size_t begin, std::size_t end) const {
    if (mapped_) {
      begin = origin_[begin];
      end = origin_[end];
    }
    return std::string(text_.substr(begin, end - begin));
  }

 private:
  std::string_view text_;
  bool folds_case_;
  bool by_character_ = true;
  bool mapped_ = false;
  std::string folded_;
  std::vector<std::size_t> origin_;  // of each octet of folded_, and of its end
};

class Matcher {
 public:
  Matcher(const std::vector<Piece>& pieces, const Subject& subject)
      : pieces_(pieces), subject_(subject), taken_(pieces.size()) {}

  Result<bool> run(std::uint64_t& work, std::uint64_t max_work) {
    for (;;) {
      if (forward()) return true;
      if (!give_way()) return false;
      if (++work > max_work) return fail(Errc::limit, ":matches takes too long");
    }
  }

  void captures(Captures& out) const {
    out.assign(1, subject_.original(0, subject_.size()));
    for (std::size_t i = 0; i < pieces_.size(); ++i)
      if (pieces_[i].kind != Piece::Kind::literal)
        out.push_back(subject_.original(taken_[i].first, taken_[i].second));
  }

 private:
  // Takes pieces as they come; false at the first that doesn't fit.
  bool forward() {
    for (; piece_ < pieces_.size(); ++piece_) {
      const Piece& piece = pieces_[piece_];
      const std::size_t start = at_;
      if (piece.kind == Piece::Kind::any) {
        star_ = piece_;
        if (piece_ + 1 == pieces_.size()) at_ = subject_.size();
      } else if (piece.kind == Piece::Kind::one) {
        if (at_ == subject_.size()) return false;
        at_ = subject_.after(at_);
      } else if (!subject_.has(piece.literal, at_)) {
        return false;
      } else {
        at_ += piece.literal.size();
      }
      taken_[piece_] = {start, at_};
    }
    return at_ == subject_.size();
  }

  // The last '*' takes one character more, or up to the literal behind it.
  bool give_way() {
    if (star_ == kNoStar || taken_[star_].second == subject_.size()) return false;
    auto& end = taken_[star_].second;
    end = subject_.after(end);
    if (star_ + 1 < pieces_.size() && pieces_[star_ + 1].kind == Piece::Kind::literal) {
      end = subject_.find(pieces_[star_ + 1].literal, end);
      if (end == std::string_view::npos) return false;
    }
    at_ = end;
    piece_ = star_ + 1;
    return true;
  }

  static constexpr std::size_t kNoStar = static_cast<std::size_t>(-1);
  const std::vector<Piece>& pieces_;
  const Subject& subject_;
  std::vector<std::pair<std::size_t, std::size_t>> taken_;  // of each piece
  std::size_t piece_ = 0;
  std::size_t at_ = 0;
  std::size_t star_ = kNoStar;
};

}  // namespace

Glob::Glob(Comparator comparator, std::string_view pattern)
    : comparator_(comparator), pieces_(pieces_of(pattern)) {
  if (comparator == Comparator::unicode_casemap)
    for (auto& piece : pieces_) piece.literal = mime::casemap(piece.literal);
}

Result<bool> Glob::matches(std::string_view text, Captures* captures, std::uint64_t& work,
                           std::uint64_t max_work) const {
  const Subject subject(comparator_, text);
  Matcher matcher(pieces_, subject);
  const bool matched = TRY(matcher.run(work, max_work));
  if (matched && captures != nullptr) matcher.captures(*captures);
  return matched;
}

}  // namespace postern::sieve
