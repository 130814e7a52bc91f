// The grammar of SEARCH (RFC 9051 §9, search-key; RFC 5032, RFC 7162 §3.1.5, RFC 8474, RFC 8514).
#include "imapd/search_grammar.h"

#include <array>
#include <functional>

#include "imapd/grammar.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/store/types.h"

namespace postern::imap {
namespace {

using search::Key;
using Op = Key::Op;

constexpr int kMostDepth = 100;

Key make(Op op) {
  Key key;
  key.op = op;
  return key;
}
Key negated(Key child) {
  Key key = make(Op::not_);
  key.children.push_back(std::move(child));
  return key;
}
Key flag_key(std::uint32_t bits) {
  Key key = make(Op::flag);
  key.number = bits;
  return key;
}
// \Recent belongs to the session; a place-holder until the plan knows it.
Key recent_key() {
  Key key = make(Op::uids);
  key.name = kRecentKey;
  return key;
}
Key both(Key a, Key b) {
  Key key = make(Op::and_);
  key.children.push_back(std::move(a));
  key.children.push_back(std::move(b));
  return key;
}

struct FlagWord {
  std::string_view name;
  std::uint32_t bits;
  bool set;
};
constexpr std::array kFlagWords{
    FlagWord{"ANSWERED", store::flag::answered, true},
    FlagWord{"DELETED", store::flag::deleted, true},
    FlagWord{"DRAFT", store::flag::draft, true},
    FlagWord{"FLAGGED", store::flag::flagged, true},
    FlagWord{"SEEN", store::flag::seen, true},
    FlagWord{"UNANSWERED", store::flag::answered, false},
    FlagWord{"UNDELETED", store::flag::deleted, false},
    FlagWord{"UNDRAFT", store::flag::draft, false},
    FlagWord{"UNFLAGGED", store::flag::flagged, false},
    FlagWord{"UNSEEN", store::flag::seen, false},
};

struct TextWord {
  std::string_view name;
  Op op;
};
constexpr std::array kDateWords{
    TextWord{"BEFORE", Op::before},
    TextWord{"ON", Op::on},
    TextWord{"SINCE", Op::since},
    TextWord{"SENTBEFORE", Op::sent_before},
    TextWord{"SENTON", Op::sent_on},
    TextWord{"SENTSINCE", Op::sent_since},
    TextWord{"SAVEDBEFORE", Op::saved_before},
    TextWord{"SAVEDON", Op::saved_on},
    TextWord{"SAVEDSINCE", Op::saved_since},
};
constexpr std::array<std::string_view, 5> kFieldWords{"BCC", "CC", "FROM", "SUBJECT", "TO"};

class Parser {
 public:
  Parser(Cursor& in, SearchProgram& program) : in_(in), program_(program) {}

  // search-key *(SP search-key)
  Result<Key> keys() {
    Key all = make(Op::and_);
    do {
      all.children.push_back(TRY(key()));
    } while (in_.take(' '));
    return all;
  }

 private:
  Result<Key> key() {
    if (++depth_ > kMostDepth) return fail(Errc::bad_syntax, "search keys are nested too deeply");
    auto parsed = key_at_depth();
    --depth_;
    return parsed;
  }

  Result<Key> key_at_depth() {
    const int next = in_.peek();
    if (next == '(') return list();
    if (next == '*' || next == '$' || (next >= '0' && next <= '9')) return set(false);
    if (next == '"' || next == '{') return in_.expected("a search key");
    const std::string word = to_upper(TRY(parse_atom(in_)));
    return by_word(word);
  }

  // "(" search-key *(SP search-key) ")"
  Result<Key> list() {
    TRY(in_.expect('('));
    Key all = TRY(keys());
    TRY(in_.expect(')'));
    return all;
  }

  Result<Key> set(bool uid) {
    auto numbers = TRY(parse_sequence_set(in_));
    const bool saved = numbers.saved;
    Key key = make(uid || saved ? Op::uids : Op::seqnums);
    key.number = program_.sets.size();
    program_.sets.push_back({std::move(numbers), uid || saved});
    return key;
  }

  Result<Key> by_word(const std::string& word) {
    for (const FlagWord& flag : kFlagWords)
      if (word == flag.name) return flag.set ? flag_key(flag.bits) : negated(flag_key(flag.bits));
    for (const TextWord& date : kDateWords)
      if (word == date.name) return by_date(date.op);
    for (const std::string_view field : kFieldWords)
      if (word == field) return by_field(std::string(field));
    if (word == "ALL") return make(Op::all);
    if (word == "RECENT") return recent_key();
    if (word == "OLD") return negated(recent_key());
    if (word == "NEW") return both(recent_key(), negated(flag_key(store::flag::seen)));
    return by_other_word(word);
  }

