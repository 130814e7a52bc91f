// address-list = (address *("," address)) of RFC 5322 §3.4 and §4.4, read word by word: what stands
// behind the words ("@", "<", ":" or a separator) says what they are.
#include "lib/mime/address.h"

#include <algorithm>
#include <utility>

#include "lib/base/text.h"
#include "lib/mime/lexer.h"

namespace postern::mime {
namespace {

constexpr std::string_view kStops = "()<>@,;:\"";

struct Word {
  std::string text;
  bool quoted = false;
};

std::string phrase(const std::vector<Word>& words) {
  std::string out;
  for (const Word& word : words) {
    if (!out.empty()) out += ' ';
    out += word.text;
  }
  return out;
}

class AddressParser {
 public:
  AddressParser(std::string_view value, std::size_t limit) : in_(value), limit_(limit) {}

  std::vector<Address> run() {
    // An element may end one group and start the next, which has to be ended too.
    constexpr std::size_t kLargestStep = 3;
    while (addresses_.size() + kLargestStep <= limit_ && next_element()) {
    }
    end_group();
    return std::move(addresses_);
  }

 private:
  bool next_element() {
    words_.clear();
    comment_.clear();
    while (true) {
      in_.skip_cfws(&comment_);
      if (in_.at_end()) {
        bare_words();
        return false;
      }
      switch (in_.peek()) {
        case '"':
          quoted_word();
          break;
        case '<':
          angle_address();
          return true;
        case '@':
          address_without_angle();
          return true;
        case ':':
          in_.skip();
          start_group();
          return true;
        case ',':
        case ';':
          bare_words();
          separator();
          return true;
        case ')':
        case '>':
          in_.skip();
          break;
        default:
          words_.push_back({std::string(atom()), false});
      }
    }
  }

  void quoted_word() {
    Word word{{}, true};
    in_.quoted_string(word.text);
    words_.push_back(std::move(word));
  }

  // An atom, with the dots of the obsolete phrase. An encoded-word is taken whole, though some
  // software leaves commas and colons bare in it.
  std::string_view atom() {
    const std::size_t begin = in_.offset();
    if (in_.looking_at('=')) {
      Lexer ahead = in_;
      constexpr std::size_t kLongest = 256;  // RFC 2047 §2 allows 75
      const std::string_view whole = ahead.word("\"<", kLongest);
      const std::size_t end = whole.starts_with("=?") ? encoded_word_end(whole) : 0;
      for (std::size_t i = 0; i < end; ++i) in_.skip();
      if (end > 0) return in_.from(begin);
    }
    in_.word(kStops);
    return in_.from(begin);
  }

  // The size of the encoded-word at the start of `text`; 0 if it isn't one.
  static std::size_t encoded_word_end(std::string_view text) {
    const std::size_t charset_end = text.find('?', 2);
    if (charset_end == std::string_view::npos) return 0;
    const std::size_t method_end = text.find('?', charset_end + 1);
    if (method_end != charset_end + 2) return 0;
    const std::size_t end = text.find("?=", method_end + 1);
    return end == std::string_view::npos ? 0 : end + 2;
  }

  void separator() {
    if (in_.peek() == ';') end_group();
    in_.skip();
  }

  void start_group() {
    end_group();
    Address group;
    group.kind = Address::Kind::group_start;
    group.has_name = true;
    group.name = phrase(words_);
    addresses_.push_back(std::move(group));
    in_group_ = true;
  }

  void end_group() {
    if (!in_group_) return;
    in_group_ = false;
    Address end;
    end.kind = Address::Kind::group_end;
    addresses_.push_back(std::move(end));
  }

  // Words that no "@" follows, like "root": a local part alone.
  void bare_words() {
    if (words_.empty()) return;
    Address address;
    address.local_part = phrase(words_);
    finish(std::move(address));
  }

