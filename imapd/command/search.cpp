// SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4), with RETURN (RFC 4731), SAVE (RFC 5182)
// and MODSEQ (RFC 7162 §3.1.5). Programs are evaluated by lib/search.
#include <algorithm>
#include <array>

#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "imapd/line_writer.h"
#include "imapd/messages.h"
#include "imapd/responder.h"
#include "lib/base/text.h"
#include "lib/mime/charset.h"
#include "lib/search/evaluator.h"

namespace postern::imap {
namespace {

using search::Key;

struct ReturnWord {
  std::string_view name;
  std::uint32_t bit;
};
constexpr std::array kReturnWords{
    ReturnWord{"MIN", Search::kMin},   ReturnWord{"MAX", Search::kMax},
    ReturnWord{"ALL", Search::kAll},   ReturnWord{"COUNT", Search::kCount},
    ReturnWord{"SAVE", Search::kSave},
};

// search-return-opts = "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
Result<std::uint32_t> parse_return(Cursor& in) {
  std::uint32_t bits = Search::kExtended;
  TRY(in.space());
  TRY(in.expect('('));
  if (in.take(')')) return bits | Search::kAll;  // RFC 4731 §3.1
  do {
    const std::uint32_t before = bits;
    for (const ReturnWord& word : kReturnWords)
      if (in.take_word(word.name)) bits |= word.bit;
    if (bits == before) return in.expected("a return option");
  } while (in.take(' '));
  TRY(in.expect(')'));
  return bits;
}

std::vector<search::Range> to_search(const std::vector<NumberRange>& ranges) {
  std::vector<search::Range> out;
  out.reserve(ranges.size());
  for (const NumberRange& range : ranges) out.push_back({range.first, range.last});
  return out;
}

// Fills in what only the selected mailbox knows: sets and \Recent.
Result<void> bind(const Context& ctx, const SearchProgram& program, Key& key) {
  if (key.op == Key::Op::uids && key.name == kRecentKey) {
    for (const UidRange& range : ctx.conn.selected->recent)
      key.ranges.push_back({range.first.value(), range.last.value()});
    key.name.clear();
  } else if (key.op == Key::Op::uids || key.op == Key::Op::seqnums) {
    const SearchProgram::Set& set = program.sets[key.number];
    key.ranges = to_search(TRY(resolve(ctx, set.numbers, set.uid ? Form::uid : Form::plain)));
  }
  for (Key& child : key.children) TRY(bind(ctx, program, child));
  return {};
}

void convert(const std::string& charset, Key& key) {
  if (!key.text.empty()) key.text = mime::to_utf8_or_guess(charset, key.text);
  for (Key& child : key.children) convert(charset, child);
}

bool is_utf8_name(std::string_view charset) {
  return charset.empty() || iequals(charset, "UTF-8") || iequals(charset, "US-ASCII");
}

// Strings come in the client's charset; one that isn't known is refused, whatever is searched for
// (RFC 9051 §6.4.4).
Result<void> take_charset(Context& ctx, const std::string& charset, Key& key) {
  if (is_utf8_name(charset)) return {};
  if (!mime::charset_known(charset)) {
    ctx.out.code("BADCHARSET (UTF-8 US-ASCII)");
    return fail(Errc::not_supported, "charset {}", charset);
  }
  convert(charset, key);
  return {};
}

std::string numbers_of(const std::vector<std::uint32_t>& found) {
  std::string out;
  NumberSetWriter writer(out);
  for (const std::uint32_t number : found) writer.add(number);
  writer.finish();
  return out;
}

void tell_found(Context& ctx, const Search::Found& found) {
  LineWriter out(ctx.out.stream());
  out.text("* SEARCH");
  for (const std::uint32_t number : found.numbers) {
    out.octet(' ');
    out.number(number);
  }
  if (found.modseq && !found.numbers.empty()) {
    out.text(" (MODSEQ ");
    out.number(found.modseq->value());
    out.octet(')');
  }
  out.text("\r\n");
}

// esearch-response (RFC 4731 §3.1): MIN, MAX and ALL only if something was found.
void tell_extended(Context& ctx, const Search::Found& found) {
  std::string line = "ESEARCH (TAG ";
  append_string(line, ctx.tag, false);
  line += ')';
  if (found.form == Form::uid) line += " UID";
  const auto add = [&line](std::string_view name, const auto& value) {
    line += fmt::format(" {} {}", name, value);
  };
  if (!found.numbers.empty()) {
    if ((found.returns & Search::kMin) != 0) add("MIN", found.numbers.front());
    if ((found.returns & Search::kMax) != 0) add("MAX", found.numbers.back());
    if ((found.returns & Search::kAll) != 0) add("ALL", numbers_of(found.numbers));
    if (found.modseq) add("MODSEQ", *found.modseq);
  }
  if ((found.returns & Search::kCount) != 0) add("COUNT", found.numbers.size());
  ctx.out.untagged(line);
}

// A SEARCH that SAVEs and is answered with NO leaves "$" empty, one that is BAD leaves it as it was
// (RFC 5182 §2.1).
void forget_saved(Context& ctx, std::uint32_t returns) {
  if ((returns & Search::kSave) != 0) ctx.conn.selected->saved_search.clear();
}

// "$" (RFC 5182 §2.1): MIN and MAX alone save just these.
void save(Context& ctx, const Search::Found& found) {
  std::vector<UidRange>& saved = ctx.conn.selected->saved_search;
  saved.clear();
  const auto add = [&saved](Uid uid) {
    if (!saved.empty() && saved.back().last.next() == uid)
      saved.back().last = uid;
    else
      saved.push_back({uid, uid});
  };
  const bool all = (found.returns & (Search::kAll | Search::kCount)) != 0 ||
                   (found.returns & (Search::kMin | Search::kMax)) == 0;
  if (found.uids.empty()) return;
  if (all) {
    for (const Uid uid : found.uids) add(uid);
    return;
  }
  if ((found.returns & Search::kMin) != 0) add(found.uids.front());
  if ((found.returns & Search::kMax) != 0 && found.uids.size() > 1) add(found.uids.back());
}

// RFC 4731 §3.2: the highest modseq of the messages that are returned, which are not all that were
// found when only MIN or MAX is asked for.
class ReturnedModSeq {
 public:
  explicit ReturnedModSeq(std::uint32_t returns)
      : all_((returns & (Search::kMin | Search::kMax)) == 0 ||
             (returns & (Search::kAll | Search::kCount)) != 0),
        min_((returns & Search::kMin) != 0),
        max_((returns & Search::kMax) != 0) {}
  void add(ModSeq modseq) {
    if (all_ || (min_ && last_ == ModSeq(0))) highest_ = std::max(highest_, modseq);
    last_ = modseq;
  }
  [[nodiscard]] ModSeq value() const { return max_ ? std::max(highest_, last_) : highest_; }

