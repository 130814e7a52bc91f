// The checks behind run_and_check.
#include "tests/unit/sieve/invariants.h"

#include <algorithm>

#include "lib/base/assert.h"
#include "lib/base/text.h"
#include "lib/mime/find.h"
#include "sieve/sieve.h"
#include "tests/unit/sieve/fake_host.h"

namespace postern::sieve {
namespace {

template <typename Kind>
bool alone(const Step& step) {
  const auto* action = std::get_if<Kind>(&step.action);
  return action != nullptr && !action->copy;
}

bool stores(const Step& step) {
  return std::holds_alternative<Keep>(step.action) || alone<FileInto>(step) ||
         std::holds_alternative<Snooze>(step.action);
}

bool sends(const Step& step) { return alone<Redirect>(step) || alone<Pipe>(step); }

bool drops(const Step& step) {
  return std::holds_alternative<Discard>(step.action) ||
         std::holds_alternative<Reject>(step.action);
}

Fate fate_of(const Outcome& outcome, const Limits& limits) {
  if (outcome.error) return outcome.steps > limits.steps ? Fate::over_limit : Fate::failed;
  if (std::ranges::any_of(outcome.actions, stores)) return Fate::kept;
  if (std::ranges::any_of(outcome.actions, sends)) return Fate::sent_on;
  ASSERT(std::ranges::any_of(outcome.actions, drops));  // else the mail is lost
  return Fate::dropped;
}

// What takes the message away stands in the script, on its line; no included one has such commands.
void check_is_wanted(const Step& step, std::string_view script) {
  if (!sends(step) && !drops(step)) return;
  const auto lines = split(script, '\n');
  ASSERT(step.line >= 1 && step.line <= lines.size());
  const auto names = [&](std::string_view command) {
    return mime::find_ascii_casemap(lines[step.line - 1], command) != std::string_view::npos;
  };
  ASSERT(names(std::holds_alternative<Discard>(step.action)    ? "discard"
               : std::holds_alternative<Reject>(step.action)   ? "reject"
               : std::holds_alternative<Redirect>(step.action) ? "redirect"
                                                               : "pipe"));
}

void check(const Outcome& outcome, const Limits& limits) {
  ASSERT(!outcome.actions.empty());
  ASSERT(outcome.actions.size() <= limits.actions + 1);
  ASSERT(outcome.error || outcome.steps <= limits.steps);
  for (const auto& step : outcome.actions) {
    ASSERT(step.version < outcome.versions.size());
    if (const auto* file = std::get_if<FileInto>(&step.action))
      ASSERT(!file->target.mailbox.empty());
  }
  if (!outcome.error) return;
  ASSERT(outcome.actions.size() == 1 && outcome.versions.size() == 1 && outcome.marks.empty());
  const auto* keep = std::get_if<Keep>(&outcome.actions.front().action);
  ASSERT(keep != nullptr && keep->implicit && outcome.actions.front().version == 0);
}

}  // namespace

Fate run_and_check(std::string_view script_text, std::string_view message) {
  Environment environment;
  environment.limits.steps = 20'000;
  environment.limits.body_octets = 1U << 20;
  Diagnostics diagnostics;
  const auto script = compile(script_text, environment, diagnostics);
  if (!script) return Fate::not_run;
  FakeHost host;
  host.set("list", ":addrbook:default a@example.com");
  host.set("mailbox", "A");
  host.set("spam", "X-Spam-Score 10");
  host.scripts["personal inner"] = "require \"fileinto\"; fileinto \"Inner\";";
  host.scripts["personal self"] = "require \"include\"; include \"self\";";
  EnvelopeView envelope;
  envelope.from = "sender@example.org";
  envelope.to = "anna+detail@example.com";
  const auto outcome = run(*script, {message, envelope}, host, environment.limits);
  check(outcome, environment.limits);
  const Fate fate = fate_of(outcome, environment.limits);
  for (const auto& step : outcome.actions) check_is_wanted(step, script_text);
  // A second run of the same script decides the same: nothing is left over from the first.
  const auto again = run(*script, {message, envelope}, host, environment.limits);
  ASSERT(again.actions.size() == outcome.actions.size() && again.versions == outcome.versions);
  return fate;
}

}  // namespace postern::sieve