  // name <@route:local@domain>
  void angle_address() {
    Address address;
    address.has_name = !words_.empty();
    address.name = phrase(words_);
    words_.clear();
    in_.skip();
    in_.skip_cfws();
    if (in_.looking_at('@') || in_.looking_at(',')) read_route(address);
    while (!in_.at_end() && kAngleStops.find(in_.peek()) == std::string_view::npos) {
      if (in_.looking_at('"')) {
        quoted_word();
      } else if (in_.looking_at(')') || in_.looking_at('<')) {
        in_.skip();
      } else {
        words_.push_back({std::string(in_.word(kStops)), false});
        if (words_.back().text.empty()) in_.skip();  // a ":" without a route
      }
      in_.skip_cfws();
    }
    for (const Word& word : words_) address.local_part += word.text;
    if (in_.take('@')) read_domain(address, ",;:");
    while (!in_.at_end() && kAngleEnds.find(in_.peek()) == std::string_view::npos) in_.skip();
    in_.take('>');
    finish(std::move(address));
  }

  // obs-route = obs-domain-list ":" (RFC 5322 §4.4). Without the colon it was none.
  void read_route(Address& address) {
    Lexer ahead = in_;
    std::string route;
    while (!ahead.at_end() && kRouteEnds.find(ahead.peek()) == std::string_view::npos) {
      ahead.skip_cfws();
      route += ahead.word("():<>");
      if (ahead.looking_at(')')) break;
    }
    if (!ahead.take(':')) return;
    address.route = std::move(route);
    in_ = ahead;
    in_.skip_cfws();
  }

  // local@domain, perhaps with words in front that belong to no address: they serve as its name.
  void address_without_angle() {
    Address address;
    std::size_t begin = words_.empty() ? 0 : words_.size() - 1;
    while (begin > 0 &&
           (words_[begin].text.starts_with('.') || words_[begin - 1].text.ends_with('.')))
      --begin;
    for (std::size_t i = begin; i < words_.size(); ++i) address.local_part += words_[i].text;
    words_.resize(begin);
    address.has_name = !words_.empty();
    address.name = phrase(words_);
    in_.skip();
    read_domain(address, ",;:<\"");
    finish(std::move(address));
  }

  // Behind the "@". Dots may have white space around them (RFC 5322 §4.4).
  void read_domain(Address& address, std::string_view stops) {
    address.has_domain = true;
    std::string& domain = address.domain;
    const std::string all_stops = std::string(stops) + "()>[";
    while (true) {
      in_.skip_cfws(&comment_);
      if (in_.at_end()) return;
      const bool goes_on = domain.empty() || domain.ends_with('.') || in_.looking_at('.');
      if (!goes_on) return;
      if (in_.looking_at('[')) {
        domain_literal(domain);
        continue;
      }
      const std::string_view piece = in_.word(all_stops);
      if (piece.empty()) return;
      domain += piece;
    }
  }

  void domain_literal(std::string& domain) {
    while (!in_.at_end()) {
      const char c = in_.peek();
      in_.skip();
      if (!is_space(c)) domain.push_back(c);
      if (c == ']') return;
    }
  }

  // A comment behind an address without a name is the name in the manner of old Unix mail.
  void finish(Address address) {
    in_.skip_cfws(&comment_);
    if (!address.has_name && !comment_.empty()) {
      address.has_name = true;
      address.name = std::move(comment_);
    }
    comment_.clear();
    words_.clear();
    addresses_.push_back(std::move(address));
  }

  static constexpr std::string_view kRouteEnds = ":<>";
  static constexpr std::string_view kAngleStops = ">@,;";
  static constexpr std::string_view kAngleEnds = ">,;";

  Lexer in_;
  std::size_t limit_;
  std::vector<Address> addresses_;
  std::vector<Word> words_;
  std::string comment_;
  bool in_group_ = false;
};

// dot-atom-text of RFC 5322 §3.2.3, with the UTF-8 of RFC 6532.
bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::ranges::all_of(text, [](char c) {
    return static_cast<unsigned char>(c) > 127 || ascii_alpha(c) || ascii_digit(c) ||
           std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string Address::addr_spec() const {
  // Without quotes "=?" would be taken for an encoded-word (RFC 2047 §5).
  const bool plain = is_dot_atom(local_part) && local_part.find("=?") == std::string::npos;
  std::string out =
      plain || (local_part.empty() && !has_domain) ? local_part : quoted_string(local_part);
  if (has_domain) out += '@' + domain;
  return out;
}

std::vector<Address> parse_address_list(std::string_view value, std::size_t limit) {
  return AddressParser(value, limit).run();
}

}  // namespace postern::mime