  Result<Key> by_other_word(const std::string& word) {
    if (word == "UID") return after_space([this] { return set(true); });
    if (word == "NOT") return after_space([this]() -> Result<Key> { return negated(TRY(key())); });
    if (word == "OR") return after_space([this] { return either(); });
    if (word == "KEYWORD" || word == "UNKEYWORD") return by_keyword(word == "UNKEYWORD");
    if (word == "LARGER") return by_number(Op::larger);
    if (word == "SMALLER") return by_number(Op::smaller);
    if (word == "BODY") return by_text(Op::body);
    if (word == "TEXT") return by_text(Op::text);
    if (word == "HEADER") return by_header();
    if (word == "MODSEQ") return by_modseq();
    if (word == "OLDER" || word == "YOUNGER") return by_age(word == "OLDER");
    if (word == "EMAILID") return by_email_id();
    if (word == "THREADID") return by_thread_id();
    if (word == "SAVEDATESUPPORTED") return make(Op::all);  // RFC 8514 §4.3
    return fail(Errc::bad_syntax, "unknown search key {}", word.substr(0, 40));
  }

  template <typename Rest>
  Result<Key> after_space(Rest rest) {
    TRY(in_.space());
    return rest();
  }

  // "OR" SP search-key SP search-key
  Result<Key> either() {
    Key any = make(Op::or_);
    any.children.push_back(TRY(key()));
    TRY(in_.space());
    any.children.push_back(TRY(key()));
    return any;
  }

  Result<Key> by_date(Op op) {
    TRY(in_.space());
    Key key = make(op);
    key.signed_number = TRY(parse_date(in_));
    return key;
  }

  Result<Key> by_field(std::string name) {
    Key key = TRY(by_text(Op::header));
    key.name = std::move(name);
    // An empty string is in every field, also in one that isn't there.
    if (key.text.empty()) return make(Op::all);
    return key;
  }

  Result<Key> by_text(Op op) {
    TRY(in_.space());
    Key key = make(op);
    key.text = TRY(parse_astring(in_));
    if (key.text.empty() && op != Op::header) return make(Op::all);
    return key;
  }

  // "HEADER" SP header-fld-name SP astring
  Result<Key> by_header() {
    TRY(in_.space());
    std::string name = TRY(parse_astring(in_));
    Key key = TRY(by_text(Op::header));
    key.name = std::move(name);
    return key;
  }

  Result<Key> by_keyword(bool without) {
    TRY(in_.space());
    Key key = make(Op::keyword);
    key.text = std::string(TRY(parse_atom(in_)));
    return without ? negated(std::move(key)) : key;
  }

  Result<Key> by_number(Op op) {
    TRY(in_.space());
    Key key = make(op);
    key.number = TRY(parse_number64(in_));
    return key;
  }

  // "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer (RFC 7162 §3.1.5); all
  // metadata items share one mod-sequence.
  Result<Key> by_modseq() {
    TRY(in_.space());
    if (in_.peek() == '"') {
      TRY(parse_string(in_));
      TRY(in_.space());
      if (!in_.take_word("priv") && !in_.take_word("shared") && !in_.take_word("all"))
        return in_.expected("priv, shared or all");
      TRY(in_.space());
    }
    Key key = make(Op::modseq);
    key.number = TRY(parse_modseq(in_)).value();
    return key;
  }

  // "OLDER" SP nz-number / "YOUNGER" SP nz-number (RFC 5032 §2), seconds
  Result<Key> by_age(bool older) {
    TRY(in_.space());
    Key key = make(older ? Op::received_until : Op::received_after);
    key.signed_number = wall_seconds() - std::int64_t{TRY(parse_nz_number(in_))};
    return key;
  }

  // "EMAILID" SP objectid (RFC 8474 §6): M and the beginning of the GUID
  Result<Key> by_email_id() {
    TRY(in_.space());
    const std::string_view id = TRY(parse_atom(in_));
    Key key = make(Op::guid_prefix);
    key.text = id.starts_with('M') && id.size() == 33 ? std::string(id.substr(1)) : "none";
    return key;
  }

  // "THREADID" SP objectid: matches nothing while FETCH says NIL (RFC 8474 §5.2)
  Result<Key> by_thread_id() {
    TRY(in_.space());
    TRY(parse_atom(in_));
    return negated(make(Op::all));
  }

  Cursor& in_;
  SearchProgram& program_;
  int depth_ = 0;
};

}  // namespace

Result<SearchProgram> parse_search_program(Cursor& in) {
  SearchProgram program;
  if (in.take_word("CHARSET")) {
    TRY(in.space());
    program.charset = TRY(parse_astring(in));
    TRY(in.space());
  }
  program.key = TRY(Parser(in, program).keys());
  return program;
}

}  // namespace postern::imap
