// The checks behind run_and_check.
#include "tests/unit/sieve/invariants.h"

#include <algorithm>

#include "lib/base/assert.h"
#include "sieve/sieve.h"
#include "tests/unit/sieve/fake_host.h"

namespace postern::sieve {
namespace {

bool keeps_mail(const Step& step) {
  return std::holds_alternative<Keep>(step.action) ||
         std::holds_alternative<FileInto>(step.action) ||
         std::holds_alternative<Redirect>(step.action) ||
         std::holds_alternative<Discard>(step.action) ||
         std::holds_alternative<Reject>(step.action) || std::holds_alternative<Pipe>(step.action) ||
         std::holds_alternative<Snooze>(step.action);
}

void check(const Outcome& outcome, const Limits& limits) {
  ASSERT(!outcome.actions.empty());
  ASSERT(outcome.actions.size() <= limits.actions + 1);
  ASSERT(std::ranges::any_of(outcome.actions, keeps_mail));
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

bool run_and_check(std::string_view script_text, std::string_view message) {
  Environment environment;
  environment.limits.steps = 20'000;
  environment.limits.body_octets = 1U << 20;
  Diagnostics diagnostics;
  const auto script = compile(script_text, environment, diagnostics);
  if (!script) return false;
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
  // A second run of the same script decides the same: nothing is left over from the first.
  const auto again = run(*script, {message, envelope}, host, environment.limits);
  ASSERT(again.actions.size() == outcome.actions.size() && again.versions == outcome.versions);
  return true;
}

}  // namespace postern::sieve
