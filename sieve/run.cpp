// The interpreter's loop: statements in order, the flow between them, errors into an implicit keep.
#include "sieve/run.h"

#include <fmt/format.h>

#include "sieve/resolve.h"

namespace postern::sieve {

Run::Run(const Script& script, const MessageView& view, Host& host, const Limits& limits,
         Outcome& outcome)
    : view_(view),
      host_(host),
      limits_(limits),
      outcome_(outcome),
      message_(view.octets, outcome.versions, limits),
      flags_(view.flags) {
  push_frame(script, {}, 0);
}

void Run::push_frame(const Script& script, std::string name, std::uint32_t root) {
  frames_.push_back(std::make_unique<Frame>(Frame{
      &script, std::move(name), root, {}, {}, {}, Variables(globals_, variable_octets_, limits_)}));
  if (script.required.has(Cap::vnd_environment))
    frame().variables.set_environment(
        [this](std::string_view item) { return host_.environment(item).value_or(""); });
}

void Run::main() {
  const auto flow = block(frame().script->code);
  if (!flow) return fail_with(flow.error());
  if (implicit_keep_) {
    const auto version = message_.version();
    if (!version) return fail_with(version.error());
    outcome_.actions.push_back({Keep{true, flags_}, 0, *version});
  }
  // In a mailbox already, it is kept there, wherever that is (RFC 5183 §4.1, RFC 6785 §3.2).
  resolve(outcome_, host_.environment("phase") == "post");
}

// RFC 5228 §2.10.6: nothing that the script asked for is done; the message is kept as it came.
void Run::fail_with(Error error) {
  outcome_.error = RunError{std::move(error.text), failed_script_, at_.line};
  outcome_.actions.clear();
  outcome_.actions.push_back({Keep{true, {}}, 0, 0});
  outcome_.versions.resize(1);
  outcome_.marks.clear();
}

Result<Flow> Run::block(const std::vector<Code>& code) {
  bool taken = false;  // some branch of the present if … elsif … else was
  for (const auto& each : code) {
    const bool branch = each.row != nullptr && each.row->tail == Tail::test_and_block;
    const bool otherwise = each.row != nullptr && each.row->name == "else";
    if (branch && each.row->name == "if") taken = false;
    if ((branch || otherwise) && taken) continue;
    at_ = each.at;
    failed_script_ = frame().name;
    if (branch) {
      TRY(spend());
      if (each.unusable) return fail(Errc::not_supported, "{}", *each.unusable);
      taken = TRY(test(each.tests.front()));
      if (!taken) continue;
    }
    const Flow flow = branch ? TRY(block(each.block)) : TRY(statement(each));
    if (flow != Flow::next) return flow;
  }
  return Flow::next;
}

Result<Flow> Run::statement(const Code& code) {
  TRY(spend());
  if (code.unusable) return fail(Errc::not_supported, "{}", *code.unusable);
  if (tracing()) trace(code.at, code.row->name);
  if (code.row->command == nullptr) return block(code.block);  // else
  return code.row->command(*this, code);
}

Result<bool> Run::test(const Code& code) {
  TRY(spend());
  if (code.unusable) return fail(Errc::not_supported, "{}", *code.unusable);
  const bool result = TRY(code.row->test(*this, code));
  if (tracing()) trace(code.at, fmt::format("{}: {}", code.row->name, result));
  return result;
}

Result<Flow> Run::include(std::shared_ptr<const Script> script, std::string name) {
  const std::uint32_t root = current_part();
  const Script& held = *holders_.emplace_back(std::move(script));
  push_frame(held, std::move(name), root);
  auto flow = block(held.code);
  if (!flow) return flow;
  frames_.pop_back();
  return *flow == Flow::stop ? Flow::stop : Flow::next;
}

Error Run::too_many_steps() const {
  return fail(Errc::limit, "the script takes too many steps (over {})", limits_.steps);
}

std::uint32_t Run::current_part() {
  return frame().loop.empty() ? frame().root : frame().loop.back();
}

std::string Run::expand(const Text& text) {
  return text.has_variables ? frame().variables.expand(text.text) : text.text;
}

Strings Run::strings(const Value& value) {
  if (value.constant()) return Strings(std::span(value.strings));
  std::vector<Text> expanded;
  for (const auto& text : value.strings) expanded.push_back({expand(text), false, text.at});
  return Strings(std::move(expanded));
}

std::string Run::tag_string(const Code& code, Tag tag, std::string_view otherwise) {
  const Value* value = code.find(tag);
  return value == nullptr ? std::string(otherwise) : expand(value->strings.front());
}

std::string Run::arg_string(const Code& code, std::size_t arg) {
  return expand(code.args[arg].strings.front());
}

Result<void> Run::check_reject(const Action& action) {
  const auto refuses = [](const Action& a) { return std::holds_alternative<Reject>(a); };
  const auto excluded = [](const Action& a) {
    return std::holds_alternative<Keep>(a) || std::holds_alternative<FileInto>(a) ||
           std::holds_alternative<Redirect>(a) || std::holds_alternative<Vacation>(a) ||
           std::holds_alternative<Snooze>(a);
  };
  for (const auto& step : outcome_.actions) {
    if (refuses(action) && refuses(step.action))
      return fail(Errc::conflict, "a message can be rejected only once");
    if ((refuses(action) && excluded(step.action)) || (excluded(action) && refuses(step.action)))
      return fail(Errc::conflict,
                  "reject can't stand beside keep, fileinto, redirect, snooze or "
                  "vacation");
  }
  return {};
}

// Whether the action stores or sends the message as it is now. A refusal speaks of the message as
// it came (RFC 5293 §7); a redirected one goes without enclose's text (RFC 5703 §6).
bool Run::carries_message(const Action& action) {
  return std::holds_alternative<Keep>(action) || std::holds_alternative<FileInto>(action) ||
         std::holds_alternative<Redirect>(action) || std::holds_alternative<Pipe>(action) ||
         std::holds_alternative<Snooze>(action);
}

Result<void> Run::act(const Code& code, Action action, bool keeps) {
  if (outcome_.actions.size() >= limits_.actions)
    return fail(Errc::limit, "too many actions (over {})", limits_.actions);
  TRY(check_reject(action));
  std::size_t version = 0;
  if (carries_message(action))
    version = TRY(message_.version(!std::holds_alternative<Redirect>(action)));
  if (!keeps) implicit_keep_ = false;
  outcome_.actions.push_back({std::move(action), code.at.line, version});
  return {};
}

Outcome run(const Script& script, const MessageView& message, Host& host, const Limits& limits) {
  Outcome outcome;
  Run(script, message, host, limits, outcome).main();
  return outcome;
}

}  // namespace postern::sieve