 private:
  bool all_, min_, max_;
  ModSeq highest_{0}, last_{0};
};

}  // namespace

// search = "SEARCH" [SP search-return-opts] SP search-program
Result<Search::Request> Search::parse(Cursor& in, Form form) {
  Request request;
  request.form = form;
  TRY(in.space());
  if (in.take_word("RETURN")) {
    request.returns = TRY(parse_return(in));
    TRY(in.space());
  }
  request.program = TRY(parse_search_program(in));
  return request;
}

Result<Search::Plan> Search::plan(const Request& request, Context& ctx) {
  TRY(ctx.refresh_rights());
  Plan plan{request.program.key, request.form, request.returns};
  if (auto taken = take_charset(ctx, request.program.charset, plan.key); !taken) {
    forget_saved(ctx, request.returns);
    return taken.error();
  }
  TRY(bind(ctx, request.program, plan.key));
  plan.key = search::optimised(std::move(plan.key));
  if (search::uses(plan.key, Key::Op::modseq)) ctx.conn.enabled |= enabled::condstore;
  return plan;
}

Result<Search::Found> Search::execute(const Plan& plan, Context& ctx) {
  const Selected& selected = *ctx.selected;
  forget_saved(ctx, plan.returns);
  Found found{{}, {}, plan.form, plan.returns, {}};
  ReturnedModSeq modseq(plan.returns);
  search::Evaluator evaluator(*selected.mailbox, plan.key);
  MessageWalk walk(selected, {{1, selected.view.exists()}}, Form::plain);
  while (const auto message = walk.next()) {
    if (!TRY(evaluator.matches(message->record, message->seqnum))) continue;
    found.numbers.push_back(plan.form == Form::uid ? message->uid.value()
                                                   : message->seqnum.value());
    found.uids.push_back(message->uid);
    modseq.add(selected.mailbox->modseq(message->record));
  }
  if (search::uses(plan.key, Key::Op::modseq)) found.modseq = modseq.value();
  return found;
}

void Search::respond(const Found& found, Context& ctx) {
  if ((found.returns & kSave) != 0) save(ctx, found);
  if ((found.returns & kExtended) == 0) return tell_found(ctx, found);
  // RFC 5182 §2.1: SAVE alone has no ESEARCH answer to give.
  if ((found.returns & ~(kExtended | kSave)) != 0) tell_extended(ctx, found);
}

}  // namespace postern::imap
