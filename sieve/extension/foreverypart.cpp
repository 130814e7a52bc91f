// foreverypart and break (RFC 5703 §3): every part in document order; inside another loop, the
// parts below that loop's part.
#include <fmt/format.h>

#include <algorithm>

#include "sieve/functions.h"

namespace postern::sieve {

// A break with a name leaves the loops up to the one of that name: break_ is handed outwards until
// the frame's target depth is reached.
Result<Flow> run_foreverypart(Run& run, const Code& code) {
  Frame& frame = run.frame();
  auto parts = run.message().parts_below(run.current_part());
  if (!frame.loop.empty()) parts.erase(parts.begin());
  for (const auto part : parts) {
    TRY(run.spend());
    frame.loop.push_back(part);
    frame.loop_names.push_back(run.tag_string(code, Tag::name));
    const Flow flow = TRY(run.block(code.block));
    const auto name = std::move(frame.loop_names.back());
    frame.loop_names.pop_back();
    frame.loop.pop_back();
    if (flow == Flow::break_) {
      const bool here = !frame.break_name || *frame.break_name == name;
      if (here) frame.break_name.reset();
      return here ? Flow::next : Flow::break_;
    }
    if (flow != Flow::next) return flow;
  }
  return Flow::next;
}

void check_break(Checker& checker, Code& code) {
  if (checker.loops().empty()) {
    checker.error(code.at, "'break' outside of 'foreverypart'");
    return;
  }
  const Value* name = code.find(Tag::name);
  if (name == nullptr || !name->constant()) return;
  if (std::ranges::find(checker.loops(), name->strings.front().text) == checker.loops().end())
    checker.error(name->strings.front().at,
                  fmt::format("no loop around this is called \"{}\"", name->strings.front().text));
}

Result<Flow> run_break(Run& run, const Code& code) {
  Frame& frame = run.frame();
  frame.break_name.reset();
  if (!code.has(Tag::name)) return Flow::break_;
  frame.break_name = run.tag_string(code, Tag::name);
  if (std::ranges::find(frame.loop_names, *frame.break_name) == frame.loop_names.end())
    return fail(Errc::bad_syntax, "break: no loop is called \"{}\"", *frame.break_name);
  return Flow::break_;
}

}  // namespace postern::sieve
